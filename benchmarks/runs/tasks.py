"""Tasks that have ended, as if they had run."""

from __future__ import annotations

import os
import time
from contextlib import closing
from typing import TYPE_CHECKING

from benchmarks.plan import wait_until
from benchmarks.servers import TASKS
from jupyter_ptytasks.core.metrics import MetricsReader, Series, summary
from jupyter_ptytasks.core.metrics.stored import Attempt, encode
from jupyter_ptytasks.core.model import Kind, Task, new_id
from jupyter_ptytasks.core.states import State
from jupyter_ptytasks.storage.database import Database
from jupyter_ptytasks.storage.task_dirs import TaskDirs

if TYPE_CHECKING:
    from benchmarks.servers import Server


def fill(server: Server, count: int, *, points: int = 10) -> list[str]:
    """Give a server tasks with a loss of so many points, and return their ids; it knows them then."""
    directory = os.path.join(server.home, "data", "ptytasks")
    dirs = TaskDirs(directory, [os.path.join(server.home, "run", "ptytasks")])
    begun = time.time() - count - 60
    tasks = []
    for number in range(count):
        created = begun + number
        loss = Series("loss", 0, sure=True)
        for step in range(points):
            loss.add(created + 60 * step / points, step, (1 + number % 7) / (step + 1))
        task = Task(
            id=new_id(created), name=f"train-resnet50-lr1e-4-seed{number * 7919 % 5000}",
            command=f"python train.py --seed {number}", kind=Kind.COMMAND, cwd="/", state=State.SUCCEEDED,
            created=created, started=created, ended=created + 60, provisioner="local", tags=("night",),
            metrics=summary([loss]),
        )  # fmt: skip
        tasks.append(task)
        if points > 10:
            files = dirs.files(task.id)
            os.makedirs(files.dir, 0o700)
            with open(files.metrics, "wb") as file:
                file.write(encode([Attempt(1, 0, MetricsReader().state(), [loss])]))
    with closing(Database(os.path.join(directory, "tasks.db"), dirs.tasks, dirs.task)) as database:
        database.put(tasks)
    path = f"{TASKS}?limit=1000&fields=name"
    wait_until(lambda: len(server.rest.request("GET", path)["tasks"]) == min(count, 1000), "the tasks were known")
    return [task.id for task in tasks]
