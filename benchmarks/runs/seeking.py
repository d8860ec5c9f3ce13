"""The screen of a task as it was at any moment of 64 MiB of output."""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

from benchmarks.plan import wait_until
from benchmarks.programs import write_bars, write_drawing, write_log
from benchmarks.results import Must, Row, Series
from benchmarks.servers import Server, cpu_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.plan import Plan

_SIZE = 64 << 20
_WRITERS = {"of colored log": write_log, "of progress bars": write_bars, "drawn by cursor movements": write_drawing}


def seeking(plan: Plan) -> Iterator[Row]:
    """Seek in each kind of output: `GET …/replay`, as the slider of a tab does, while the loop answers others."""
    with Server(plan.directory) as server:
        for name, write in _WRITERS.items():
            plan.say(f"seeking in 64 MiB {name}")
            path = os.path.join(plan.directory, "seek")
            write(path, _SIZE)
            with server.task(["cat", path]) as terminal:
                wait_until(lambda: server.rest.request("GET", terminal.path)["ended"], "it was written", every=0.1)
                bounds = server.rest.request("GET", terminal.path)["output"]
                chance = random.Random(5)
                took, used = [], []
                for _ in range(plan.pick(30, 15)):
                    offset = chance.randrange(bounds["start"], bounds["end"])
                    before, began = cpu_time(server.pid), time.perf_counter()
                    server.rest.request("GET", f"{terminal.path}/replay?offset={offset}")
                    took.append(time.perf_counter() - began)
                    used.append(cpu_time(server.pid) - before)
            measured = Series(tuple(took), "s")
            peers = {"CPU of the server": Series(tuple(used), "s")}
            what = f"the screen at any moment of 64 MiB {name}, p95"
            yield Row(what, Series((measured.percentile(95),), "s"), measured, peers, Must(0.15, "s"))
