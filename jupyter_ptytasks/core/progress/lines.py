"""Lines without a bar that show progress: "Epoch [3/10], Step [100/600]", "[12/340] CC a.o", "Progress: 45%".

Other numbers are far more common in output: disk space, passed tests, dates, fractions. So a number counts only if a
word or its position says what it is.
"""

from __future__ import annotations

import re

from .counts import NUMBER, Count, Match, Rank, has_count, has_percentage, number, sane

#: Words before a count: for things that contain others, and for things within them.
_OUTER = frozenset(
    "fold trial run seed split experiment phase stage part file image video document chunk "  # noqa: SIM905  words
    "task episode generation".split()
)
_INNER = frozenset(
    "step batch minibatch iter iteration it round frame sample example item update cycle "  # noqa: SIM905  words
    "record request row cell game".split()
)
_WORD = re.compile(
    rf"(?<![A-Za-z])(?P<word>[A-Za-z]{{2,12}})[\s:=#\[(]{{1,5}}"
    rf"(?P<done>{NUMBER})\s?(?:/|of|out of)\s?(?P<total>{NUMBER})(?![\w/]|[.:]\d)\]?"
)
# "Train Epoch: 1 [640/60000 (1%)]", "Epoch: [0][ 100/5004]", "Epoch 3: ... loss=0.2"
_EPOCH = re.compile(r"\bepoch\b\s*[:=#]?\s*\[?\s*(?P<done>\d{1,12})\b\]?(?!\s*(?:/|of|\.\d))", re.IGNORECASE)
_BRACKETED = re.compile(rf"[\[(]\s*(?P<done>{NUMBER})/(?P<total>{NUMBER})(?:\s*\(\s*\d+(?:\.\d+)?%\s*\))?\s*[\])]")
# A counter without a total, and a number that belongs to it.
_COUNTER = re.compile(
    r"(?P<word>epoch|step|global[ _-]?step|iter|iteration|batch|round|episode|update)\s*[:=#]?\s*"
    r"\[?(?P<done>\d{1,12})\]?\s*[:,|\-]?\s"
    r"(?=.{0,60}?[A-Za-z]['\")]?\s?[:=]?\s{0,3}-?\d+(?:\.\d+|e-?\d+))",
    re.IGNORECASE,
)
_COUNTED = ("epoch", "step", "iter", "batch", "round", "episode", "update")
#: The text after dates and names begins within this many characters.
_HEAD = 80
# xgboost and lightgbm: "[10]\ttrain-rmse:0.26", "[10]\ttraining's l2: 0.07"
_ROUND = re.compile(r"^\[(?P<done>\d{1,12})\]\t\S.*?:\s*-?\d+\.\d+")

_KNOWN = _OUTER | _INNER | {"epoch"}


def _forms(verbs: str, ends: str = "ed|ing") -> str:
    """Return a pattern for verbs with these endings: loading, computed, scanning."""
    stems = [verb.removesuffix("e") for verb in verbs.split()]
    return "|".join(f"{stem}{stem[-1]}?(?:{ends})" for stem in stems)


#: What else may precede a count: a time, a name, and a verb.
_PREFIX = re.compile(
    r"(?:(?:\[[^\]/]*\]|\([^)/]*\)|\d[\d:.,TZ/+\-]*|INFO|DEBUG|NOTICE|WARN(?:ING)?|[\w.]+:(?=\s)|[|>*#•=~\-]+)\s*)*"
)
_DOING = _forms(
    "train validate evaluate test process run compute render convert download load analyse analyze execute generate "
    "build start begin finish complete end pretrain finetune fine-tune"
)
_BEFORE = re.compile(
    rf"\s*(?:(?:{_DOING}|the|now|start|begin|end of|done with|done|train|valid|eval|test|run|global|mini)"
    r"\s*[:,_\-]?\s*){0,2}[\[(]?\s*",
    re.IGNORECASE,
)
_RESULT = re.compile(r"\d\.\d|\d%|\b(?:loss|acc|done|took|complete|finished|time)\b|=", re.IGNORECASE)

_NINJA = re.compile(r"^(?:#\d+\s+)?\[\s*(?:[\w.\-]+\s+)?(?P<done>\d{1,12})/(?P<total>\d{1,12})\](?=\s|$)")
_DONE_TO = _forms(
    "process complete finish download upload convert compute evaluate render train index extract copy encode scan "
    "analyse analyze execute transfer migrate simulate"
)
_DID = re.compile(
    rf"^(?:{_DONE_TO}|copied)\b:?\s+(?:[a-z]+\s+)?"
    rf"(?P<done>{NUMBER})\s*(?:/|of|out of)\s*(?P<total>{NUMBER})(?![\w/.])",
    re.IGNORECASE,
)
_GIT = re.compile(rf"\b(?P<percent>\d{{1,3}})% \((?P<done>{NUMBER})/(?P<total>{NUMBER})\)")
_ALONE = re.compile(rf"^(?P<done>{NUMBER})\s?/\s?(?P<total>{NUMBER})(?P<rest>\s.*)?$")

