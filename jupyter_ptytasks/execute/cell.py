"""`python -m jupyter_ptytasks.execute.cell FILE`: run the source of a cell as a script.

Like `python FILE`, but modules are imported from the current directory, since FILE is in the data directory.
"""

from __future__ import annotations

import sys


def main(path: str) -> None:
    """Run the file as `__main__`."""
    import builtins  # noqa: PLC0415  the module's globals are cleared below

    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    sys.argv = [path]
    # `-m` has put the current directory first on sys.path. multiprocessing re-imports `__main__`: it must be the
    # file, not this module.
    script = sys.modules["__main__"].__dict__
    script.clear()
    script.update(__name__="__main__", __file__=path, __spec__=None, __doc__=None, __builtins__=builtins)
    exec(code, script)  # noqa: S102  the purpose of this module


if __name__ == "__main__":
    main(sys.argv[1])
