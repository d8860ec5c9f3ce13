"""`python -m jupyter_ptytasks.execute.cell FILE [NAME=VALUE...]`: run the source of a cell as a script.

Like `python FILE`, but modules are imported from the current directory, since FILE is in the data directory, and the
parameters of a sweep are variables.
"""

from __future__ import annotations

import re
import sys

from .values import read


def main(path: str, *pairs: str) -> None:
    """Run the file as `__main__`, with variables from pairs such as `lr=1e-3`."""
    import builtins  # noqa: PLC0415  the module's globals are cleared below

    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    sys.argv = [path]
    given = (pair.partition("=") for pair in pairs)
    variables = {re.sub(r"\W", "_", name): read(text) for name, _, text in given}
    # `-m` has put the current directory first on sys.path. multiprocessing re-imports `__main__`: it must be the
    # file, not this module.
    script = sys.modules["__main__"].__dict__
    script.clear()
    script.update(variables)
    script.update(__name__="__main__", __file__=path, __spec__=None, __doc__=None, __builtins__=builtins)
    exec(code, script)  # noqa: S102  the purpose of this module


if __name__ == "__main__":
    main(*sys.argv[1:])
