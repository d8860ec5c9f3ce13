"""The output of a task: so far, as it is written, and what its terminal shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import reading, threads
from .reference import Reference

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ..client.types import Screen


class Output(Reference):
    """The part of a task that reads its output; the rest is in `task`."""

    def output(self, tail: int | None = None, *, grep: str | None = None) -> str:
        """Return the output so far as plain text, with carriage returns applied.

        Args:
            tail: only this many last lines.
            grep: only lines that match this regular expression.
        """
        with self._connections.client() as client:
            lines = reading.finished(client.lines(self.id, tail=tail, grep=grep))
            return "".join(f"{line}\n" for line in lines)

    def follow(self, tail: int | None = None) -> Iterator[str]:
        """Iterate over the output as it is written, with colors and carriage returns, until the task has ended.

        Starts at the oldest output kept, or with the last `tail` lines. An interrupt leaves the task running.
        """
        with self._unharmed(), self._connections.client() as client:
            since = 0 if tail is None else client.tail_offset(self.id, tail)
            yield from reading.decoded(client.follow(self.id, since))

    def lines(self, tail: int | None = None, *, grep: str | None = None, follow: bool = True) -> Iterator[str]:
        """Iterate over the lines of the output as plain text without line ends, until the task has ended.

        Without `follow`, iterate over the existing lines only. For the other arguments see `output`.
        """
        with self._unharmed(), self._connections.client() as client:
            yield from reading.finished(client.lines(self.id, tail=tail, grep=grep, follow=follow))

    __iter__ = lines

    def follow_async(self, tail: int | None = None) -> AsyncIterator[str]:
        """Like `follow`, without blocking the event loop."""
        return threads.iterate(self.follow(tail))

    def lines_async(self, tail: int | None = None, *, grep: str | None = None) -> AsyncIterator[str]:
        """Like `lines`, without blocking the event loop."""
        return threads.iterate(self.lines(tail, grep=grep))

    __aiter__ = lines_async

    def screen(self) -> Screen:
        """Return the current or final screen of the task's terminal: `lines`, one for each row, `cursor`, `title`, and
        whether a full-screen program is active (`alternate`).

        Raises RequestFailed if the server lacks the extra `screen`.
        """
        with self._connections.client() as client:
            return client.screen(self.id)
