"""`python -m benchmarks [--quick] [--only NAME ...] [--json FILE] [--markdown FILE]`: measure, and print a table.

Run it from a checkout, with the package installed. Everything happens in a directory of its own, in servers of its own.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from typing import TYPE_CHECKING

import psutil
from rich.console import Console
from websocket import WebSocketException

from . import (
    browser,
    latency,
    looking,
    machine,
    memory,
    places,
    progress,
    queueing,
    reattach,
    report,
    scale,
    throughput,
    twin,
)
from .plan import BenchmarkFailed, Plan
from .runs import runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .results import Row

BENCHMARKS: dict[str, Callable[[Plan], Iterator[Row]]] = {
    "log": throughput.alone,
    "viewer": throughput.looked_at,
    "memory": memory.stalled_viewer,
    "rest": latency.rest,
    "echo": latency.echo,
    "reattach": reattach.log,
    "bars": reattach.bars,
    "start": scale.start,
    "idle": scale.idle,
    "looking": looking.silent,
    "queue": queueing.drain,
    "crowd": queueing.crowd,
    "places": places.places,
    "browser": browser.flood,
    "runs": runs,
    "twin": twin.final_loss,
    "progress": progress.reading,
}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="jupyter_ptytasks side by side with its peers"
    )
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, smaller inputs: a minute or so")
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", choices=BENCHMARKS, help=f"some of {', '.join(BENCHMARKS)}"
    )
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured")
    parser.add_argument("--markdown", metavar="FILE", help="write the table for the documentation")
    given = parser.parse_args()
    names = [name for name in BENCHMARKS if not given.only or name in given.only]
    command = " ".join(
        ("python -m benchmarks", *["--quick"] * given.quick, *(["--only", *names] if given.only else []))
    )

    console = Console(stderr=True)
    about = machine.describe()
    if os.getloadavg()[0] > 0.5:
        console.print("[yellow]the machine is busy with other work, which affects the numbers")
    began = time.monotonic()
    rows: list[Row] = []
    failed: list[str] = []
    with console.status("") as status, tempfile.TemporaryDirectory(prefix="ptytasks-benchmarks-") as directory:
        for name in names:
            plan = Plan(directory, given.quick, status.update)
            try:
                rows += BENCHMARKS[name](plan)
            except (BenchmarkFailed, OSError, psutil.Error, WebSocketException) as error:
                failed.append(name)
                console.print(f"[red]{name}: {type(error).__name__}: {error}")
    Console(width=None if console.is_terminal else 160).print(report.table(rows))
    console.print(f"{time.monotonic() - began:.0f} s on {about['processor']}")
    for path, text in ((given.json, report.to_json), (given.markdown, report.markdown)):
        if path:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text(rows, about, command))
    if failed:
        raise SystemExit(f"could not be measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
