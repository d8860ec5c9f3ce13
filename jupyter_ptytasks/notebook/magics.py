"""The magics: `%%task NAME` runs a cell as a task, `%task VERB NAME` manages tasks."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class

from ..client import ClientError
from .cells import CellRunner
from .lines import LineVerbs
from .options import CELL, read_verb, split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from IPython.core.interactiveshell import InteractiveShell


def load(shell: InteractiveShell) -> None:
    """Register the magics and their completion."""
    shell.register_magics(TaskMagics)
    try:
        from . import completion  # noqa: PLC0415
    except ImportError:
        return  # IPython before 8.6 has no context matchers
    completion.install(shell)


@magics_class
class TaskMagics(Magics):
    """`%%task` and `%task`."""

    @line_cell_magic  # type: ignore[untyped-decorator,unused-ignore]
    def task(self, line: str, cell: str | None = None) -> Any:
        """Run the cell as a background task (`%%task NAME`), or manage tasks (`%task stop NAME`).

        See `%%task --help` and `%task --help`.
        """
        with _short_errors():
            if cell is None:
                verb, said = read_verb(line)
                return said and getattr(LineVerbs(self.shell), verb)(said)
            asked = CELL.read(split(line))
            if asked is not None:
                CellRunner(self.shell).run(asked, cell)
            return None


@contextmanager
def _short_errors() -> Iterator[None]:
    """Make IPython show the message of an error without a traceback, which would only show our own code."""
    try:
        yield
    except ClientError as error:
        text = f"{type(error).__name__}: {error}"
        error._render_traceback_ = lambda: text.split("\n")  # type: ignore[attr-defined]
        raise
