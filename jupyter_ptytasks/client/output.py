"""The client's methods for the output of a task: its lines, its bytes, its screen, and the result of a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from . import reading
from .connection import IDLE, path_of, without_none
from .piece import Piece
from .talking import TalkMethods
from .tasks import TaskMethods
from .transport import pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .literals import Ansi, Mode
    from .types import Replay, Screen, Text


class OutputMethods(TaskMethods, TalkMethods):
    """Output."""

    def output(
        self,
        ref: str,
        *,
        since: int = 0,
        mode: Mode = "full",
        head_lines: int | None = None,
        tail_lines: int | None = None,
        max_lines: int | None = None,
        grep: str | None = None,
        ansi: Ansi = "strip",
        final: bool = False,
    ) -> Text:
        """Return a bounded number of lines of the output as text, in one request. See docs/rest.md for the options.

        With `final`, lines that may still change are left out.
        """
        limits: dict[str, Any] = {"head_lines": head_lines, "tail_lines": tail_lines, "max_lines": max_lines}
        if final:
            limits["final"] = "1"
        return cast("Text", self._get(path_of(ref, "output"), since=since, mode=mode, grep=grep, ansi=ansi, **limits))

    def raw(self, ref: str, offset: int = 0, limit: int | None = None) -> Piece:
        """Return output bytes from `offset`, or from the oldest byte still kept, in one request."""
        params = without_none({"offset": max(offset, 0), "limit": limit, **IDLE})
        response = self._transport.request("GET", path_of(ref, "output/raw"), params=params)
        start, first, end = (int(response.headers[f"X-Ptytasks-{name}"]) for name in ("Start", "Offset", "End"))
        return Piece(first, response.content, start, end, lost=max(first - offset, 0))

    def follow(self, ref: str, since: int = 0) -> Iterator[Piece]:
        """Iterate over the output from offset `since` as it is written, until the task has ended.

        No byte is repeated, and `Piece.lost` counts those that were discarded before they could be read. Survives a
        restart of the server.
        """
        return reading.follow(self, ref, since)

    def lines(
        self,
        ref: str,
        *,
        since: int = 0,
        tail: int | None = None,
        grep: str | None = None,
        ansi: Ansi = "strip",
        follow: bool = False,
    ) -> Iterator[Text]:
        """Iterate over the output as text, from line `since`, or over the last `tail` lines.

        With `follow`, continue as output is written, until the task has ended: every line once, when it is unlikely to
        change.
        """
        return reading.lines(self, ref, since=since, tail=tail, grep=grep, ansi=ansi, follow=follow)

    def tail_offset(self, ref: str, count: int) -> int:
        """Return the offset at which the last `count` lines begin."""
        return reading.tail_offset(self, ref, count)

    def record(self, ref: str, *, version: Literal[2, 3] = 3, idle: float = 2.0) -> Iterator[bytes]:
        """Iterate over the bytes of a recording of the output, in the format asciicast.

        Args:
            version: of the format. Only 3 has the exit code; older players support only 2.
            idle: maximum number of seconds between two events; 0 keeps all times.

        Raises:
            ConnectionLost: also while iterating.
        """
        params = {"version": str(version), "idle": str(idle), **IDLE}
        return pieces(self._transport.request("GET", path_of(ref, "record"), params=params, stream=True))

    def replay(self, ref: str, *, offset: int | None = None, time: str | None = None, lines: int = 0) -> Replay:
        """Return the data that draws the screen as it was at an offset or a time (ISO 8601 with a UTC offset), or at
        the end, with `lines` lines of scrollback (at most 1000).
        """
        return cast("Replay", self._get(path_of(ref, "replay"), offset=offset, time=time, lines=lines))

    def screen(self, ref: str) -> Screen:
        """Return the current or final screen of a task's terminal.

        Raises RequestFailed with the code `extra_missing` if the server has no emulator.
        """
        return cast("Screen", self._get(path_of(ref, "screen"), **IDLE))

    def screen_text(self, ref: str, *, ansi: bool = False) -> str:
        """Return the same as text, without trailing empty lines; with `ansi`, with colors."""
        params = {"format": "ansi" if ansi else "text", **IDLE}
        return self._transport.request("GET", path_of(ref, "screen"), params=params).content.decode()

    def result(self, ref: str) -> bytes:
        """Return what the task's function returned or raised (functions.outcomes.result).

        Raises RequestFailed with the code `invalid_state` until it has ended for good, and `no_result` if there is no
        result: the task does not run a function, or was stopped.
        """
        return self._transport.request("GET", path_of(ref, "result"), params=dict(IDLE)).content
