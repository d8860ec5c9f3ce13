"""The client's methods that act on a task: stop, pause, restart and move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .connection import SLOW, Connection, path_of, without_none

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .literals import Place, Target
    from .types import Task


class VerbMethods(Connection):
    """Verbs of a task. Those that return a task return its new state."""

    def hold(self, ref: str) -> Task:
        """Keep a queued task from being started before `release`."""
        return self._task("POST", path_of(ref, "hold"))

    def release(self, ref: str) -> Task:
        """Release a held task."""
        return self._task("POST", path_of(ref, "start"))

    def move(
        self,
        ref: str,
        *,
        before: str | None = None,
        after: str | None = None,
        to: Place | None = None,
        group: str | None = None,
    ) -> Task:
        """Move a pending task right `before` or `after` another one in its group, or `to` the first or last position.

        Args:
            group: move it to this group, to the last position unless another one is given.
        """
        given = without_none({"before": before, "after": after, "to": to, "group": group})
        return self._task("POST", path_of(ref, "move"), json=given)

    def stop(self, ref: str, *, grace: float | None = None, signals: Sequence[str] | None = None) -> Task:
        """Start the stop sequence of a task, and return.

        Args:
            grace: seconds after each signal; by default those of the task.
            signals: names of signals; by default those of the task.
        """
        return self._task("POST", path_of(ref, "stop"), json=without_none({"grace": grace, "signals": signals}))

    def end_leftover(self, ref: str) -> Task:
        """End the processes that a finished task left running.

        Returns the task; its `leftover` counts the processes that could not be ended.
        """
        return self._task("DELETE", path_of(ref, "leftover"), timeout=SLOW)

    def pause(self, ref: str) -> Task:
        """Pause a task (SIGSTOP)."""
        return self._task("POST", path_of(ref, "pause"))

    def resume(self, ref: str) -> Task:
        """Resume a paused task."""
        return self._task("POST", path_of(ref, "resume"))

    def restart(self, ref: str, *, grace: float | None = None, signals: Sequence[str] | None = None) -> Task:
        """Run a task again, under the same id. A live task is stopped first, as by `stop`."""
        return self._task("POST", path_of(ref, "restart"), json=without_none({"grace": grace, "signals": signals}))

    def signal(self, ref: str, signal: str, *, target: Target = "tree") -> None:
        """Send a signal to the whole process `tree`, the `foreground` process group, or the command only (`leader`)."""
        self._transport.request("POST", path_of(ref, "signal"), json={"signal": signal, "target": target})

    def resize(self, ref: str, rows: int, cols: int) -> None:
        """Set the size of the task's terminal."""
        self._transport.request("POST", path_of(ref, "resize"), json={"rows": rows, "cols": cols})
