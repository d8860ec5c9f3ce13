"""The reader of one attempt's output: bytes in, current progress out."""

from __future__ import annotations

import re
from dataclasses import replace

from ..terminal.vt import complete
from .bar_rows import Rows
from .bars import is_half, read_bar
from .fragments import WINDOW, Fragment, Splitter
from .lines import read_line
from .osc import OscReport, parse_osc
from .rate import Rate
from .summary import of_report, of_tracks
from .tracks import Tracks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .counts import Match
    from .value import Progress

# A quick check, in microseconds, that output may have progress: a count, a percentage, or a counter without a total,
# after words that are followed by a number.
_COUNT = re.compile(rb"[0-9](?:[kKMGTPiB]{0,3} ?/ ?[0-9?U]| ?%| ?(?:out )?of ?[0-9]|[A-Za-z]* \[[0-9]|\]\t)")
_COUNTER = re.compile(rb"(?:tep|poch|ter|tion|ound|atch|pisode|pdate|TEP|POCH|TER)[\W_]{0,3}[0-9]")
_SIGNS = (
    *((hint, _COUNT) for hint in (b"%", b"/", b"of ", b" [", b"]\t")),
    *((hint, _COUNTER) for hint in (b"tep", b"poch", b"ter", b"ound", b"atch", b"pisode", b"pdate", b"TEP", b"POCH")),
)
#: Maximum number of bytes of such a match that may be in the previous piece.
_LONGEST_HINT = 24
_SWITCH = re.compile(rb"\x1b\[\?(?:47|1047|1049)([hl])")
#: After completion, progress remains for this many lines of other output, or any within this many seconds.
_FEW_LINES = 8
_SHORTLY = 3.0
#: Longer lines are not bars, and have no progress.
_LONGEST_LINE = 512


