"""Fifty tasks: to start them, to find them again, and to have them."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psutil

from jupyter_ptytasks.core.paths import TaskFiles
from jupyter_ptytasks.provision.local import LocalProvisioner
from jupyter_ptytasks.storage.task_dirs import TaskDirs

from .plan import wait_until
from .programs import IDLE
from .results import Must, Row, Series
from .servers import STOCK, TASKS, Rest, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .plan import Plan

_COUNT = 50
_AT_A_TIME = 8


def start(plan: Plan) -> Iterator[Row]:
    """Starting them by REST, one after the other and eight at a time, and adopting them after the server was killed."""
    one_by_one, at_a_time, stock, adopted = [], [], [], []
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
    terminado = {"terminado": Series(tuple(stock), "s")}
    for how, values in (("one after the other", one_by_one), (f"{_AT_A_TIME} at a time", at_a_time)):
        taken = Series(tuple(values), "s")
        yield Row(f"start {_COUNT} tasks by REST, {how}", taken, taken, terminado, Must(2.0, "s"))
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
        hosts = [_host_pid(ours, task) for task in os.listdir(ours.tasks_dir)]
        pss = Series(tuple(float(psutil.Process(pid).memory_full_info().pss) for pid in hosts), "B")
        rss = Series(tuple(float(psutil.Process(pid).memory_info().rss) for pid in hosts), "B")
        plan.say("starting ptyhosts")
        started = _start_hosts(ours, plan.pick(30, 15))
    more = Series((used[0] - used[2],), "%")
    peers = {"without tasks": Series((used[2],), "%"), "terminado": Series((used[1],), "%")}
    what = f"server CPU with {_COUNT} idle tasks, of one core, beyond that of a server without"
    yield Row(what, more, Series((used[0],), "%"), peers, Must(1.0, "%"))
    yield Row(f"PSS of a ptyhost, of {_COUNT}", pss, pss, {}, Must(5 << 20, "B"))
    yield Row(f"RSS of a ptyhost, of {_COUNT}", rss, rss, {}, Must(12 << 20, "B"))
    yield Row("start of a ptyhost: exec until its command runs", started, started, {}, Must(0.03, "s"))


def _cpu(server: Server) -> float:
    times = server.process.cpu_times()
    return times.user + times.system


def _host_pid(server: Server, task: str) -> int:
    with open(TaskFiles(os.path.join(server.tasks_dir, task)).host, encoding="utf-8") as file:
        return int(json.load(file)["host_pid"])


def _start_hosts(server: Server, count: int) -> Series:
    """Start ptyhosts as the server does, but from here; the spec is that of one of the server's tasks."""
    model = os.listdir(server.tasks_dir)[0]
    with open(TaskFiles(os.path.join(server.tasks_dir, model)).spec, encoding="utf-8") as file:
        spec = json.load(file)
    taken = []
    for number in range(count):
        spec["id"] = f"benchmark{number:03}"
        files = TaskFiles(os.path.join(server.home, spec["id"]))
        os.mkdir(files.dir)
        with open(files.spec, "w", encoding="utf-8") as file:
            json.dump(spec, file)
        with open(files.lock, "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            begin = time.perf_counter()
            socket_path = os.path.join(server.home, "run", f"{number}.sock")
            launched = LocalProvisioner(TaskDirs(""), "").start(files, socket_path, lock.fileno(), os.environ)
            taken.append(time.perf_counter() - begin)
        os.kill(launched.host_pid, signal.SIGKILL)
    return Series(tuple(taken), "s")