_PERCENT = r"(?P<percent>\d{1,3}(?:\.\d+)?)\s?%"
_DOES = _forms(
    "download upload process extract unpack copy build compile install convert encode render load train write read "
    "receive resolve index analyse analyze verify scan compute simulate optimise optimize",
    "ing",
)
_PERCENTAGES = tuple(
    re.compile(each, re.IGNORECASE)
    for each in (
        # cmake, make, and pytest's at the end of a line (xdist's after the worker)
        rf"^(?:\[gw\d+\]\s*)?\[\s*{_PERCENT}\]",
        rf"(?:^|[.FEsxX]|PASSED|FAILED|SKIPPED|XFAIL|XPASS|ERROR|\))\s+\[\s*{_PERCENT}\]$",
        rf"^\(?{_PERCENT}\)?$",
        rf"^(?:total\s+|overall\s+)?progress\b[\s:=\-]*[\[(]?\s*{_PERCENT}",
        rf"^(?:{_DOES})\b[^%=]{{0,60}}?[\s:(\[]{_PERCENT}",
        rf"^(?:remote: )?[A-Z][a-z]+ [a-z]+:\s+{_PERCENT}",
        rf"^{_PERCENT}\s+(?:done|complete|completed|finished|processed|downloaded)\b",
        rf"^(?:done|complete|completed|finished|processed)\b[\s:]*{_PERCENT}",
        # rsync
        rf"^[\d,.]+[kKMGT]?\s+{_PERCENT}\s+[\d.]+[kKMGT]?i?B/s",
    )
)


def read_line(text: str, *, over: bool, ended: bool) -> Match | None:
    """Return the progress in a line; None if there is none. `over`: it overwrites an earlier line; `ended`: it is
    complete.
    """
    counts: tuple[Count, ...] = ()
    if has_count(text):
        counts = _of_words(text, ended=ended) or _of_place(text, over=over)
    counts = counts or (has_percentage(text) and _of_percentage(text)) or _without_end(text)
    return Match(counts, "text") if counts else None


def _of_words(text: str, *, ended: bool) -> tuple[Count, ...]:
    counts: dict[str, Count] = {}
    end = 0
    for found in _WORD.finditer(text):
        word = found["word"].lower()
        if word not in _KNOWN:
            word = word.removesuffix("s")
            if word not in _KNOWN:
                continue
        done, total = number(found["done"]), number(found["total"])
        if not counts and not _introduces(text[: found.start()]):
            return ()
        if not sane(done, total):
            continue
        end = found.end()
        if word in _INNER:
            # "Step 3/12 : RUN make" has begun; "step 100/2000, loss 2.3" is done.
            begun = text[end:].startswith(" : ")
            counts.setdefault("step", Count(word, done, total, word, slot="step", begun=begun))
        else:
            rank = Rank.EPOCH if word == "epoch" else Rank.OUTER
            counts.setdefault(word, Count(word, done, total, word, rank, word, begun=True))
    if not any(count.rank is Rank.EPOCH for count in counts.values()):
        epoch = _EPOCH.search(text) if "poch" in text else None
        if epoch and (counts or _introduces(text[: epoch.start()])):
            inner = _BRACKETED.search(text, epoch.end())
            if counts or inner:
                done = int(epoch["done"])
                counts["epoch"] = Count("epoch", done, None, "epoch", Rank.EPOCH, "epoch", begun=True)
                end = epoch.end()
    if "epoch" in counts and "step" not in counts:
        inner = _BRACKETED.search(text, end)
        if inner and sane(number(inner["done"]), number(inner["total"])):
            counts["step"] = Count("step", number(inner["done"]), number(inner["total"]), "step", slot="step")
    ordered = sorted(counts.values(), key=lambda count: count.rank)
    if ended and ordered and ordered[-1].begun and ordered[-1].rank < Rank.INNER and _RESULT.search(text, end):
        last = ordered[-1]
        if last.done > 0:
            ordered[-1] = Count(last.name, last.done, last.total, last.unit, last.rank, last.slot)
    return tuple(ordered)


def _introduces(before: str) -> bool:
    """Return whether the text before a count may introduce progress, rather than make it part of a sentence."""
    before = before.strip()
    if len(before) > _HEAD:
        return False
    if not before:
        return True
    prefix = _PREFIX.match(before)
    return _BEFORE.fullmatch(before, prefix.end() if prefix else 0) is not None


def _of_place(text: str, *, over: bool) -> tuple[Count, ...]:
    found = _NINJA.match(text)
    if found:
        done, total = number(found["done"]), number(found["total"])
        # It is shown when the step begins (yarn, docker), or this is unknown.
        return (Count("", done, total, "", begun=done > 0),) if sane(done, total) else ()
    found = _GIT.search(text)
    if found and abs(number(found["done"]) * 100 - int(found["percent"]) * number(found["total"])) <= number(
        found["total"]
    ):
        return (Count(text[: found.start()].strip(" :"), number(found["done"]), number(found["total"])),)
    found = _DID.match(text) or (_ALONE.match(text) if over else None)
    if found and sane(number(found["done"]), number(found["total"])):
        return (Count("", number(found["done"]), number(found["total"])),)
    return ()


def _of_percentage(text: str) -> tuple[Count, ...]:
    for pattern in _PERCENTAGES:
        found = pattern.search(text)
        if found and (percent := number(found["percent"])) <= 100:
            return (Count("", percent, 100, "%"),)
    return ()


def _without_end(text: str) -> tuple[Count, ...]:
    found = _ROUND.match(text) if text[0] == "[" else None
    if found:
        return (Count("round", int(found["done"]), None, "round", slot="step"),)
    head = text[:_HEAD].lower()
    if not any(word in head for word in _COUNTED):
        return ()
    prefix = _PREFIX.match(head)
    found = _COUNTER.match(text, prefix.end() if prefix else 0)
    if found is None:
        return ()
    word = found["word"].lower()
    rank = Rank.EPOCH if word == "epoch" else Rank.INNER
    return (Count(word, int(found["done"]), None, word, rank, "epoch" if word == "epoch" else "step"),)
