"""A search of the output of many tasks, beside grep's of the same files."""

from __future__ import annotations

import json
import os
import subprocess
import time
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from benchmarks.plan import BenchmarkFailed, wait_until
from benchmarks.programs import write_log
from benchmarks.results import Must, Row, Series, ratio, show
from benchmarks.servers import TASKS, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.plan import Plan

_SIZE = 5 << 20
#: How many tasks write at the same time.
_AT_ONCE = 10
#: What is searched for, and how many hits each task has.
_TEXTS = {"once in each": ("the one line of this task", 1), "nowhere": ("a line that no task has printed", 0)}


def searching(plan: Plan) -> Iterator[Row]:
    """`GET /search` and `grep` in turn, with everything in memory."""
    count = plan.pick(200, 50)
    with Server(plan.directory) as server:
        plan.say(f"writing the output of {count} tasks")
        _write(server, plan, count)
        whole = f"search {show(count * _SIZE, 'B')} of {count} tasks"
        for what, (text, hits) in _TEXTS.items():
            plan.say(f"searching for what is {what}")
            ours, first, peer = [], [], []
            for _ in range(plan.pick(5, 3)):
                took, until_first = _search(server, text, hits * count)
                ours.append(took)
                first.append(until_first)
                peer.append(_grep(server, text, hits * count))
            measured, grep = Series(tuple(ours), "s"), Series(tuple(peer), "s")
            yield Row(
                f"{whole} for what is {what} ÷ grep",
                ratio(measured, grep),
                measured,
                {"grep": grep},
                Must(2.5, "ratio"),
            )
            if hits:
                found = Series(tuple(first), "s")
                yield Row(f"{whole}: the first hit", found, found, {}, Must(0.1, "s"))


def _write(server: Server, plan: Plan, count: int) -> None:
    path = os.path.join(plan.directory, "searched")
    write_log(path, _SIZE)
    with open(path, "r+b") as file:
        # What is behind a sequence that is cut off is a part of it.
        file.truncate(file.read().rindex(b"\n") + 1)
    text = _TEXTS["once in each"][0]
    for begin in range(0, count, _AT_ONCE):
        for _ in range(min(_AT_ONCE, count - begin)):
            server.rest.request("POST", TASKS, {"command": f"cat {path}; echo {text}"})
        wait_until(
            lambda: not server.rest.request("GET", f"{TASKS}?state=running")["tasks"], "they had ended", every=0.1
        )
    os.unlink(path)


def _search(server: Server, text: str, hits: int) -> tuple[float, float]:
    """Return the seconds of a search, and those until its first line."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=600)
    began = time.perf_counter()
    query = urlencode({"q": text, "limit": 10_000})
    connection.request("GET", f"/ptytasks/api/search?{query}", headers={"Authorization": f"token {server.token}"})
    response = connection.getresponse()
    lines, first = [response.readline()], time.perf_counter() - began
    lines += response.read().splitlines()
    took = time.perf_counter() - began
    connection.close()
    found = sum("line" in json.loads(line) for line in lines)
    if found != hits:
        raise BenchmarkFailed(f"the search has {found} hits, not {hits}: {lines[-1]!r}")
    return took, first


def _grep(server: Server, text: str, hits: int) -> float:
    """Return the seconds of a search by grep; each text is once more where the command is noted."""
    began = time.perf_counter()
    done = subprocess.run(
        ["grep", "-rF", "--include=*.log", "--", text, server.tasks_dir], capture_output=True, check=False
    )
    took = time.perf_counter() - began
    if len(done.stdout.splitlines()) != hits:
        raise BenchmarkFailed(f"grep has other hits: {done.stdout[-200:]!r} {done.stderr[-200:]!r}")
    return took
