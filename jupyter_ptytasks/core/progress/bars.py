"""Bars: tqdm's, and all those that draw a bar next to a percentage or count (rich, pip, keras, ultralytics, wget)."""

from __future__ import annotations

import re

from .counts import NUMBER, Count, Match, Rank, number, sane, seconds

_AMOUNT = rf"(?P<done>{NUMBER})(?P<scale>[kKMGTP]?i?B?)/(?P<total>{NUMBER}|\?)(?P<of_scale>[kKMGTP]?i?B?)"
# https://github.com/tqdm/tqdm/blob/master/tqdm/std.py, format_meter
_TQDM = re.compile(
    rf"\|[^|]*\| *{_AMOUNT} *\[[\d:? a-z]{{1,30}}<(?P<eta>[\d:?]{{1,20}})(?:, *(?P<rate>[^\],]+))?[^\]]*\]"
)
_TQDM_OPEN = re.compile(r" \[\d\d:\d\d(?::\d\d)?, *(?P<rate>[\d.?]+[^\]/]*/[^\]]*)\]")
_OPEN_AMOUNT = re.compile(rf"(?P<done>{NUMBER})(?P<scale>[kMGTP]?)(?P<unit>[A-Za-z]*)$")
_TQDM_PERCENT = re.compile(r"\d{1,3}%$")
_TQDM_BEGUN = re.compile(r"\d% ?\|")
_RATE_UNIT = re.compile(r"[\d.?]+[kMGTP]? *([A-Za-z]+)/s|s/([A-Za-z]+)")

# A drawn bar: blocks and lines that no other text contains; in ASCII it needs brackets or hashes.
_DRAWN = "━╸╺█▉▊▋▌▍▎▏▓▒░■□▰▱⣿⣀─"
_BAR = re.compile(
    rf"[{_DRAWN}]{{3,}}[{_DRAWN} ]*|\[[=#>*\-. ]*[=#>*\-]{{2}}[=#>*\-. ]*\]|\[[=#]?>? +\]|#{{3,}}[#=O\- ]*(?= )"
)
_ASCII_BARS = ("##", "[=", "[>", "[#", "[-", "[*", "[.", "[ ")
_PERCENT = rf"(?P<percent>{NUMBER}) ?%"
_COUNT = rf"(?<![\w/.:]){_AMOUNT}(?![\w/:]) ?(?P<unit>[kKMGT]?i?[Bb](?:ytes)?\b)?"
_BEHIND = re.compile(rf"^[ |\]]*(?:{_PERCENT})?(?:(?: |[\d\-?]+:[\d\-:?]+|•)*{_COUNT})?")
_BEFORE_COUNT = re.compile(rf"{_COUNT}[ |\[]{{0,4}}$")
_BEFORE_PERCENT = re.compile(rf"{_PERCENT}[ |\[]{{0,4}}$")
_KERAS_OPEN = re.compile(r"^(?P<done>\d{1,12})/Unknown\b")
_KERAS = re.compile(r"\d ?[mu]?s/(?:step|epoch)|\bETA:")

# In a label: the epoch, or the item of several, that the bar belongs to.
_EPOCH = re.compile(
    r"\bepoch\b\s*[:=#]?\s*[\[(]?\s*(?P<done>\d{1,12})(?:\s*(?:/|of)\s*(?P<total>\d{1,12}))?[\])]?", re.IGNORECASE
)
_OF = re.compile(r"(?<![\w/.])\[?(?P<done>\d{1,12})/(?P<total>\d{1,12})\]?(?![\w/.])")
_LABEL_LIMIT = 40
#: Maximum length of a number with its unit, in characters.
_AMOUNT_LIMIT = 40
_SPINNER = re.compile(r"^[⠀-⣿◐-◷|/\\\-] +")
#: The columns of ultralytics begin with the memory of the GPU.
_ULTRALYTICS = re.compile(r"^\s*[\d.]+G\b")


def read_bar(text: str) -> Match | None:
    """Return the progress of a bar; None if there is none in `text`."""
    return _read_tqdm(text) or _read_drawn(text)


def is_half(text: str) -> bool:
    """Return whether `text`, which may continue, may be an incompletely drawn bar."""
    if _TQDM_BEGUN.search(text):
        return _TQDM.search(text) is None
    drawn = _BAR.search(text)
    return text[-1] in _DRAWN or (drawn is not None and drawn.end() == len(text))


