"""The files that say what tasks run: specs, environments of pending tasks, and calls of functions. Blocking."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager, suppress

from ..core.errors import InternalError, storage_fault
from ..core.files import flush, read_json, read_own, write_bytes, write_json
from ..core.paths import CALL_MAX, TaskFiles
from .records import with_labels, with_state
from .restoring import kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from typing import Any

    from ..core.model import Task

_WHAT = "the task's directory"


class SpecFiles:
    """These files in the directories of tasks below `root`."""

    def __init__(self, root: str) -> None:
        self._root = root

    def _files(self, task_id: str) -> TaskFiles:
        return TaskFiles(os.path.join(self._root, task_id))

    def write(self, spec: Mapping[str, Any], *, durable: bool = True) -> None:
        """Write a task's spec. On failure (StorageFull) the old one is unchanged."""
        try:
            write_json(self._files(spec["id"]).spec, spec, durable=durable)
        except OSError as error:
            raise storage_fault(error, _WHAT) from error

    def create(
        self, spec: Mapping[str, Any], env: Mapping[str, str] | None = None, function: bytes | None = None
    ) -> None:
        """Write the spec of a new task, its environment if it is pending, and its call if it runs a function. They are
        on disk after `flush`. Raises StorageFull.
        """
        if function is not None:
            try:
                write_bytes(self._files(spec["id"]).function, function)
            except OSError as error:
                raise storage_fault(error, _WHAT) from error
        if env is not None:
            self.write_environment(spec["id"], env, durable=False)
        self.write(spec, durable=False)

    def flush(self, task_id: str) -> None:
        """Flush the files written by `create` to disk. Raises StorageFull or InternalError."""
        files = self._files(task_id)
        try:
            flush((files.spec, files.environment, files.function))
        except OSError as error:
            raise storage_fault(error, _WHAT) from error

    def respec(self, task: Task) -> AbstractContextManager[None]:
        """Write the state, attempt and labels of a task to its spec. Enter it within the transaction that changes them.

        See `replaced`.
        """
        return self.replaced(self.next(task))

    def next(self, task: Task) -> dict[str, Any]:
        """Return the spec of a task with the state, attempt and labels of `task`. Raises InternalError if the spec is
        missing or damaged.
        """
        # Older versions stored the whole environment in the spec.
        spec = {name: value for name, value in self.read(task.id).items() if name != "env"}
        return with_state(spec, task)

    def labeled(self, task: Task) -> dict[str, Any]:
        """Return the spec of a task with the labels of `task`. Raises InternalError like `next`."""
        return with_labels(self.read(task.id), task)

    @contextmanager
    def revised(self, task: Task, spec: Mapping[str, Any], env: Mapping[str, str]) -> Iterator[None]:
        """Replace the spec and the environment of a task that has not started yet. Enter it within the transaction that
        changes the task. See `replaced`.
        """
        old = self.read_environment(task.id)
        with self.replaced(with_state(spec, task)):
            self.write_environment(task.id, env)
            try:
                yield
            except BaseException:
                if old is not None:
                    self.write_environment(task.id, old)
                raise

    @contextmanager
    def replaced(self, spec: Mapping[str, Any]) -> Iterator[None]:
        """Replace a task's spec, and restore the old one if the block raises.

        Enter it within a database transaction, which excludes other servers. On failure (StorageFull) the old spec is
        unchanged.
        """
        with ExitStack() as together:
            try:
                together.enter_context(kept(self._files(spec["id"]).spec))
            except OSError as error:
                raise storage_fault(error, _WHAT) from error
            self.write(spec)
            yield

    def read(self, task_id: str) -> dict[str, Any]:
        """Return a task's spec. Raises InternalError if it is missing or damaged."""
        spec = read_json(self._files(task_id).spec)
        if spec is None or spec.get("id") != task_id:
            raise InternalError(f"spec.json of task {task_id} is missing or damaged")
        return spec

    def write_environment(self, task_id: str, env: Mapping[str, str], *, durable: bool = True) -> None:
        """Store the environment of a task that starts later, readable by its owner only. Raises StorageFull."""
        try:
            write_json(self._files(task_id).environment, dict(env), durable=durable)
        except OSError as error:
            raise storage_fault(error, _WHAT) from error

    def read_environment(self, task_id: str) -> dict[str, str] | None:
        """Return the environment saved by `write_environment`; None if there is none."""
        return read_json(self._files(task_id).environment)

    def keeps_environment(self, task_id: str) -> bool:
        """Return whether there is an environment saved by `write_environment`."""
        return os.path.exists(self._files(task_id).environment)

    def forget_environment(self, task_id: str) -> None:
        """Delete the environment saved by `write_environment`: the task will not be retried."""
        with suppress(OSError):
            os.unlink(self._files(task_id).environment)

    def read_function(self, task_id: str) -> bytes:
        """Return the call that a task runs. Raises InternalError if it cannot be read."""
        try:
            return read_own(self._files(task_id).function, CALL_MAX)
        except OSError as error:
            raise storage_fault(error, "the function of the task cannot be read") from error