class ProgressReader:
    """Reads the progress of a task; one for each attempt.

    Reports by OSC 9;4 and the helper take precedence over bars and lines until they are cleared. They are searched for
    in all output, bars and lines in the last `fragments.WINDOW` bytes of each piece.

    The fraction never falls within a `phase`.
    """

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._finished: Progress | None = None  # completed before other output came
        self._fed = False
        self._cut = b""  # an incomplete sequence or character
        self._reported: OscReport | None = None
        self._alternate = False  # a full-screen program is active
        self._splitter = Splitter()
        self._rows = Rows()
        self._tracks = Tracks()
        self._rate = Rate()
        self._phase = 0
        self._source = ""
        self._changes = 0  # of the source, and decreases of the reported fraction

    @property
    def progress(self) -> Progress | None:
        """The current progress; the last one, once the attempt has ended."""
        return self._progress

    @property
    def phase(self) -> int:
        """How often progress has started over: with another bar, the same bar from the start, or another source."""
        return self._phase

    def feed(self, data: bytes, now: float, *, gap: bool = False) -> Progress | None:
        """Read new output, at `now` (Unix seconds), and return the current progress, None if there is none.

        With a `gap`, output between the last piece and this one is missing; the very first piece is assumed to start
        at the beginning of a line. Never raises.
        """
        if gap and self._fed:
            self._cut = b""
            self._splitter.lose()
            self._rows = Rows()
        self._fed = True
        data = self._cut + data
        end = complete(data)
        if len(data) - end > WINDOW:
            end = len(data)
        self._cut = data[end:]
        data = data[:end]
        self._read_sequences(data)
        tracks = self._read_text(self._on_normal_screen(data))
        if self._reported is not None:
            self._keep(of_report(self._reported), "reported", now)
        elif not tracks.counts:
            self._progress = self._finished = None
        elif self._is_over(tracks, now):
            self._finished, self._progress = self._progress or self._finished, None
        else:
            self._keep(of_tracks(tracks), "read", now, tracks.phase)
        return self._progress

    def end(self, succeeded: bool, now: float) -> Progress | None:
        """Note that the attempt has ended, and return its last progress: complete if there was any and the attempt
        succeeded; otherwise unchanged.
        """
        last = self._progress or (self._finished if succeeded else None)
        if last is not None and succeeded:
            done = last.done if last.total is None else last.total
            last = replace(last, fraction=1.0, done=done, state="normal", eta=None, updated=now)
        elif last is not None:
            last = replace(last, eta=None)
        self._progress = last
        return last

    def _is_over(self, tracks: Tracks, now: float) -> bool:
        """Return whether this was completed a while ago and other output followed: it was not the whole task."""
        last = self._progress or self._finished
        is_late = last is not None and now - last.updated > _SHORTLY
        return tracks.others > (0 if is_late else _FEW_LINES)

    def _read_sequences(self, data: bytes) -> None:
        for each in parse_osc(data):
            before = self._reported
            if not each.state:
                self._reported = None
                continue
            if before is not None and each.fraction is None and each.state in ("error", "paused"):
                each = replace(each, fraction=before.fraction)  # noqa: PLW2901
            self._reported = each

    def _read_text(self, data: bytes) -> Tracks:
        """Return the tracks including the last fragment, which may continue; the stored tracks do not include it."""
        begun = self._splitter.open
        tail = begun[-_LONGEST_HINT:].encode() + data[-WINDOW:]
        is_done = self._tracks.fraction == 1.0 and self._tracks.others <= _FEW_LINES
        if not is_done and not _may_tell(tail) and not (begun and _may_tell(begun.encode())):
            self._splitter.skip(data)
            return self._tracks
        tracks, rows = self._tracks, self._rows
        for fragment in self._splitter.split(data):
            self._tracks, self._rows = tracks, rows
            match = self._read_fragment(fragment)
            depth, rows = rows.after(fragment, match)
            if match is not None:
                tracks = tracks.after(match, depth)
            elif fragment.ended and tracks.fraction == 1.0:
                tracks = replace(tracks, others=tracks.others + 1)
        return tracks

    def _on_normal_screen(self, data: bytes) -> bytes:
        """Return output that is not from full-screen programs: htop's meters and vim's ruler are not progress."""
        drawn, start = [], 0
        for switch in _SWITCH.finditer(data) if b"\x1b[?" in data else ():
            if not self._alternate:
                drawn.append(data[start : switch.start()])
            self._alternate, start = switch[1] == b"h", switch.end()
        if start == 0:
            return b"" if self._alternate else data
        if not self._alternate:
            drawn.append(data[start:])
        return b"".join(drawn)

    def _read_fragment(self, fragment: Fragment) -> Match | None:
        text = fragment.text
        if len(text) > _LONGEST_LINE:
            return None
        if not fragment.ended and is_half(text):
            return None
        match = read_bar(text) or read_line(text, over=fragment.over, ended=fragment.ended)
        if match is None or fragment.ended:
            return match
        # An open fragment may be cut: "3/1" of "3/10", "33%" of "33%|███ | 1/3". A known total is complete.
        last, known = match.counts[-1], self._tracks.counts
        if any(map(last.continues, known)):
            return match
        if text[-1].isdigit() or text[-1] == "%" or any(map(last.is_of, known)):
            return None
        # The rise after it shows that tqdm draws a bar below others.
        below = match.source == "tqdm" and any(each.slot.startswith("bar") and not each.complete for each in known)
        return None if below else match

    def _keep(self, progress: Progress, source: str, now: float, phase: int = 0) -> None:
        last = self._progress
        fell = source == "reported" and last is not None and (progress.fraction or 1.0) < (last.fraction or 0.0)
        if source != self._source or fell:
            self._changes += bool(self._source)
            self._source = source
        if phase + self._changes != self._phase:
            self._phase, self._rate = phase + self._changes, Rate()
        if progress.fraction is not None:
            self._rate.take(progress.fraction, now)
            if progress.eta is None:
                progress = replace(progress, eta=self._rate.eta)
        if last is None or replace(progress, updated=last.updated) != last:
            self._progress = replace(progress, updated=now)


def _may_tell(data: bytes) -> bool:
    tried: re.Pattern[bytes] | None = None
    for hint, sign in _SIGNS:
        if sign is not tried and hint in data:
            if sign.search(data):
                return True
            tried = sign
    return False
