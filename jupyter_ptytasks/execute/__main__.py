"""`python -m jupyter_ptytasks.execute NOTEBOOK`: run a notebook to its end, and save the executed copy beside it."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import CellExecutionError

from . import parameters
from .runner import Runner

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run it, and give the exit code: 0, 1 when a cell or the kernel failed, 2 when there is nothing to run, 128 + the
    number of the signal that stopped it.
    """
    asked = _parser().parse_args(argv)
    path = os.path.abspath(asked.notebook)
    output = os.path.abspath(asked.output) if asked.output else f"{os.path.splitext(path)[0]}.executed.ipynb"
    try:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        kernel = asked.kernel or notebook.metadata.get("kernelspec", {}).get("name") or "python3"
        notebook = parameters.inject(notebook, dict(asked.parameters), kernel)
        runner = Runner(notebook, output, os.path.dirname(path), kernel)
        # Before hours of work: it might not be possible to write there.
        runner.save()
    except (OSError, ValueError, parameters.NotPython) as error:
        return _say(f"{path}: {error}", 2)
    try:
        asyncio.run(runner.run())
    except NoSuchKernel as error:
        return _say(f"{path}: there is no kernel {error.name!r} here; --kernel takes another one", 2)
    except (CellExecutionError, RuntimeError) as error:  # a kernel that dies, or does not start, is a RuntimeError
        if runner.signal is None:
            return _say(f"{error}\nUp to this cell it is in {output}", 1)
    except asyncio.CancelledError:
        pass
    if runner.signal is not None:
        return _say(f"Stopped by {runner.signal.name}. What was done until then is in {output}", 128 + runner.signal)
    print(f"Executed: {output}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jupyter_ptytasks.execute", description=__doc__)
    parser.add_argument("notebook", metavar="NOTEBOOK", help="the path of an .ipynb")
    parser.add_argument("--output", metavar="PATH", help="the executed copy; by default NOTEBOOK's name.executed.ipynb")
    parser.add_argument(
        *("-p", "--parameter"),
        dest="parameters",
        nargs=2,
        action=_Parameter,
        default=[],
        metavar=("NAME", "VALUE"),
        help="set a parameter, to JSON or else to the text as it is; may be repeated",
    )
    parser.add_argument("--kernel", metavar="NAME", help="the kernel; by default the notebook's own")
    return parser


class _Parameter(argparse.Action):
    """Collects names and values; a name is one of a variable."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, words: Any, *_: Any) -> None:
        name, value = words
        if not name.isidentifier():
            parser.error(f"{name!r} is no name of a variable")
        namespace.parameters = [*namespace.parameters, (name, parameters.read(value))]


def _say(text: str, code: int) -> int:
    print(text, file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
