"""Watches a task in a notebook or a terminal of IPython until it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.display import display

from ..client import StillRunning, is_live

if TYPE_CHECKING:
    from .task import Task

#: Seconds between two updates of a view.
_UPDATE = 1.0


def follow(shell: Any, task: Task, lines: int) -> None:
    """Show the last `lines` of a task's output, and new output, in an IPython `shell` until the task has ended."""
    if not hasattr(shell, "kernel"):
        for text in task.follow(lines):  # a terminal: displays cannot be updated in place
            print(text, end="", flush=True)
        return
    view = display(task.view(lines), raw=True, display_id=True)  # type: ignore[no-untyped-call]
    while is_live(task.as_heard):
        try:
            task.wait(_UPDATE)
        except StillRunning:
            pass
        view.update(task.view(lines), raw=True)
