"""The step of a value, from the nearest epoch, iteration or count of a bar."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field

from . import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: "ms/batch 12.2" and "sec/step", "time per step: 0.3" are speeds.
_WORD = re.compile(
    r"(?<![A-Za-z])(?<!s/)(?<!c/)(?<!per[ _])"
    r"(epochs?|global[_ ]?step|steps?|iterations?|iters?|it|rounds?|episodes?|updates?|batch(?:es)?|generation|trial)"
    r"[\"']?(?:\([^()]*\))?[\s:=#\[(]{1,8}[\"']?\s*([0-9][0-9,]*(?:\.[0-9]+)?)(?![\w]|\.\w|:\w)(?:\s*(?:/|of)\s*([0-9]+))?",
    re.IGNORECASE,
)
#: What is written together with what comes next.
_LAST = re.compile(r"[\w/.-]*\Z")
#: "47/469 [00:01<", "[6400/60000 (11%)]", "15/15 ━━━".
_COUNT = re.compile(r"(?<![\w./:,-])([0-9]+)/([0-9]+)(?=\s*(?:[\[(\])|━]|$)|\s)")
#: "11/27 03:00:01" at the beginning of a line is a date.
_DATE = re.compile(r"\W*[0-9]{1,2}/[0-9]{1,2}(?= [0-9]{2}:[0-9]{2}:[0-9]{2})")
#: "[10]	train-rmse:", "10:	learn:".
_NUMBERED = re.compile(r"\s*(?:\[([0-9]+)\](?=\s)|([0-9]+):\s)")


@dataclass(frozen=True)
class Place:
    """The position given by a piece of text: the outer count (epochs), and the inner one with its total, if any.

    `named` says that a word precedes one of them.
    """

    outer: float | None = None
    inner: float | None = None
    total: int | None = None
    named: bool = False

    @property
    def known(self) -> bool:
        """Whether there is any count."""
        return self.outer is not None or self.inner is not None


def place(text: str) -> Place:
    """Return the position given by a piece of text."""
    outer = inner = None
    total = None
    for match in _WORD.finditer(text):
        word, number, of = match.groups()
        if names.kind(_LAST.findall(text, 0, match.start())[0]) == "known":
            continue  # "train_loss_step=2.3" is a loss
        value = float(number.replace(",", ""))
        if word[0] in "eE" and word[1] in "pP" and word[2] in "oO":
            outer = value if outer is None else outer
        elif inner is None or word.lower().startswith("global"):
            inner, total = value, int(of) if of else None
    named = outer is not None or inner is not None
    if inner is None:
        # Not the "1/10" of an epoch itself.
        date = _DATE.match(text)
        for match in _COUNT.finditer(text, date.end() if date else 0):
            if text[: match.start()].rstrip()[-1:] in (":", "="):
                continue  # a value: "Accuracy: 9812/10000"
            if (
                outer is not None
                and float(match[1]) == outer
                and text[: match.start()].rstrip(" :=[(").lower().endswith("epoch")
            ):
                continue
            inner, total = float(match[1]), int(match[2])
            break
    if outer is None and inner is None and (numbered := _NUMBERED.match(text)):
        inner = float(numbered[1] or numbered[2])
    return Place(outer, inner, total, named)


@dataclass
class Steps:
    """Tracks the position in the output. `take` each piece that has one."""

    #: The current epoch, and the first one.
    outer: float | None = None
    first: float | None = None
    inner: float | None = None
    #: The steps of earlier epochs, if there is no total.
    before: float = 0.0
    #: By total: the last value of a count without an outer count, and the sum of its earlier rounds.
    rounds: dict[str, list[float]] = field(default_factory=dict)
    #: Whether the inner count continues across epochs.
    runs_on: bool = False
    #: The last step, and how many pieces ago it was found.
    step: float | None = None
    age: int = 0

    def take(self, where: Place) -> float | None:
        """Return the step of a piece of text; None if nothing near it has one."""
        if not where.known:
            self.age += 1
            return self.step if self.age <= _NEAR else None
        advanced = where.outer is not None and self.outer is not None and where.outer > self.outer
        if where.outer is not None and where.outer != self.outer:
            if self.first is None or where.outer < self.first:
                self.first = min(where.outer, 1.0)
            self.outer = where.outer
        if where.inner is None:
            self.step = where.outer
        else:
            self.step = self._within(where.inner, where.total, advanced=advanced)
        self.age = 0
        return self.step

    def _within(self, inner: float, total: int | None, *, advanced: bool) -> float:
        last, self.inner = self.inner, inner
        if self.outer is None or self.first is None:
            return inner if total is None else self._round(inner, total)
        if advanced and last is not None and inner > last:
            self.runs_on = True
        if self.runs_on:
            return inner
        if total is not None:
            return (int(self.outer) - self.first) * total + inner
        if last is not None and (inner <= last if advanced else inner < last / 2):
            self.before += last
        return self.before + inner

    def _round(self, inner: float, total: int) -> float:
        """Return the step from a count that restarts repeatedly."""
        if str(total) not in self.rounds and len(self.rounds) >= _ROUNDS:
            del self.rounds[next(iter(self.rounds))]
        last, before = self.rounds.get(str(total), (inner, 0.0))
        if inner < last / 2:
            before += total
        self.rounds[str(total)] = [inner, before]
        return before + inner

    def to_json(self) -> dict[str, Any]:
        """Return the state, for `Steps(**state)`."""
        return asdict(self)


#: Number of pieces of text for which a step remains valid, and number of counts that are tracked.
_NEAR = 8
_ROUNDS = 8
