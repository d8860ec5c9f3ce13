"""Following a task's output through bounded requests: by bytes, and by lines."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .outcome import is_live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .api import Client
    from .types import Ansi, Mode, Piece, Task, Text

#: Bytes asked for at a time.
_BLOCK = 1 << 20
#: Seconds between two looks at a task: while something comes, growing by a half up to the most.
_QUICK = 0.05
_SLOW = 1.0
#: Lines asked for at a time; the server cuts by bytes too.
_LINES = 20_000
#: Bytes of a line, about.
_LINE = 200


class Pace:
    """How long to wait for news of a task: shortly when there was some, longer the longer there was none."""

    def __init__(self, client: Client, ref: str) -> None:
        self._client = client
        self._ref = ref
        self._pause = _QUICK

    def hurry(self) -> None:
        """Something came; there may soon be more."""
        self._pause = _QUICK

    def wait(self) -> Task:
        """Wait a while, or until the task has ended, and give it."""
        pause, self._pause = self._pause, min(self._pause * 1.5, _SLOW)
        return self._client.retrying(self._client.wait_once, self._ref, pause)


def follow(client: Client, ref: str, since: int) -> Iterator[Piece]:
    """See Client.follow."""
    task = client.retrying(client.get, ref)
    ref, live = task["id"], is_live(task)
    pace = Pace(client, ref)
    position = since
    while True:
        # Whether it is live was asked before this is read: nothing that it wrote until its end is missed.
        piece = client.retrying(client.raw, ref, position, _BLOCK)
        position = piece.next
        if piece.data or piece.lost:
            pace.hurry()
            yield piece
        if not piece.data:
            if not live:
                return
            live = is_live(pace.wait())


def lines(
    client: Client, ref: str, *, since: int, tail: int | None, grep: str | None, ansi: Ansi, follow: bool
) -> Iterator[Text]:
    """See Client.lines."""
    ref = client.retrying(client.get, ref)["id"]
    pace = Pace(client, ref)
    mode: Mode = "full" if tail is None else "tail"
    ask = partial(client.output, tail_lines=tail, max_lines=_LINES, grep=grep, ansi=ansi, final=follow)
    while True:
        text = client.retrying(ask, ref, since=since, mode=mode)
        if text["output"] or text["next_line"] > since:
            pace.hurry()
            yield text
        mode, since = "full", text["next_line"]
        if not text["more"]:
            if text["ended"] or not follow:
                return
            pace.wait()


def tail_offset(client: Client, ref: str, count: int) -> int:
    """See Client.tail_offset."""
    end = client.raw(ref, 0, 0).end
    window = max(count, 1) * _LINE
    while True:
        piece = client.raw(ref, max(end - window, 0), min(window, end))
        data = piece.data
        # The feed at the very end closes the last line, and begins none.
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
