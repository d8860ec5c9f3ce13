"""Drafts of the next specs and environments of many tasks, so that the transaction that changes them only renames
files. Blocking.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

from ..core.errors import storage_fault
from ..core.files import encode, write_draft
from ..core.platform import files as system
from .restoring import kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from ..core.model import Task
    from .task_dirs import TaskDirs

#: Number of threads that write files: the disk handles concurrent flushes together.
_WRITERS = 8
_WHAT = "the task's directory"


class Draft:
    """The next spec of a task, and the environment of its next attempt, if any; written for the task with this
    `revision`.
    """

    __slots__ = ("env", "environment", "revision", "spec", "task_id")

    def __init__(self, task_id: str, revision: int, env: Mapping[str, str] | None) -> None:
        self.task_id = task_id
        self.revision = revision
        self.env = env
        #: The paths of the drafts.
        self.spec = ""
        self.environment = ""


class Drafts:
    """The drafts for a change of tasks. `write` them, enter `placed` in the transaction that changes the tasks, and
    call `settle` afterwards in any case. `spec_of` returns the next spec of a changed task.
    """

    def __init__(self, task_dirs: TaskDirs, spec_of: Callable[[Task], Mapping[str, Any]]) -> None:
        self._task_dirs = task_dirs
        self._spec_of = spec_of
        self._drafts: dict[str, Draft] = {}
        #: The ids of outdated drafts: their tasks were changed by another process after the drafts were written.
        self._stale: set[str] = set()
        self._placed: list[str] = []

    def write(self, changes: Iterable[tuple[Task, Task]], envs: Mapping[str, Mapping[str, str]]) -> None:
        """Write the drafts for changes, given as tasks before and after; `envs` are the environments of their next
        attempts, by id. The drafts are on disk when this returns. Raises StorageFull, InternalError.
        """

        def write(change: tuple[Task, Task]) -> None:
            old, new = change
            draft = self._drafts[old.id] = Draft(old.id, old.revision, envs.get(old.id))
            paths = self._task_dirs.files(old.id)
            spec = self._spec_of(new)
            try:
                draft.spec = write_draft(paths.spec, encode(dict(spec)))
                if draft.env is not None:
                    draft.environment = write_draft(paths.environment, encode(dict(draft.env)))
            except OSError as error:
                raise storage_fault(error, _WHAT) from error

        in_parallel(write, list(changes))

    def note(self, old: Task) -> None:
        """Note the task that is actually changed: its draft is only used if it was written for the same revision."""
        if old.revision != self._drafts[old.id].revision:
            self._stale.add(old.id)

    @contextmanager
    def placed(self, tasks: Sequence[Task]) -> Iterator[None]:
        """Move the drafts of tasks into place, and undo that if the block raises. Raises StorageFull, InternalError;
        then nothing has changed.
        """
        with ExitStack() as together:
            for task in tasks:
                draft = self._drafts[task.id]
                if task.id in self._stale:
                    self._write_now(task, draft, together)
                else:
                    self._place(draft, together)
                self._placed.append(task.id)
            yield

    def _place(self, draft: Draft, together: ExitStack) -> None:
        paths = self._task_dirs.files(draft.task_id)
        try:
            together.enter_context(kept(paths.spec))
            system.replace(draft.spec, paths.spec)
            if draft.environment:
                together.push(_on_failure(lambda: self._task_dirs.specs.forget_environment(draft.task_id)))
                system.replace(draft.environment, paths.environment)
        except OSError as error:
            raise storage_fault(error, _WHAT) from error

    def _write_now(self, task: Task, draft: Draft, together: ExitStack) -> None:
        together.enter_context(self._task_dirs.specs.replaced(self._spec_of(task)))
        if draft.env is not None:
            together.push(_on_failure(lambda: self._task_dirs.specs.forget_environment(task.id)))
            self._task_dirs.specs.write_environment(task.id, draft.env)

    def settle(self) -> None:
        """Make the used drafts permanent, and delete the others."""
        for draft in self._drafts.values():
            for path in (draft.spec, draft.environment):
                with suppress(FileNotFoundError):
                    os.unlink(path)
        in_parallel(self._sync, self._placed)

    def _sync(self, task_id: str) -> None:
        # It may have been deleted since. If a power failure undoes the rename, the previous files are valid, too.
        with suppress(OSError):
            system.sync_dir(self._task_dirs.files(task_id).dir)


def in_parallel(act: Callable[[Any], None], items: Sequence[Any]) -> None:
    """Call `act` for each item, several at a time. When all are done, raise the exception of the first that failed."""
    with ThreadPoolExecutor(_WRITERS, "ptytasks-many") as pool:
        for _ in pool.map(act, items):
            pass


def _on_failure(undo: Callable[[], None]) -> Callable[[type[BaseException] | None, object, object], None]:
    """Return an exit function that calls `undo` if the block has raised."""

    def leave(kind: type[BaseException] | None, _error: object, _trace: object) -> None:
        if kind is not None:
            undo()

    return leave