def _read_tqdm(text: str) -> Match | None:
    found = _TQDM.search(text)
    if found is None:
        return _read_open_tqdm(text)
    total = None if found["total"] == "?" else number(found["total"], found["of_scale"])
    done = number(found["done"], found["scale"])
    if not sane(done, total):
        # More than the total: tqdm itself draws no bar in this case, others do.
        return None
    count = Count("", done, total, _unit_of(found["rate"]) or "it", slot="bar")
    return _match(_TQDM_PERCENT.sub("", text[: found.start()]), count, "tqdm", seconds(found["eta"]))


def _read_open_tqdm(text: str) -> Match | None:
    found = _TQDM_OPEN.search(text)
    amount = _OPEN_AMOUNT.search(text[: found.start()][-_AMOUNT_LIMIT:]) if found else None
    if found is None or amount is None:
        return None
    unit = amount["unit"] or _unit_of(found["rate"])
    count = Count("", number(amount["done"], amount["scale"]), None, unit, slot="bar")
    return _match(text[: found.start() - len(amount[0])], count, "tqdm", None)


def _unit_of(rate: str | None) -> str:
    found = _RATE_UNIT.search(rate or "")
    return (found[1] or found[2]) if found else ""


def _read_drawn(text: str) -> Match | None:
    unknown = _KERAS_OPEN.match(text) if "/U" in text else None
    if unknown and _KERAS.search(text):
        return Match((Count("", int(unknown["done"]), None, "step", slot="bar"),), "keras", bar=True)
    drawn = _BAR.search(text) if _may_be_drawn(text) else None
    if drawn is None:
        return None
    before, behind = text[: drawn.start()], text[drawn.end() :]
    keras = False
    count = None
    amount = _BEHIND.match(behind)
    if amount and (amount["percent"] or amount["done"]):
        percent = _BEFORE_PERCENT.search(before, max(len(before) - _AMOUNT_LIMIT, 0))
        if percent:
            before = before[: percent.start()]
        count = _count(amount) or _percentage(amount["percent"])
    else:
        amount = _BEFORE_COUNT.search(before, max(len(before) - _AMOUNT_LIMIT, 0)) or _BEFORE_PERCENT.search(
            before, max(len(before) - _AMOUNT_LIMIT, 0)
        )
        if amount:
            before = before[: amount.start()]
            keras = amount.re is _BEFORE_COUNT and drawn[0][0] == "━"
            count = _count(amount) if amount.re is _BEFORE_COUNT else _percentage(amount["percent"])
    if count is None:
        return None
    source = "keras" if keras or _KERAS.search(behind) else "rich" if drawn[0][0] in "━╸╺" else "text"
    return _match(before, count, source, None)


def _may_be_drawn(text: str) -> bool:
    if text.isascii():
        return any(each in text for each in _ASCII_BARS)
    return any(each in text for each in _DRAWN)


def _count(amount: re.Match[str]) -> Count | None:
    if not amount["done"] or amount["total"] == "?":
        return None
    unit = amount["unit"] or ""
    # In 40.1/79.2 MB the unit counts for both; in 12.3MB/45MB each has its own.
    scale, of_scale = amount["scale"] or amount["of_scale"], amount["of_scale"]
    done, total = number(amount["done"], scale), number(amount["total"], of_scale)
    if not sane(done, total):
        return None
    return Count("", done, total, unit or ("B" if "B" in of_scale else ""), slot="bar")


def _percentage(digits: str | None) -> Count | None:
    if digits is None:
        return None
    percent = number(digits)
    return Count("", percent, 100, "%", slot="bar") if percent <= 100 else None


def _match(before: str, count: Count, source: str, eta: float | None) -> Match:
    """Combine the text before a bar with the count of the bar."""
    label = _SPINNER.sub("", before.strip(" :|[")).strip(" :|[\t")
    outer: Count | None = None
    epoch = _EPOCH.search(label) if "poch" in label.lower() else None
    found = epoch or (_OF.search(label) if "/" in label else None)
    if found:
        done, total = int(found["done"]), int(found["total"]) if found["total"] else None
        if sane(done, total):
            name = "epoch" if epoch or _ULTRALYTICS.match(label[found.end() :]) else ""
            rank = Rank.EPOCH if name else Rank.OUTER
            outer = Count(name, done, total, name, rank, name or "of", begun=True)
            # The rest of the label of such a bar is columns of numbers.
            label = (label[: found.start()].strip(" :-([") if found.start() else "").strip()
    if len(label) > _LABEL_LIMIT:
        label = label[: _LABEL_LIMIT - 1] + "…"
    count = Count(label, count.done, count.total, count.unit, slot="bar")
    return Match((outer, count) if outer else (count,), source, None if outer else eta, bar=True)
