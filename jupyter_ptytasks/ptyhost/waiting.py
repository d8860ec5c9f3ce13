"""When a ptyhost checks whether the program is waiting for input, and what it remembers.

It checks when the output pauses, and again at increasing intervals during the pause: never in a flood, and never so
often that it costs more than a two-thousandth of a processor. No descriptors and no clock: the host has them.
"""

from __future__ import annotations

from ..core.waiting import classify as waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..core.waiting.classify import Evidence

#: Seconds without output before the first check, and the most seconds between two checks. Until then, the interval is
#: this share of the time without output.
SILENCE = 0.3
AGAIN = 2.0
_SLOWER = 0.6
#: Seconds until a second check that confirms that a program with several threads waits: one of them may be computing.
_DOUBT = 0.1
#: The share of a processor that several threads may use while they wait, and the error of the measurement in seconds.
_IDLE = 0.05
_ERROR = 0.02
#: Seconds of continuous output after which a program no longer counts as waiting.
_FLOW = 1.0
#: A check may take at most one in this many seconds; the loop needs up to half as much in addition.
_RARELY = 3000
#: The bytes that end a line, or the program, in line mode.
_ENDS = frozenset(b"\r\n\x03\x04\x1a\x1c")


class Watch:
    """Whether the program waits: `value` is the JSON for STATUS; None if it does not.

    `look` returns the evidence, `mode` the mode of the terminal, `prompt` the unfinished last line and the number of
    lines before it. Times are monotonic seconds.
    """

    __slots__ = ("_before", "_began", "_last", "_look", "_mode", "_output", "_prompt", "_shown", "_stem", "value")

    def __init__(
        self,
        look: Callable[[], Evidence],
        mode: Callable[[], tuple[bool, bool] | None],
        prompt: Callable[[], tuple[str, int]],
    ) -> None:
        self._look = look
        self._mode = mode
        self._prompt = prompt
        #: When output last arrived, when it last started after a pause, and when there was last output or input.
        self._output = self._began = self._last = 0.0
        #: The time of the last check in this pause, and the processor seconds of the program at that time.
        self._before: tuple[float, float] | None = None
        #: The prompt at the last check, and the number of its line; None if it may have changed.
        self._shown: tuple[str, int] | None = None
        #: The last prompt, without what is typed after it, the number of its line, and since when it is shown.
        self._stem = ("", -1, 0.0)
        self.value: dict[str, Any] | None = None

    def note_output(self, now: float) -> bool:
        """Note that there was output; return whether `value` has changed. The next check is due after SILENCE."""
        if now - self._output >= SILENCE:
            self._began = now
        self._output = self._last = now
        self._before = self._shown = None
        return now - self._began > _FLOW and self.clear()

    def note_input(self, data: bytes, now: float) -> bool:
        """Note that `data` was typed, which the program may have waited for; return whether `value` has changed."""
        self._last = now
        self._before = self._shown = None
        mode = self._mode()
        return (mode is None or not mode[0] or not _ENDS.isdisjoint(data)) and self.clear()

    def clear(self) -> bool:
        """Note that the program does not wait; return whether `value` has changed."""
        had, self.value = self.value, None
        return had is not None

    def confirm(self) -> bool:
        """Return whether the program still waits, as far as can be determined."""
        if self.value is None:
            return False
        evidence = self._look()
        evidence.busy = False  # another thread may be; one of them reads
        found = waiting.classify(evidence, self._mode(), waiting.UNSURE_AFTER, self.value["prompt"])
        return found is not None and found[0] == self.value["kind"]

    def look(self, now: float, cost: Callable[[], float], clock: float) -> tuple[bool, float]:
        """Check whether the program waits, at `now` and `clock` (Unix seconds). Return whether `value` has changed, and
        the seconds until the next check, if nothing happens. `cost` returns the processor seconds used here so far.
        """
        begun = cost()
        evidence, quiet = self._look(), now - self._last
        if not evidence.alone and self._computes(evidence.cpu, now):
            evidence.busy = True
        is_first, self._before = self._before is None, (now, evidence.cpu)
        if self._shown is None and (evidence.reads or not evidence.told):
            self._shown = self._prompt()
        prompt, line = self._shown or ("", -1)
        found = waiting.classify(evidence, self._mode(), quiet, prompt)
        if evidence.reads and is_first and not evidence.alone and self.value is None:
            return False, _DOUBT
        changed = self._set(found, prompt, line, clock - quiet)
        if found is None and (evidence.relay or not evidence.told) and quiet < waiting.UNSURE_AFTER:
            return changed, waiting.UNSURE_AFTER - quiet
        return changed, max(min(AGAIN, quiet * _SLOWER), (cost() - begun) * _RARELY)

    def _computes(self, cpu: float, now: float) -> bool:
        """Return whether the program has computed since the last check in this pause."""
        if self._before is None:
            return False
        then, used = self._before
        return cpu - used > max(_ERROR, _IDLE * (now - then))

    def _set(self, found: tuple[str, bool] | None, prompt: str, line: int, since: float) -> bool:
        if found is None:
            return self.clear()
        kind, sure = found
        stem, of_line, began = self._stem
        if of_line == line and stem and prompt.startswith(stem):
            prompt, since = stem, began
        elif self.value is not None and self.value["kind"] == kind and self.value["prompt"] == prompt:
            since = self.value["since"]
        self._stem = (prompt, line, since)
        value = {"kind": kind, "prompt": prompt, "since": since, "sure": sure}
        changed, self.value = value != self.value, value
        return changed
