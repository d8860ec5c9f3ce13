"""A search of the output of many tasks, beside grep's of the same files."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from benchmarks.plan import BenchmarkFailed, wait_until
from benchmarks.programs import write_bars, write_log
from benchmarks.results import Must, Row, Series, ratio, show
from benchmarks.servers import TASKS, Server, cpu_time
from jupyter_ptytasks.core.ring import known_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.plan import Plan

_SIZE = 5 << 20
#: How many tasks write at the same time.
_AT_ONCE = 10
#: Bars of tqdm are as wide as their terminal.
_COLS = 120
#: What is searched for, and how many hits each task has.
_ONCE, _NOWHERE = ("the one line of this task", 1), ("a line that no task has printed", 0)
_KINDS = ("plain", "colored", "bars")
_MOST = Must(2.5, "ratio")
#: Seconds of the processor in a second, less than which a server does nothing but wait.
_IDLE = 0.02
_COLOR = re.compile(rb"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class _Took:
    """Seconds of a search: from beginning to end, of the processor, and until its first line."""

    whole: float
    cpu: float
    first: float = 0.0


def searching(plan: Plan) -> Iterator[Row]:
    """`GET /search` and `grep` in turn, with all files in memory: of all tasks, and of those of each kind of output."""
    with Server(plan.directory, "--PtyTasksApp.read_ahead=False") as server:
        tasks = _write(server, plan, plan.pick(200, 50))
        every = [task for kind in _KINDS for task in tasks[kind]]
        all_of_it = f"{show(len(every) * _SIZE, 'B')} of {len(every)} tasks"
        plan.say(f"searching {all_of_it}")
        for kind in _KINDS:
            what = f"search {kind} output of {len(tasks[kind])} tasks that was not read ahead ÷ grep"
            yield _row(what, *_in_turn(server, tasks[kind], _ONCE, 1, kind))
        server.restart("--PtyTasksApp.read_ahead=True")
        _wait_until_read(server, every)
        _begin_anew(server)
        yield _row(f"the first search of {all_of_it} ÷ grep", *_in_turn(server, every, _ONCE, 1), _MOST)
        _begin_anew(server)
        for kind in _KINDS:
            what = f"the first search of {kind} output of {len(tasks[kind])} of them ÷ grep"
            yield _row(what, *_in_turn(server, tasks[kind], _ONCE, 1, kind), _MOST)
        repeats = plan.pick(5, 3)
        ours, grep = _in_turn(server, every, _ONCE, repeats)
        yield _row(f"search {all_of_it} for what is once in each ÷ grep", ours, grep, _MOST)
        first = Series(tuple(one.first for one in ours), "s")
        yield Row("the same, the first hit", first, first, {}, Must(0.1, "s"))
        yield _row("search the same for what is nowhere ÷ grep", *_in_turn(server, every, _NOWHERE, repeats), _MOST)
        for kind in _KINDS:
            what = f"search {kind} output of {len(tasks[kind])} of them for what is nowhere ÷ grep"
            yield _row(what, *_in_turn(server, tasks[kind], _NOWHERE, repeats, kind), _MOST)


def _in_turn(
    server: Server, tasks: list[str], text: tuple[str, int], repeats: int, group: str | None = None
) -> tuple[list[_Took], list[_Took]]:
    """Return what so many searches take, ours and grep's."""
    ours, grep = [], []
    for _ in range(repeats):
        ours.append(_search(server, text[0], text[1] * len(tasks), group))
        grep.append(_grep(server, text[0], text[1] * len(tasks), tasks))
    return ours, grep


def _row(what: str, ours: list[_Took], grep: list[_Took], must: Must | None = None) -> Row:
    """Return a row. The processor's time is said beside: it varies less."""
    whole, cpu = [
        [Series(tuple(getattr(one, name) for one in some), "s") for some in (ours, grep)] for name in ("whole", "cpu")
    ]
    peers = {"grep": whole[1], "CPU": cpu[0], "grep's CPU": cpu[1], "CPU ÷ grep's": ratio(*cpu)}
    return Row(what, ratio(*whole), whole[0], peers, must)


def _write(server: Server, plan: Plan, count: int) -> dict[str, list[str]]:
    """Return the ids of so many tasks by the kind of their output, which is written."""
    tasks: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for kind in _KINDS:
        path = os.path.join(plan.directory, kind)
        _write_file(path, kind)
        of_kind = count // len(_KINDS)
        plan.say(f"writing {kind} output of {of_kind} tasks")
        for begin in range(0, of_kind, _AT_ONCE):
            for _ in range(min(_AT_ONCE, of_kind - begin)):
                body = {"command": f"cat {path}; echo {_ONCE[0]}", "group": kind, "cols": _COLS}
                tasks[kind].append(server.rest.request("POST", TASKS, body)["id"])
            wait_until(
                lambda: not server.rest.request("GET", f"{TASKS}?state=running")["tasks"], "they had ended", every=0.1
            )
        os.unlink(path)
    return tasks


def _wait_until_read(server: Server, tasks: list[str]) -> None:
    """Wait until the output of all was read ahead."""
    rings = [os.path.join(server.tasks_dir, task, "output") for task in tasks]
    wait_until(lambda: all(map(known_file.is_current, rings)), "their output was read ahead", timeout=300, every=0.5)


def _begin_anew(server: Server) -> None:
    """Restart the server, which then knows nothing of the output, and wait until it has found its tasks again."""
    server.restart()
    spent = [-1.0]

    def is_idle() -> bool:
        spent.append(cpu_time(server.process.pid))
        return spent[-1] - spent[-2] < _IDLE

    wait_until(is_idle, "the server was idle", every=1.0)


def _write_file(path: str, kind: str) -> None:
    (write_bars if kind == "bars" else write_log)(path, _SIZE)
    with open(path, "r+b") as file:
        data = file.read()
        if kind == "plain":
            data = _COLOR.sub(b"", data)
        # What is behind a sequence that is cut off is a part of it.
        file.seek(0)
        file.write(data[: data.rindex(b"\n") + 1])
        file.truncate()


def _search(server: Server, text: str, hits: int, group: str | None) -> _Took:
    """Return what a search takes."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=600)
    began, cpu = time.perf_counter(), cpu_time(server.process.pid)
    query = urlencode({"q": text, "limit": 10_000} | ({"group": group} if group else {}))
    connection.request("GET", f"/ptytasks/api/search?{query}", headers={"Authorization": f"token {server.token}"})
    response = connection.getresponse()
    lines, first = [response.readline()], time.perf_counter() - began
    lines += response.read().splitlines()
    took = _Took(time.perf_counter() - began, cpu_time(server.process.pid) - cpu, first)
    connection.close()
    found = sum("line" in json.loads(line) for line in lines)
    if found != hits:
        raise BenchmarkFailed(f"the search has {found} hits, not {hits}: {lines[-1]!r}")
    return took


def _grep(server: Server, text: str, hits: int, tasks: list[str]) -> _Took:
    """Return what a search by grep takes; each text is once more where the command is noted."""
    paths = [os.path.join(server.tasks_dir, task) for task in tasks]
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(["grep", "-rF", "--include=*.log", "--", text, *paths], capture_output=True, check=False)
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    # Bars are not text for grep, as it says, wherever a character is cut.
    if done.stdout.count(b".log") != hits:
        raise BenchmarkFailed(f"grep has other hits: {done.stdout[-200:]!r} {done.stderr[-200:]!r}")
    return _Took(took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
