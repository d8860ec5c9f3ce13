"""Latency: of server responses while programs flood it, and of key echo."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from .plan import BenchmarkFailed
from .programs import ECHO, FLOOD, IDLE
from .results import Must, Row, Series
from .servers import STOCK, TASKS, Server
from .viewers import Socket, reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .plan import Plan

#: How long a flood runs before its effects are measured.
_WARM_UP = 2.0
#: Seconds between two requests, and between two keys at least and at most.
_THINKING = 0.01
_TYPING = (0.004, 0.02)
#: What is typed, and how many keys in a row.
KEYS = "abcdefghijklmnopqrstuvwxyz"
BLOCK = 50


def rest(plan: Plan) -> Iterator[Row]:
    """Listing all tasks while two of them flood their viewers, beside two that do nothing."""
    count = plan.pick(400, 150)
    idle: dict[str, Series] = {}
    busy: dict[str, Series] = {}
    for name, path in (("ours", TASKS), ("terminado", STOCK)):
        plan.say(f"REST beside idle programs, {name}")
        idle[name] = _beside(plan, name, path, IDLE, count)
        plan.say(f"REST beside floods, {name}")
        busy[name] = _beside(plan, name, path, FLOOD, count)
    slower = {name: Series((busy[name].percentile(95) / idle[name].percentile(95),), "ratio") for name in idle}
    yield Row(
        "listing the tasks while 2 flood, each with a reading viewer: p95 ÷ idle p95",
        slower["ours"],
        busy["ours"],
        {"idle": idle["ours"], "terminado": busy["terminado"], "terminado ÷ idle": slower["terminado"]},
        Must(4.0, "ratio"),
    )


def _beside(plan: Plan, name: str, path: str, argv: Sequence[str], count: int) -> Series:
    with ExitStack() as stack:
        server = stack.enter_context(Server(plan.directory))
        for _ in range(2):
            terminal = stack.enter_context((server.task if name == "ours" else server.stock)(argv))
            if argv is FLOOD:
                stack.enter_context(reading(server, terminal))
        time.sleep(_WARM_UP)
        waited = []
        for _ in range(count):
            begin = time.perf_counter()
            server.rest.request("GET", path)
            waited.append(time.perf_counter() - begin)
            time.sleep(_THINKING)
    return Series(tuple(waited), "s")


def echo(plan: Plan) -> Iterator[Row]:
    """A key typed through the websocket until it comes back from a program in raw mode."""
    keys = plan.pick(500, 200)
    waited: dict[str, list[float]] = {"ours": [], "terminado": []}
    with ExitStack() as stack:
        server = stack.enter_context(Server(plan.directory))
        sockets = {}
        for name, runner in (("ours", server.task), ("terminado", server.stock)):
            terminal = stack.enter_context(runner(ECHO))
            sockets[name] = stack.enter_context(Socket(terminal.url, server.token))
        time.sleep(1.0)  # until the programs have set their terminals to raw
        for block in range(keys // BLOCK):
            plan.say(f"keys, {(block + 1) * BLOCK} of {keys}")
            for name in sorted(waited, reverse=block % 2 == 1):
                waited[name] += type_keys(sockets[name])
    series = {name: Series(tuple(values), "s") for name, values in waited.items()}
    yield Row(
        "key echo through the websocket, p50 ÷ terminado's",
        Series((series["ours"].median / series["terminado"].median,), "ratio"),
        series["ours"],
        {"terminado": series["terminado"]},
        Must(1.3, "ratio"),
    )


def think() -> None:
    """Wait as one does between two keys."""
    time.sleep(random.uniform(*_TYPING))


def type_keys(socket: Socket) -> list[float]:
    """Type a block of keys; return the seconds until each has come back."""
    waited = []
    for number in range(BLOCK):
        key = KEYS[number % len(KEYS)]
        begin = time.perf_counter()
        socket.send("stdin", key)
        while True:
            kind, *content = socket.receive()
            if kind == "disconnect":
                raise BenchmarkFailed("the program that echoes keys has ended")
            if kind == "stdout" and key in content[0]:
                break
        waited.append(time.perf_counter() - begin)
        think()
    return waited
