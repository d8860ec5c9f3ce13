"""Notices at once that ptyhosts have ended: those that were killed cannot wake the scheduler."""

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
        """Watch these processes and no others; return whether that is possible for all. None is one whose pid is not
        known.
        """
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
        """Take note of what `poll` has returned: an end is told once."""
        for pid, descriptor in list(self._descriptors.items()):
            if descriptor in ready:
                self._leave(pid)

    def close(self) -> None:
        """Watch nothing any more."""
        self.watch(())

    def _leave(self, pid: int | None) -> None:
        descriptor, self._descriptors[pid] = self._descriptors[pid], _NONE
        if descriptor != _NONE:
            self._poll.unregister(descriptor)
            os.close(descriptor)
