"""One script that prints its loss and logs it with trackio: both must know the same number in the end.

trackio may be installed for another Python, which PTYTASKS_TRACKIO_PYTHON names.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from .plan import BenchmarkFailed, wait_until
from .results import Must, Row, Series
from .servers import TASKS, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .plan import Plan

_SCRIPT = """
import math, random, trackio
trackio.init(project="twin", name="run", embed=False)
for step in range(200):
    loss = math.exp(-step / 50) + random.random() / 50
    print(f"step {step} loss {loss}")
    trackio.log({"loss": loss}, step=step)
trackio.finish()
"""


def final_loss(plan: Plan) -> Iterator[Row]:
    """Run the script as a task. Raises BenchmarkFailed if trackio is not installed."""
    python = os.environ.get("PTYTASKS_TRACKIO_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import trackio"], capture_output=True, check=False).returncode:
        raise BenchmarkFailed("trackio is not installed")
    plan.say("a loss that is printed and logged with trackio")
    logged = os.path.join(plan.directory, "trackio")
    with Server(plan.directory) as server:
        request = {"command": [python, "-c", _SCRIPT], "env": {"TRACKIO_DIR": logged, "HF_HUB_OFFLINE": "1"}}
        path = f"{TASKS}/{server.rest.request('POST', TASKS, request)['id']}"
        wait_until(lambda: server.rest.request("GET", path)["ended"], "the script had ended", every=0.1)
        task = server.rest.request("GET", path)
    if task["state"] != "succeeded" or "loss" not in task["metrics"]:
        raise BenchmarkFailed(f"the script has {task['state']}, with metrics {task['metrics']}")
    with closing(sqlite3.connect(os.path.join(logged, "twin.db"))) as database:
        [metrics] = database.execute("SELECT metrics FROM metrics ORDER BY step DESC LIMIT 1").fetchone()
    theirs, ours = json.loads(metrics)["loss"], task["metrics"]["loss"]["value"]
    difference = Series((abs(ours - theirs),), "")
    peers = {"trackio": Series((theirs,), "")}
    yield Row("final loss: difference to what trackio has logged", difference, Series((ours,), ""), peers, Must(0, ""))
