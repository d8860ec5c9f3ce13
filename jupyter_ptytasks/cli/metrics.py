"""`metrics`: the metrics of a task, as a table or as CSV."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

import click

from ..client import curves
from . import values
from .common import json_option, one_ref, print_json

if TYPE_CHECKING:
    from .common import Settings

#: Number of points of a curve in the table, and in a file.
_CURVE = 32
_ALL = 4096


@click.command()
@one_ref
@click.option("-n", "--name", "names", multiple=True, metavar="NAME", help="Only this metric; may be repeated.")
@click.option("--attempt", type=click.IntRange(min=1), metavar="N", help="An earlier attempt.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the points: name, step, time (Unix seconds), value.")
@json_option
@click.pass_obj
def metrics(
    settings: Settings, ref: str, names: tuple[str, ...], attempt: int | None, as_csv: bool, as_json: bool
) -> None:
    """Show the metrics of a task, read from its output or logged by `jupyter_ptytasks.log`."""
    points = None if as_json else _ALL if as_csv else _CURVE
    with settings.client() as client:
        told = client.metrics(ref, names=names, points=points, attempt=attempt)
    if as_json:
        print_json(told)
        return
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("name", "step", "time", "value"))
        for one in told["metrics"]:
            writer.writerows(
                (one["name"], *point) for point in zip(one["steps"], one["times"], one["values"], strict=True)
            )
        return
    missing = [name for name in names if name not in {one["name"] for one in told["metrics"]}]
    if missing:
        with settings.client() as client:
            known = [one["name"] for one in client.metrics(ref, points=4, attempt=attempt)["metrics"]]
        click.echo(f"no {', '.join(missing)}; there are: {', '.join(known) or 'none'}", err=True)
    rows = [
        (
            values.visible(one["name"]),
            curves.number(one["value"]),
            curves.step(one["step"]),
            curves.number(one["min"]),
            curves.number(one["max"]),
            curves.sparkline(one["values"]),
        )
        for one in told["metrics"]
    ]
    if not rows:
        if not missing:
            click.echo("no metrics", err=True)
        return
    lines = [("NAME", "LAST", "STEP", "MIN", "MAX", "CURVE"), *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
