"""The cost of a viewer that never reads: the server's memory, and the speed of the program that floods it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psutil

from .plan import BenchmarkFailed
from .programs import YES
from .results import Must, Row, Series, ratio
from .servers import Server
from .viewers import stalled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .plan import Plan

_EVERY = 0.1


def stalled_viewer(plan: Plan) -> Iterator[Row]:
    """`yes` for some seconds with a viewer that never reads, and without."""
    seconds = plan.pick(10, 5)
    repetitions = plan.pick(2, 1)
    growth: dict[str, list[float]] = {"ours": [], "terminado": []}
    speed: dict[tuple[str, bool], list[float]] = {(name, viewed): [] for name in growth for viewed in (False, True)}
    for repetition in range(repetitions):
        for name, growths in growth.items():
            # The slower half of a run must not always be the same one's.
            for viewed in (False, True) if repetition % 2 == 0 else (True, False):
                plan.say(f"yes, {name}, {'a stalled' if viewed else 'no'} viewer, {repetition + 1} of {repetitions}")
                more, written = _flood(plan, name, seconds, viewed=viewed)
                speed[name, viewed].append(written)
                if viewed:
                    growths.append(more)
    grown = {name: Series(tuple(values), "B") for name, values in growth.items()}
    what = f"server memory growth in {seconds} s of `yes` with one stalled viewer"
    yield Row(what, grown["ours"], grown["ours"], {"terminado": grown["terminado"]}, Must(16 << 20, "B"))
    speeds = {case: Series(tuple(values), "B/s") for case, values in speed.items()}
    kept = {name: ratio(speeds[name, True], speeds[name, False]) for name in growth}
    yield Row(
        "speed of `yes` beside a stalled viewer ÷ without",
        kept["ours"],
        speeds["ours", True],
        {"terminado": speeds["terminado", True], "terminado ÷ without": kept["terminado"]},
        Must(0.9, "ratio", at_least=True),
    )


def _flood(plan: Plan, name: str, seconds: float, *, viewed: bool) -> tuple[float, float]:
    """Return the growth of a fresh server's memory in bytes, and the bytes a second that the program wrote."""
    with ExitStack() as stack:
        server = stack.enter_context(Server(plan.directory))
        terminal = stack.enter_context((server.task if name == "ours" else server.stock)(YES))
        before = server.process.memory_info().rss
        if viewed:
            stack.enter_context(stalled(server, terminal))
        program = psutil.Process(terminal.pid)
        begin, written = time.monotonic(), _written(program)
        most = before
        while time.monotonic() - begin < seconds:
            time.sleep(_EVERY)
            most = max(most, server.process.memory_info().rss)
        speed = (_written(program) - written) / (time.monotonic() - begin)
        if name == "ours" and server.rest.request("GET", terminal.path)["output"]["lost"]:
            raise BenchmarkFailed("output was lost")
    return float(most - before), speed


def _written(program: psutil.Process) -> int:
    """Return the bytes that a process has written to anything (read from /proc)."""
    return int(program.io_counters().write_chars)
