"""The cost of detecting whether programs wait for input: the CPU time of ptyhosts whose tasks are silent."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

from .programs import IDLE
from .results import Must, Row, Series
from .scale import host_pid
from .servers import TASKS, Server, cpu_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .plan import Plan

_COUNT = 100
#: Seconds until looks have become as rare as they get.
_CALM = 10.0
_LIMIT = Must(0.05, "%")
_READS = "read line"


def silent(plan: Plan) -> Iterator[Row]:
    """A Node.js prompt, whose threads poll; and a hundred tasks, half of which wait for a line."""
    seconds = plan.pick(60, 20)
    if shutil.which("node"):
        plan.say("a prompt of node")
        used = _used(plan, [["node"]], seconds)
        yield Row("CPU of the ptyhost of a silent prompt of node, of one core", used, used, {}, _LIMIT)
    plan.say(f"{_COUNT} silent tasks")
    used = _used(plan, [IDLE if number % 2 else _READS for number in range(_COUNT)], seconds)
    what = f"CPU of the ptyhost of a silent task, of one core, of {_COUNT}"
    yield Row(what, used, used, {}, _LIMIT, f"all of them: {sum(used.values):.1f} %")


def _used(plan: Plan, commands: Sequence[str | list[str]], seconds: float) -> Series:
    """Return what the ptyhost of each command uses of a core while that is silent."""
    with Server(plan.directory) as server:
        for command in commands:
            server.rest.request("POST", TASKS, {"command": command})
        time.sleep(_CALM)
        hosts = [host_pid(server, task) for task in os.listdir(server.tasks_dir)]
        begin, before = time.monotonic(), [cpu_time(pid) for pid in hosts]
        time.sleep(seconds)
        taken = time.monotonic() - begin
        return Series(tuple(100 * (cpu_time(pid) - cpu) / taken for pid, cpu in zip(hosts, before, strict=True)), "%")
