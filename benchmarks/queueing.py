"""The queue: how fast it goes on, and what it costs to have very much in it."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil

from jupyter_ptytasks.core.files import read_json
from jupyter_ptytasks.core.model import new_id
from jupyter_ptytasks.storage.database import Database
from jupyter_ptytasks.storage.records import task_of
from jupyter_ptytasks.storage.task_dirs import TaskDirs

from .plan import wait_until
from .results import Must, Row, Series
from .servers import TASKS, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .plan import Plan

_GROUPS = "/ptytasks/api/groups"
_SLOTS = 8
#: Jobs of task-spooler that wait at a time: each is a process that stays connected, and from a thousand on the next one
#: waits for another to end (tsp(1), TS_MAXCONN).
_SPOOLED = 500


def drain(plan: Plan) -> Iterator[Row]:
    """How many tasks a second are run that do nothing, and how long a slot stays empty."""
    count = plan.pick(1000, 200)
    plan.say(f"{count} tasks on {_SLOTS} slots")
    with Server(plan.directory) as server:
        _configure(server, slots=_SLOTS, paused=True)
        for _ in range(count):
            server.rest.request("POST", TASKS, {"command": ["true"], "group": "g"})
        begin = time.perf_counter()
        _configure(server, paused=False)
        wait_until(partial(_is_empty, server), "all have run", timeout=600)
        ours = Series((count / (time.perf_counter() - begin),), "tasks/s")
    peers = {}
    if shutil.which("tsp"):
        spooled = min(count, _SPOOLED)
        plan.say(f"{spooled} jobs of task-spooler on {_SLOTS} slots")
        peers["task-spooler"] = Series((spooled / _spool(spooled),), "tasks/s")
    yield Row(f"{count} x `true` on {_SLOTS} slots", ours, ours, peers, Must(40, "tasks/s", at_least=True))
    for without in (False, True):
        count = plan.pick(50, 15)
        with Server(plan.directory) as server:
            _configure(server, slots=1, paused=True)
            for _ in range(count):
                server.rest.request("POST", TASKS, {"command": ["true"], "group": "g"})
            _configure(server, paused=False)
            plan.say(f"{count} tasks one after the other{' without a server' if without else ''}")
            if without:
                server.kill()
                ended = [os.path.join(server.tasks_dir, name, "exit.json") for name in os.listdir(server.tasks_dir)]
                wait_until(partial(_all_exist, ended), "all have run", timeout=120)
                server.start()
            wait_until(partial(_is_empty, server), "all have run", timeout=120)
            gaps = Series(tuple(_gaps(server)), "s")
        yield Row(
            f"end of a task until the next one runs{', with no server' if without else ''}",
            gaps, gaps, {}, Must(0.05, "s"),
        )  # fmt: skip


def _configure(server: Server, **about: object) -> None:
    server.rest.request("PUT", f"{_GROUPS}/g", about)


def _all_exist(paths: list[str]) -> bool:
    return all(map(os.path.exists, paths))


def _is_empty(server: Server) -> bool:
    return _waiting(server) == 0


def _waiting(server: Server) -> int:
    """Return how many tasks have not ended."""
    states: dict[str, int] = server.rest.request("GET", "/ptytasks/api/status")["tasks"]
    return sum(states.get(state, 0) for state in ("queued", "starting", "running", "stopping"))


def _gaps(server: Server) -> Iterator[float]:
    tasks = server.rest.request("GET", f"{TASKS}?limit=1000")["tasks"]
    tasks.sort(key=lambda task: task["started"])
    for one, other in itertools.pairwise(tasks):
        yield _moment(other["started"]) - _moment(one["ended"])


def _moment(iso: str) -> float:
    return datetime.fromisoformat(iso.replace("Z", "+00:00")).timestamp()


def _spool(count: int) -> float:
    """Return the seconds that task-spooler takes to run this many queued jobs."""
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "TS_SOCKET": f"{directory}/s", "TMPDIR": directory, "TS_MAXFINISHED": "100000"}

        def tsp(*words: str) -> str:
            done = subprocess.run(["tsp", *words], env=environment, check=True, stdout=subprocess.PIPE, text=True)
            return done.stdout

        try:
            tsp("-S", "1")
            tsp("-n", "sleep", "1000")
            for _ in range(count):
                tsp("-n", "true")
            tsp("-S", str(_SLOTS + 1))
            begin = time.perf_counter()
            wait_until(lambda: tsp().count(" finished ") >= count, "all have run", timeout=600)
            return time.perf_counter() - begin
        finally:
            subprocess.run(["tsp", "-K"], env=environment, check=False, stdout=subprocess.DEVNULL)


def crowd(plan: Plan) -> Iterator[Row]:
    """Ten thousand tasks that wait: one more, a list of them, and the scheduler that watches over them."""
    count = plan.pick(10_000, 2000)
    with Server(plan.directory) as server:
        plan.say(f"queueing {count} tasks")
        _configure(server, slots=1)
        server.rest.request("POST", TASKS, {"command": ["sleep", "100000"], "group": "g"})
        model = server.rest.request("POST", TASKS, {"command": ["true"], "group": "g"})["id"]
        with _stopped(server):
            _queue(server, model, count)
        wait_until(lambda: _waiting(server) >= count, "all are known")
        plan.say(f"one more than {count} tasks")
        submit, listed = [], []
        for _ in range(100):
            begin = time.perf_counter()
            server.rest.request("POST", TASKS, {"command": ["true"], "group": "g"})
            submit.append(time.perf_counter() - begin)
        for _ in range(50):
            begin = time.perf_counter()
            server.rest.request("GET", f"{TASKS}?limit=100")
            listed.append(time.perf_counter() - begin)
        record = read_json(os.path.join(server.home, "data", "ptytasks", "scheduler.pid.json"))
        assert record is not None
        scheduler = psutil.Process(record["pid"])
        time.sleep(2.0)  # until it has calmed down
        before = scheduler.cpu_times()
        seconds = plan.pick(20, 5)
        time.sleep(seconds)
        after = scheduler.cpu_times()
        used = 100 * (after.user + after.system - before.user - before.system) / seconds
        pss = Series((float(scheduler.memory_full_info().pss),), "B")
    rows: list[tuple[str, list[float], float]] = [
        (f"one more task, {count} waiting, p95", submit, 0.02),
        (f"list 100 of {count} that wait, p95", listed, 0.05),
    ]
    for what, values, limit in rows:
        series = Series(tuple(values), "s")
        yield Row(what, Series((series.percentile(95),), "s"), series, {}, Must(limit, "s"))
    yield Row(f"PSS of the scheduler, {count} waiting", pss, pss, {}, Must(12 << 20, "B"))
    cpu = Series((used,), "%")
    yield Row(f"CPU of the scheduler, {count} waiting, of one core", cpu, cpu, {}, Must(0.1, "%"))


@contextmanager
def _stopped(server: Server) -> Iterator[None]:
    server.kill()
    yield
    server.start()


def _queue(server: Server, model: str, count: int) -> None:
    """Put tasks like `model` into a data directory, as a server would."""
    root = os.path.join(server.home, "data", "ptytasks")
    dirs = TaskDirs(root, [])
    spec: dict[str, Any] = dict(dirs.specs.read(model))
    env = dirs.specs.read_environment(model) or {}
    tasks, newest = [], model
    for _ in range(count):
        newest = new_id(time.time(), newest)
        spec = {**spec, "id": newest, "created": time.time()}
        dirs.create(spec, env).close()
        tasks.append(task_of(spec))
    database = Database(os.path.join(root, "tasks.db"), dirs.tasks, dirs.task)
    database.put(tasks)
    database.close()
