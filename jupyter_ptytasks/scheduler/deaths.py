"""Notices immediately when ptyhosts end: those that are killed cannot wake the scheduler."""

from __future__ import annotations

import os

from ..core.platform import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

#: In place of a descriptor, for a process that cannot be watched, or whose end has been noticed.
_NONE = -1


class Deaths:
    """Makes `poll` return when a process ends. Call `close` when done."""

    def __init__(self, poll: events.Poll) -> None:
        self._poll = poll
        self._descriptors: dict[int | None, int] = {}

    def watch(self, pids: Iterable[int | None]) -> bool:
        """Watch exactly these processes; return whether all can be watched. None is a process with an unknown pid."""
        wanted = set(pids)
        for pid in self._descriptors.keys() - wanted:
            self._leave(pid)
            del self._descriptors[pid]
        for pid in wanted - self._descriptors.keys():
            descriptor = None if pid is None else events.end_of(pid)
            self._descriptors[pid] = _NONE if descriptor is None else descriptor
            if descriptor is not None:
                self._poll.register(descriptor, events.READ)
        return _NONE not in self._descriptors.values()

    def noticed(self, ready: Iterable[int]) -> None:
        """Process the descriptors that `poll` has returned, so that each end is reported once."""
        for pid, descriptor in list(self._descriptors.items()):
            if descriptor in ready:
                self._leave(pid)

    def close(self) -> None:
        """Stop watching."""
        self.watch(())

    def _leave(self, pid: int | None) -> None:
        descriptor, self._descriptors[pid] = self._descriptors[pid], _NONE
        if descriptor != _NONE:
            self._poll.unregister(descriptor)
            os.close(descriptor)
