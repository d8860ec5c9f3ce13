"""The results as a table on the screen, as markdown and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from .results import show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .results import Row, Series

_COLUMNS = ("measurement", "this project", "peer", "value", "target", "met?")


def table(rows: Sequence[Row]) -> Table:
    """Return the table for the screen."""
    shown = Table(box=box.SIMPLE_HEAD, show_lines=False, pad_edge=False)
    for column in _COLUMNS:
        shown.add_column(column, overflow="fold", max_width=44 if column == _COLUMNS[0] else None)
    for row in rows:
        style = {True: "green", False: "bold red", None: ""}[row.met]
        *cells, value, must, met = _cells(row)
        shown.add_row(*cells, f"[{style}]{value}[/]" if style else value, must, f"[{style}]{met}[/]" if style else met)
    return shown


def markdown(rows: Iterable[Row], machine: Mapping[str, str], command: str) -> str:
    """Return the table for the documentation."""
    lines = [" | ".join(("", *_COLUMNS, "")).strip(), "|---" * len(_COLUMNS) + "|"]
    lines += [" | ".join(("", *(cell.replace("\n", "<br>") for cell in _cells(row)), "")).strip() for row in rows]
    about = ", ".join(
        value if name in ("system", "processor", "memory") else f"{name} {value}" for name, value in machine.items()
    )
    return "\n".join((*lines, "", f"Made by `{command}` on {about}.", ""))


def to_json(rows: Iterable[Row], machine: Mapping[str, str], command: str) -> str:
    """Return everything that was measured."""
    results = [
        {
            "what": row.what,
            "value": _series(row.value),
            "ours": _series(row.ours) if row.ours is not None else None,
            "peers": {name: _series(series) for name, series in row.peers.items()},
            "must": None if row.must is None else {"limit": row.must.limit, "at_least": row.must.at_least},
            "met": row.met,
            "note": row.note,
        }
        for row in rows
    ]
    return json.dumps({"command": command, "machine": machine, "results": results}, indent=1, ensure_ascii=False) + "\n"


def _series(series: Series) -> dict[str, Any]:
    return {"median": series.median, "unit": series.unit, "values": [round(value, 6) for value in series.values]}


def _cells(row: Row) -> tuple[str, ...]:
    what = f"{row.what} ({row.note})" if row.note else row.what
    peers = "\n".join(f"{name}: {series}" for name, series in row.peers.items()) or "-"
    must = str(row.must) if row.must is not None else "-"
    met = {True: "yes", False: "NO", None: "-"}[row.met]
    return what, str(row.ours or "-"), peers, show(row.value.median, row.value.unit), must, met
