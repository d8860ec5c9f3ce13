"""Follows a task's output with bounded requests, by bytes and by lines."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .outcome import is_live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .literals import Ansi, Mode
    from .output import OutputMethods
    from .piece import Piece
    from .types import Task, Text

#: Bytes per request.
_BLOCK = 1 << 20
#: Seconds between two polls: right after output, and at most. The pause grows by half each time.
_QUICK = 0.05
_SLOW = 1.0
#: Lines per request; the server also limits the bytes.
_LINES = 20_000
#: Estimated bytes per line.
_LINE = 200


class Backoff:
    """Waits between polls of a task; each pause is longer than the previous one, until `reset`."""

    def __init__(self, client: OutputMethods, ref: str) -> None:
        self._client = client
        self._ref = ref
        self._pause = _QUICK

    def reset(self) -> None:
        """Start over with a short pause, after new output."""
        self._pause = _QUICK

    def wait(self) -> Task:
        """Wait for one pause, or until the task has ended, and return it."""
        pause, self._pause = self._pause, min(self._pause * 1.5, _SLOW)
        return self._client.retrying(self._client.wait_once, self._ref, pause)


def follow(client: OutputMethods, ref: str, since: int) -> Iterator[Piece]:
    """See OutputMethods.follow."""
    task = client.retrying(client.get, ref)
    ref, live = task["id"], is_live(task)
    backoff = Backoff(client, ref)
    position = since
    while True:
        # `live` was determined before this read, so the output up to the end is complete.
        piece = client.retrying(client.raw, ref, position, _BLOCK)
        position = piece.next
        if piece.data or piece.lost:
            backoff.reset()
            yield piece
        if not piece.data:
            if not live:
                return
            live = is_live(backoff.wait())


def lines(
    client: OutputMethods, ref: str, *, since: int, tail: int | None, grep: str | None, ansi: Ansi, follow: bool
) -> Iterator[Text]:
    """See OutputMethods.lines."""
    ref = client.retrying(client.get, ref)["id"]
    backoff = Backoff(client, ref)
    mode: Mode = "full" if tail is None else "tail"
    ask = partial(client.output, tail_lines=tail, max_lines=_LINES, grep=grep, ansi=ansi, final=follow)
    while True:
        text = client.retrying(ask, ref, since=since, mode=mode)
        if text["output"] or text["next_line"] > since:
            backoff.reset()
            yield text
        mode, since = "full", text["next_line"]
        if not text["more"]:
            if text["ended"] or not follow:
                return
            backoff.wait()


def tail_offset(client: OutputMethods, ref: str, count: int) -> int:
    """See OutputMethods.tail_offset."""
    end = client.raw(ref, 0, 0).end
    window = max(count, 1) * _LINE
    while True:
        piece = client.raw(ref, max(end - window, 0), min(window, end))
        data = piece.data
        # A line feed at the very end does not start another line.
        at = len(data) - 1 if data.endswith(b"\n") else len(data)
        for _ in range(count):
            at = data.rfind(b"\n", 0, at)
            if at < 0:
                break
        else:
            return piece.offset + at + 1 if count else piece.next
        if piece.offset <= piece.start:
            return piece.start
        window *= 4
