"""What can be done with a task: stopping, pausing, restarting, moving and deleting it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .reference import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from ..client.literals import Place


class Verbs(Reference):
    """The part of a task that changes it; the rest is in `task`."""

    def stop(self, *, grace: float | None = None, signals: Sequence[str] | None = None) -> Self:
        """Start the stop sequence and return self; use `wait` to wait for the end.

        Args:
            grace: seconds after each signal.
            signals: names of signals; by default SIGINT, SIGTERM, SIGKILL, or those the task was started with.
        """
        with self._connections.client() as client:
            return self._take(client.stop(self.id, grace=grace, signals=signals))

    def pause(self) -> Self:
        """Pause the task (SIGSTOP), and return self."""
        with self._connections.client() as client:
            return self._take(client.pause(self.id))

    def resume(self) -> Self:
        """Resume the task, and return self."""
        with self._connections.client() as client:
            return self._take(client.resume(self.id))

    def restart(self, *, grace: float | None = None, signals: Sequence[str] | None = None) -> Self:
        """Run the task again under the same id, and return self. A live task is stopped first, as by `stop`.

        New output is appended to the old.
        """
        with self._connections.client() as client:
            return self._take(client.restart(self.id, grace=grace, signals=signals))

    def hold(self) -> Self:
        """Keep the task from being started before `release` if it is queued, and return self."""
        with self._connections.client() as client:
            return self._take(client.hold(self.id))

    def release(self) -> Self:
        """Release the task if it is held, and return self."""
        with self._connections.client() as client:
            return self._take(client.release(self.id))

    def move(
        self,
        *,
        before: str | Reference | None = None,
        after: str | Reference | None = None,
        to: Place | None = None,
        group: str | None = None,
    ) -> Self:
        """Move the pending task within its group, or to another one, and return self.

        Args:
            before: start it right before this task of the group (or its name or id).
            after: start it right after this one.
            to: `first` or `last`: before or after all others.
            group: move it to this group, to the last position unless another one is given.
        """
        refs = {
            name: ref.id if isinstance(ref, Reference) else ref for name, ref in (("before", before), ("after", after))
        }
        with self._connections.client() as client:
            return self._take(client.move(self.id, **refs, to=to, group=group))

    def signal(self, signal: str) -> Self:
        """Send a signal to all processes of the task, and return self."""
        with self._connections.client() as client:
            client.signal(self.id, signal)
        return self

    def delete(self, *, stop: bool = False) -> None:
        """Delete the task and its output.

        Args:
            stop: stop the task first if it is live.
        """
        with self._connections.client() as client:
            client.delete(self.id, stop=stop)


def _id(task: str | Reference | None) -> str | None:
    return task.id if isinstance(task, Reference) else task
