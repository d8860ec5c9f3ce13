"""Why an attempt failed, from its exit record and the end of its ring. Blocking."""

from __future__ import annotations

from ..core.files import read_json
from ..core.model import Kind
from ..core.ring.attempts import heading
from ..core.ring.lines import RingLines
from ..core.states import State
from ..core.terminal.lines import lines_of
from ..core.why import Ending, explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..core.model import Task
    from ..core.why import Reason
    from .task_dirs import TaskDirs

#: Number of last lines of the output that are drawn.
_LINES = 400
#: State reasons for which the output may say more; the others are clear by themselves.
_EXPLAINED = {State.FAILED: ("nonzero_exit", "signal"), State.TIMED_OUT: ("timed_out",)}


def is_explained(task: Task) -> bool:
    """Return whether `why_failed` can explain an ended task."""
    return task.state_reason in _EXPLAINED.get(task.state, ())


def why_failed(task_dirs: TaskDirs, task: Task) -> Reason | None:
    """Return why the attempt of an ended task failed; None if it did not, or if unknown. Raises OSError."""
    if not is_explained(task):
        return None
    # The output of a shell does not explain why the shell ended.
    lines = _last_lines(task_dirs, task) if task.kind is Kind.COMMAND else []
    return explain(_ending(task_dirs, task), lines)


def explained(task_dirs: TaskDirs, task: Task, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return further changes to store with the final `changes` of a task: its message and the kind of reason; empty if
    there is nothing to explain. Raises OSError.
    """
    ended = task.with_(**changes)
    return changes_for(why_failed(task_dirs, ended)) if is_explained(ended) else {}


def changes_for(reason: Reason | None) -> dict[str, Any]:
    """Return a reason as changes to its task; unexplained failures are marked, so that they are not tried again."""
    return {"why": "unknown"} if reason is None else {"why": reason.kind, "state_message": reason.message}


def _ending(task_dirs: TaskDirs, task: Task) -> Ending:
    files = task_dirs.files(task.id)
    for path in (files.exit, f"{files.exit}.reserved"):
        record = read_json(path)
        if record is not None and record.get("attempt") == task.attempt:
            return Ending.from_record(record, task.timeout)
    return Ending(
        code=task.exit.code,
        signal=task.exit.signal,
        reason="timed_out" if task.state is State.TIMED_OUT else "exited",
        timeout=task.timeout,
        leftover=task.leftover,
    )


def _last_lines(task_dirs: TaskDirs, task: Task) -> list[tuple[int, str]]:
    """Return the last lines of the attempt's output: number and text."""
    with task_dirs.open_ring(task.id) as ring:
        _, found = RingLines(ring, (task.rows, task.cols)).last(_LINES)
    lines = [(number, text) for number, text, _ in found]
    if task.attempt > 1:
        begins = lines_of(heading(task.attempt))[0]
        for at in range(len(lines) - 1, -1, -1):
            if lines[at][1] == begins:
                return lines[at + 1 :]
    return lines
