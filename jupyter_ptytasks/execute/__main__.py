"""`python -m jupyter_ptytasks.execute NOTEBOOK`: execute a notebook and save the executed copy next to it."""

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
from .values import read

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Execute the notebook and return the exit code.

    0 is success; 1 means that a cell or the kernel failed, 2 that the notebook could not be run, 128 + N that signal N
    stopped it.
    """
    asked = _parser().parse_args(argv)
    path = os.path.abspath(asked.notebook)
    output = os.path.abspath(asked.output) if asked.output else f"{os.path.splitext(path)[0]}.executed.ipynb"
    try:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        kernel = asked.kernel or notebook.metadata.get("kernelspec", {}).get("name") or "python3"
        notebook = parameters.inject(notebook, dict(asked.parameters), kernel)
        runner = Runner(notebook, output, os.path.dirname(path), kernel)
        # Fail now, and not after hours of work, if the output cannot be written.
        runner.save()
    except (OSError, ValueError, parameters.NotPython) as error:
        return _say(f"{path}: {error}", 2)
    try:
        asyncio.run(runner.run())
    except NoSuchKernel as error:
        return _say(f"{path}: kernel {error.name!r} is not installed here; choose another with --kernel", 2)
    except (
        CellExecutionError,
        RuntimeError,
    ) as error:  # RuntimeError: the kernel died, or did not start
        if runner.signal is None:
            return _say(f"{error}\nPartial results: {output}", 1)
    except asyncio.CancelledError:
        pass
    if runner.signal is not None:
        return _say(f"Stopped by {runner.signal.name}. Partial results: {output}", 128 + runner.signal)
    print(f"Executed: {output}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jupyter_ptytasks.execute", description=__doc__)
    parser.add_argument("notebook", metavar="NOTEBOOK", help="path of an .ipynb file")
    parser.add_argument(
        "--output", metavar="PATH", help="path of the executed copy; by default NOTEBOOK.executed.ipynb"
    )
    parser.add_argument(
        *("-p", "--parameter"),
        dest="parameters",
        nargs=2,
        action=_Parameter,
        default=[],
        metavar=("NAME", "VALUE"),
        help="set a parameter to a JSON value, or to the text if it is not JSON; may be repeated",
    )
    parser.add_argument("--kernel", metavar="NAME", help="name of the kernel; by default the notebook's own")
    return parser


class _Parameter(argparse.Action):
    """Collects names and values. A name must be a valid variable name."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, words: Any, *_: Any) -> None:
        name, value = words
        if not name.isidentifier():
            parser.error(f"{name!r} is not a valid variable name")
        namespace.parameters = [*namespace.parameters, (name, read(value))]


def _say(text: str, code: int) -> int:
    print(text, file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
