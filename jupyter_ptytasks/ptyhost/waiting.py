"""When a ptyhost checks whether the program is waiting for input, and what it remembers.

It looks when output has fallen silent, and now and then as long as the silence lasts: never in a flood, and never so
often that it costs more than a two-thousandth of a processor. No descriptors and no clock: the host has them.
"""

from __future__ import annotations

from ..core.waiting import classify as waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..core.waiting.classify import Evidence

#: Seconds of silence after which it looks, and seconds between two looks when the silence has lasted. Until then the
#: next look is due when the silence is longer by this share: what the program does now it may have begun just before.
SILENCE = 0.3
AGAIN = 2.0
_SLOWER = 0.6
#: Seconds after which it looks once more before it believes that a program with several threads waits: one may compute.
_DOUBT = 0.1
#: The share of a processor that several threads may use while they wait, and seconds that are within the error.
_IDLE = 0.05
_ERROR = 0.02
#: Seconds for which output may flow without silence until a program that has waited does not wait any more.
_FLOW = 1.0
#: Looking takes at most one of so many seconds; what the loop does around it takes up to half as much again.
_RARELY = 3000
#: What ends a line, or the program, where the terminal gives whole lines.
_ENDS = frozenset(b"\r\n\x03\x04\x1a\x1c")


class Watch:
    """Whether the program waits: `value` is the JSON of it, None if it does not.

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
        #: When output last came, when it last began to come after a silence, and when anything last came or was typed.
        self._output = self._began = self._last = 0.0
        #: When it last looked in this silence, and the seconds that the program had computed then.
        self._before: tuple[float, float] | None = None
        #: The prompt as it was when it last looked, and the number of its line; None if that may have changed.
        self._shown: tuple[str, int] | None = None
        #: The last prompt, the number of its line, and since when it is there: what is typed behind it is not part.
        self._stem = ("", -1, 0.0)
        self.value: dict[str, Any] | None = None

    def note_output(self, now: float) -> bool:
        """Note that there was output; return whether `value` has changed. The next look is due after SILENCE."""
        if now - self._output >= SILENCE:
            self._began = now
        self._output = self._last = now
        self._before = self._shown = None
        return now - self._began > _FLOW and self.clear()

    def note_input(self, data: bytes, now: float) -> bool:
        """Note that `data` was typed, which may be what the program waits for; return whether `value` has changed."""
        self._last = now
        self._before = self._shown = None
        mode = self._mode()
        return (mode is None or not mode[0] or not _ENDS.isdisjoint(data)) and self.clear()

    def clear(self) -> bool:
        """Note that the program does not wait; return whether `value` has changed."""
        had, self.value = self.value, None
        return had is not None

    def confirm(self) -> bool:
        """Return whether the program still waits, as far as can be seen."""
        if self.value is None:
            return False
        evidence = self._look()
        evidence.busy = False  # another thread may be; one of them reads
        found = waiting.classify(evidence, self._mode(), waiting.UNSURE_AFTER, self.value["prompt"])
        return found is not None and found[0] == self.value["kind"]

    def look(self, now: float, cost: Callable[[], float], clock: float) -> tuple[bool, float]:
        """Look whether the program waits, at `now` and `clock` (Unix seconds). Return whether `value` has changed, and
        after how many seconds of silence it is to look again. `cost` returns the processor's seconds used so far.
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
        """Return whether the program has used a processor since the last look in this silence."""
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
