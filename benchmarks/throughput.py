"""How long a program takes that writes a long log: alone, and with a viewer."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from . import peers
from .programs import TimedCat, write_log
from .results import Must, Row, Series, ratio
from .servers import Server
from .viewers import reading, reading_ttyd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from .peers import Runner
    from .plan import Plan
    from .servers import Terminal


def alone(plan: Plan) -> Iterator[Row]:
    """A log as a task without viewers, beside a bare read loop on a terminal."""
    with Server(plan.directory) as server:
        runners: dict[str, Runner] = {
            "ours": server.task,
            "bare": peers.bare,
            "terminado": server.stock,
            **peers.installed(),
        }
        times = _race(plan, runners, repetitions=plan.pick(7, 3))
    what = f"wall time of a {_megabytes(plan)} MB colored log, no viewer ÷ a bare read loop"
    bare = times.pop("bare")
    others = {f"{name} ÷ bare": ratio(series, bare) for name, series in times.items() if name != "ours"}
    yield Row(what, ratio(times["ours"], bare), times["ours"], {"bare": bare, **others}, Must(1.15, "ratio"))


def looked_at(plan: Plan) -> Iterator[Row]:
    """The same with one viewer that reads all that it is sent."""
    with Server(plan.directory) as server:
        runners: dict[str, Runner] = {
            "ours": lambda argv: _with_viewer(server, server.task(argv)),
            "acknowledging": lambda argv: _with_viewer(server, server.task(argv), acknowledges=True),
            "terminado": lambda argv: _with_viewer(server, server.stock(argv)),
        }
        if shutil.which("ttyd"):
            runners["ttyd"] = _with_ttyd_viewer
        times = _race(plan, runners, repetitions=plan.pick(5, 3))
    acknowledging, terminado = times.pop("acknowledging"), times["terminado"]
    ours = times.pop("ours")
    what = "the same with one reading viewer ÷ terminado with one"
    must = Must(1.0, "ratio")
    yield Row(what, ratio(ours, terminado), ours, times, must, "a stock client, paced: it skips output")
    yield Row(f"{what}, client acknowledges", ratio(acknowledging, terminado), acknowledging, times, must)


def _megabytes(plan: Plan) -> int:
    return plan.pick(100, 30)


def _race(plan: Plan, runners: dict[str, Runner], *, repetitions: int) -> dict[str, Series]:
    """Run all in turn, repeatedly, starting with another one each time."""
    log = os.path.join(plan.directory, "log")
    write_log(log, _megabytes(plan) * 10**6)
    names = list(runners)
    times: dict[str, list[float]] = {name: [] for name in names}
    for repetition in range(repetitions):
        first = repetition % len(names)
        for name in names[first:] + names[:first]:
            plan.say(f"log, {name}, {repetition + 1} of {repetitions}")
            cat = TimedCat(plan.directory, log)
            with runners[name](cat.argv):
                cat.go()
                times[name].append(cat.wait())
    return {name: Series(tuple(values), "s") for name, values in times.items()}


@contextmanager
def _with_viewer(
    server: Server, running: AbstractContextManager[Terminal], *, acknowledges: bool = False
) -> Iterator[Terminal]:
    with running as terminal, reading(server, terminal, acknowledges=acknowledges):
        yield terminal


@contextmanager
def _with_ttyd_viewer(argv: Sequence[str]) -> Iterator[str]:
    with peers.ttyd(argv) as url, reading_ttyd(url):
        yield url
