"""Fifty tasks: to start them, to find them again, and to have them."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psutil

from jupyter_ptytasks.core.paths import TaskFiles

from .plan import wait_until
from .programs import IDLE
from .results import Must, Row, Series, ratio
from .servers import STOCK, TASKS, Rest, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .plan import Plan

_COUNT = 50
_AT_A_TIME = 8
#: How many starts are measured one by one, how many of them are not counted, and the seconds between two.
_STARTS = 23
_COLD = 3
_THINKING = 0.05


def start(plan: Plan) -> Iterator[Row]:
    """Starting them by REST, one after the other and eight at a time, and adopting them after the server was killed."""
    one_by_one, at_a_time, stock, adopted = [], [], [], []
    runs: dict[str, list[float]] = {"ours": [], "terminado": []}
    for repetition in range(plan.pick(3, 1)):
        plan.say(f"starting {_COUNT} tasks, {repetition + 1}")
        with Server(plan.directory) as server:
            at_a_time.append(_start(server, TASKS, {"command": IDLE}, _AT_A_TIME))
            server.kill()
            adopted.append(_adopt(server))
        with Server(plan.directory) as server:
            one_by_one.append(_start(server, TASKS, {"command": IDLE}, 1))
        with Server(plan.directory) as server:
            stock.append(_start(server, STOCK, {"shell_command": IDLE}, 1))
        with Server(plan.directory) as server:
            runs["ours"] += _until_it_runs(server, TASKS, "command")
            runs["terminado"] += _until_it_runs(server, STOCK, "shell_command")
    theirs = Series(tuple(stock), "s")
    for how, values, limit in (
        ("one after the other", one_by_one, 1.5),
        (f"{_AT_A_TIME} at a time", at_a_time, 1.0),
    ):
        taken = Series(tuple(values), "s")
        what = f"start {_COUNT} tasks by REST, {how} ÷ terminado's {_COUNT} terminals, one after the other"
        yield Row(what, ratio(taken, theirs), taken, {"terminado": theirs}, Must(limit, "ratio"))
    series = {name: Series(tuple(values), "s") for name, values in runs.items()}
    what = "start of one by REST: request until its command runs"
    yield Row(what, series["ours"], series["ours"], {"terminado": series["terminado"]}, Must(0.009, "s"))
    taken = Series(tuple(adopted), "s")
    yield Row(
        f"adopt {_COUNT} after kill -9 of the server: its first answer until all are connected",
        taken,
        taken,
        {},
        Must(0.5, "s"),
    )


def _start(server: Server, path: str, body: dict[str, Any], at_a_time: int) -> float:
    rests = [Rest(server.port, server.token) for _ in range(at_a_time)]

    def work(number: int) -> None:
        for _ in range(number, _COUNT, at_a_time):
            rests[number].request("POST", path, body)

    with ThreadPoolExecutor(at_a_time) as pool:
        begin = time.perf_counter()
        list(pool.map(work, range(at_a_time)))
        taken = time.perf_counter() - begin
    for rest in rests:
        rest.close()
    return taken


def _until_it_runs(server: Server, path: str, command: str) -> list[float]:
    """Return for each of several starts the seconds from the request until the command writes something."""
    pipe = os.path.join(server.home, "runs")
    os.mkfifo(pipe)
    fd = os.open(pipe, os.O_RDWR)
    taken = []
    try:
        for _ in range(_STARTS):
            begin = time.perf_counter()
            server.rest.request("POST", path, {command: ["sh", "-c", f"echo > {pipe}; exec sleep 100000"]})
            os.read(fd, 1)
            taken.append(time.perf_counter() - begin)
            time.sleep(_THINKING)
    finally:
        os.close(fd)
        os.unlink(pipe)
    # Without those that found the server, or what starts ptyhosts, cold.
    return taken[_COLD:]


def _adopt(server: Server) -> float:
    """Start the server again; give the seconds from its first answer until it is connected to all tasks."""
    answered = server.start()

    def all_connected() -> bool:
        tasks = server.rest.request("GET", TASKS)["tasks"]
        return len(tasks) == _COUNT and all(task["connected"] for task in tasks)

    wait_until(all_connected, "all tasks were connected", every=0.002)
    return time.monotonic() - answered


def idle(plan: Plan) -> Iterator[Row]:
    """What it costs to have them while they do nothing: the server's CPU, and memory for each."""
    seconds = plan.pick(20, 10)
    with ExitStack() as stack:
        ours, stock, none = (stack.enter_context(Server(plan.directory)) for _ in range(3))
        plan.say(f"{_COUNT} idle tasks")
        _start(ours, TASKS, {"command": IDLE}, _AT_A_TIME)
        _start(stock, STOCK, {"shell_command": IDLE}, 1)
        time.sleep(3.0)  # until all have calmed down
        # All at once: they hardly disturb one another, and what disturbs them disturbs them all.
        before = [_cpu(server) for server in (ours, stock, none)]
        time.sleep(seconds)
        used = [100 * (_cpu(server) - cpu) / seconds for server, cpu in zip((ours, stock, none), before, strict=True)]
        hosts = [host_pid(ours, task) for task in os.listdir(ours.tasks_dir)]
        pss = Series(tuple(float(psutil.Process(pid).memory_full_info().pss) for pid in hosts), "B")
        rss = Series(tuple(float(psutil.Process(pid).memory_info().rss) for pid in hosts), "B")
    more = Series((used[0] - used[2],), "%")
    peers = {"without tasks": Series((used[2],), "%"), "terminado": Series((used[1],), "%")}
    what = f"server CPU with {_COUNT} idle tasks, of one core, beyond that of a server without"
    yield Row(what, more, Series((used[0],), "%"), peers, Must(1.0, "%"))
    yield Row(f"PSS of a ptyhost, of {_COUNT}", pss, pss, {}, Must(2.8 * (1 << 20), "B"))
    yield Row(f"RSS of a ptyhost, of {_COUNT}", rss, rss, {}, Must(12 << 20, "B"))


def _cpu(server: Server) -> float:
    times = server.process.cpu_times()
    return times.user + times.system


def host_pid(server: Server, task: str) -> int:
    """Return the process id of a task's ptyhost."""
    with open(TaskFiles(os.path.join(server.tasks_dir, task)).host, encoding="utf-8") as file:
        return int(json.load(file)["host_pid"])
