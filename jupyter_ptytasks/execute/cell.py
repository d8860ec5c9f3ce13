"""`python -m jupyter_ptytasks.execute.cell FILE`: run the source of a cell as a script, where the notebook is.

As `python FILE`, but that modules are looked for in the current directory: the file is kept elsewhere.
"""

from __future__ import annotations

import sys


def main(path: str) -> None:
    """Run the file as `__main__`."""
    import builtins  # noqa: PLC0415  what is imported above is gone with the module's names

    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    sys.argv = [path]
    # `-m` has put the current directory in front. What multiprocessing starts its processes with is what it finds in
    # `__main__`: the file, not this module.
    script = sys.modules["__main__"].__dict__
    script.clear()
    script.update(__name__="__main__", __file__=path, __spec__=None, __doc__=None, __builtins__=builtins)
    exec(code, script)  # noqa: S102  that is what it is for


if __name__ == "__main__":
    main(sys.argv[1])
