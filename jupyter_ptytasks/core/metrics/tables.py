"""Metrics in columns: a line of names, and lines of numbers below it."""

from __future__ import annotations

import re

from . import names

#: Maximum number of columns, and the number of pieces of text without a row after which a table ends.
_MOST = 32
_OVER = 400
_COLUMNS = re.compile(r"\s*[|│┃]\s*|\s{2,}|\t+")
#: A line of values with commas.
_COMMAS = re.compile(r"[^,\s|]+(?:, ?[^,\s|]+)+")
#: The bar behind a row or a header.
_BAR = re.compile(r":?\s+[0-9]{1,3}%[|\u2501\u2588 ].*|:\s+[0-9]{1,3}%.*")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?%?|nan|NaN|inf|-inf")
#: "Loss 0.31" and "Epoch 3" are not names, "LOSS 2" may be one.
_VALUE = re.compile(r" [0-9]*\.[0-9]|epoch [0-9]", re.IGNORECASE)
_COUNT = re.compile(r"([0-9]+)/[0-9]+")
_ODD = re.compile(r"[^\w@.+-]+")
#: A quick check for a header.
_HEAD = re.compile(
    r"epoch|iter|step|round|batch|episode|update|trial|gen|loss|acc|score|map|mse|mae|auc|f1|r2|err|cost|rew|[#]|\bE\b|\bit\b",
    re.IGNORECASE,
)
#: Names of columns with statistics of each step.
_STATISTICS = frozenset({"avg", "mean", "min", "max", "std", "median", "best"})
#: Names of rows with the values of the whole.
_WHOLE = frozenset({"all", "avg", "average", "mean", "total", "overall"})
#: Short names of steps, which are steps in headers only.
_STEPS = frozenset({"e", "#", "i", "n"})


class Table:
    """The table that is being printed, if any."""

    def __init__(self, columns: list[str] | None = None) -> None:
        self.columns = columns or []
        self._idle = 0

    def take(self, text: str) -> tuple[float | None, dict[str, float]] | None:
        """Return the step and the metrics of a row; None if the text is not a row."""
        if self.columns and (row := self._row(text)) is not None:
            self._idle = 0
            return row
        columns = _header(text)
        if columns is not None:
            self.columns, self._idle = columns, 0
            return None, {}
        self._idle += 1
        if self._idle > _OVER:
            self.columns = []
        return None

    def _row(self, text: str) -> tuple[float | None, dict[str, float]] | None:
        cells = _cells(text)
        if len(cells) != len(self.columns):
            return None
        step: float | None = None
        found: dict[str, float] = {}
        for at, (column, cell) in enumerate(zip(self.columns, cells)):
            number = _NUMBER.fullmatch(cell)
            if _is_step(column):
                count = _COUNT.fullmatch(cell)
                if count is None and number is None:
                    return None
                step = float(count[1] if count else cell.rstrip("%"))
            elif number is None:
                if at == 0 and cell.lower() not in _WHOLE:
                    return None
            elif names.kind(column) not in ("stop", "step"):
                found.setdefault(column, float(cell.rstrip("%")))
        return (step, found) if found else None


def _cells(text: str) -> list[str]:
    if _COMMAS.fullmatch(text):
        return text.replace(" ", "").split(",")
    if "\t" in text:
        return [cell.strip() for cell in _BAR.sub("", text).strip().split("\t")]
    return _BAR.sub("", text).strip(" |│┃").replace("|", " ").replace("│", " ").split()


def _header(text: str) -> list[str] | None:
    """Return the column names, if a text consists only of names and one of them is a step or a known metric."""
    if _HEAD.search(text) is None:
        return None
    text = _BAR.sub("", text).strip(" |│┃")
    if "=" in text or ":" in text:
        return None
    columns = text.replace(" ", "").split(",") if _COMMAS.fullmatch(text) else _COLUMNS.split(text)
    if len(columns) < 3 and "|" not in text and "│" not in text:
        columns = text.split()
        if len(columns) < 2 or not _is_step(columns[0]) or names.kind(columns[1]) != "known":
            return None
    if not 2 <= len(columns) <= _MOST or any(
        not name or len(name) > 24 or name[0].isdigit() or _VALUE.search(name) for name in columns
    ):
        return None
    cleaned = [name if name in _STEPS else _ODD.sub("_", name).strip("_") or name for name in columns]
    kinds = [names.kind(name) for name in cleaned]
    if any(map(_is_step, cleaned[:2])):
        return cleaned if any(kind in ("known", "likely") for kind in kinds) or _STATISTICS & set(cleaned) else None
    return cleaned if kinds.count("known") > 1 else None


def _is_step(column: str) -> bool:
    return column.lower() in _STEPS or names.kind(column) == "step"
