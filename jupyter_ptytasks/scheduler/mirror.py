"""The scheduler's in-memory copy of the tasks. There may be ten thousand, so it has only the fields that decisions need
unless a task is running.
"""

from __future__ import annotations

import sys

from ..core.model import Exit
from ..core.queue.decisions import waits_here
from ..core.states import Stateful

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..core.model import Task
    from ..core.queue.turn import Turn
    from ..core.states import State
    from ..core.sweeps.combinations import Sweep
    from ..storage.database import Database

#: Shared instances of common values.
_NO_EXIT = Exit()
_WHOLE = 1.0


class Entry(Stateful):
    """The fields of a task that decisions need; see Task."""

    __slots__ = (
        "attempt", "created", "ended", "exit", "gpu_share", "gpus", "group", "id", "is_submitted", "name",
        "provisioner", "state", "state_reason", "sweep", "turn",
    )  # fmt: skip

    def __init__(self, task: Task, turn: Turn, sweep: Sweep | None) -> None:
        self.id = task.id
        self.name = sys.intern(task.name)
        self.state: State = task.state
        self.state_reason = sys.intern(task.state_reason)
        self.group = sys.intern(task.group)
        self.provisioner = sys.intern(task.provisioner)
        self.is_submitted = task.is_submitted
        self.turn = turn
        self.sweep = sweep
        self.attempt = task.attempt
        self.created = task.created
        self.ended = task.ended
        self.exit = task.exit if task.exit != _NO_EXIT else _NO_EXIT
        self.gpus = task.gpus
        self.gpu_share = _WHOLE if task.gpu_share == _WHOLE else task.gpu_share


class Mirror:
    """The tasks of a database as of the last `refresh`, with the changes noted since."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._version: tuple[int, int] | None = None
        self._revision = 0
        self.entries: dict[str, Entry] = {}
        #: Tasks that are running, or were submitted to another place, which is polled about them.
        self.underway: dict[str, Task] = {}
        #: Shared instances, since many tasks have equal turns and sweeps.
        self._turns: dict[Turn, Turn] = {}
        self._sweeps: dict[Sweep | None, Sweep | None] = {}

    def refresh(self) -> bool:
        """Read changes by other processes; return whether there were any."""
        version = self._database.version()
        if version == self._version:
            return False
        whole = self._version is None or version[0] != self._version[0]
        if whole:
            self.entries.clear()
            self.underway.clear()
            self._turns.clear()
            self._sweeps.clear()
        since = 0 if whole else self._revision
        for change in self._database.each_change(since):
            if isinstance(change, str):
                self.forget(change)
            else:
                self.note(change)
                self._revision = max(self._revision, change.revision)
        self._version = version
        return True

    def distrust(self) -> None:
        """Read everything again at the next refresh: noted changes may not have been written."""
        self._version = None

    def note(self, task: Task) -> Task:
        """Remember a task as it was written, and return it."""
        turn = self._turns.setdefault(task.turn, task.turn)
        self.entries[task.id] = Entry(task, turn, self._sweeps.setdefault(task.sweep, task.sweep))
        if task.live and not waits_here(task):
            self.underway[task.id] = task
        else:
            self.underway.pop(task.id, None)
        return task

    def forget(self, task_id: str) -> None:
        """Forget a task that was removed."""
        self.entries.pop(task_id, None)
        self.underway.pop(task_id, None)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self.entries.values()))
