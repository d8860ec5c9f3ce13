"""The clock of the scheduler is set forward and back: delayed tasks start when the clock says so, and do not delay
others.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core.model import Exit
from jupyter_ptytasks.core.queue.turn import Retry
from jupyter_ptytasks.core.states import State
from jupyter_ptytasks.provision.base import Launched
from jupyter_ptytasks.scheduler.places import Places
from jupyter_ptytasks.scheduler.work import Work
from jupyter_ptytasks.storage.database import Database
from jupyter_ptytasks.storage.task_dirs import TaskDirs
from tests.client.live import until
from tests.core.made_tasks import make

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jupyter_ptytasks.core.model import Task
    from tests.client.live import LiveServer

NOW = 1_800_000_000.0
HOUR = 3600.0
#: Runs the scheduler with a clock that is ahead of the machine's by the seconds in a file.
RUN = """
import sys, time, types
from jupyter_ptytasks.scheduler import process

data_dir, runtime_dir, ahead = sys.argv[1:]

def now():
    with open(ahead) as file:
        return time.time() + float(file.read())

process.time = types.SimpleNamespace(time=now, monotonic=time.monotonic, sleep=time.sleep, strftime=time.strftime)
process._STAY = 600.0
process.main(data_dir, runtime_dir)
"""


# -- one step after the other -----------------------------------------------------------------------------------------


class Queue:
    """What a scheduler works on, but for the processes: `started` are the ids of the tasks that it has started."""

    def __init__(self, directory: Path) -> None:
        self.started: list[str] = []
        self.dirs = TaskDirs(str(directory))
        self.database = Database(str(directory / "tasks.db"), self.dirs.tasks)
        provisioner = SimpleNamespace(
            name="local", reap=lambda: None, poll=lambda tasks: {}, launch=lambda task, *_: self._launch(task)
        )
        groups = SimpleNamespace(all=dict)
        self.work = Work(
            database=self.database,
            task_dirs=self.dirs,
            groups=groups,  # type: ignore[arg-type]
            provisioner=provisioner,  # type: ignore[arg-type]
            places=Places(lambda _: None),
            limit=lambda: 100,
            gpus=list,
        )

    def _launch(self, task: Task) -> Launched:
        self.started.append(task.id)
        return Launched(1, 1, NOW)

    def add(self, task: Task) -> None:
        """Put a task into the database, and what a start needs into its directory."""
        with contextlib.closing(self.dirs.create({"id": task.id})):
            self.dirs.specs.write_environment(task.id, {})
        self.database.put([task])


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    made = Queue(tmp_path / "data")
    yield made
    made.database.close()


def test_a_clock_that_is_set_back_delays_no_second_try(queue: Queue) -> None:
    task = make(1)
    queue.add(task)
    lock = queue.dirs.lock(task.id)
    assert lock is not None
    with lock:  # the last ptyhost has not left yet
        look = queue.work.step(NOW)
    assert queue.started == []
    assert look is not None
    assert NOW < look < NOW + 1
    queue.work.step(NOW - HOUR)
    assert queue.started == [task.id]


def test_an_end_in_the_future_does_not_delay_a_retry(queue: Queue) -> None:
    task = make(1, State.FAILED, retry=Retry(1)).with_(ended=NOW + 24 * HOUR, exit=Exit(1))
    queue.add(task)
    assert queue.work.step(NOW) == pytest.approx(NOW + 30)
    assert queue.started == []
    queue.work.step(NOW + 31)
    assert queue.started == [task.id]


# -- a process --------------------------------------------------------------------------------------------------------


@pytest.fixture
def set_clock(
    start_server: Callable[..., LiveServer], tmp_path: Path
) -> Iterator[tuple[LiveServer, Callable[[float], None]]]:
    """A server whose scheduler has a clock of its own, and the function that sets it ahead by some seconds."""
    server = start_server()
    ahead = tmp_path / "ahead"

    def set_ahead(seconds: float) -> None:
        draft = tmp_path / "ahead.draft"
        draft.write_text(str(seconds))
        draft.rename(ahead)

    set_ahead(0.0)
    data_dir, runtime_dir = server.home / "data" / "ptytasks", server.runtime / "ptytasks"

    def pid() -> Any:
        with contextlib.suppress(OSError, ValueError):
            return json.loads((data_dir / "scheduler.pid.json").read_text())["pid"]
        return None

    # Before there is anything to do, for which the server would start one with the clock of the machine.
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(data_dir), str(runtime_dir), str(ahead)], env=server.environ
    )
    try:
        until(lambda: pid() == process.pid, "the scheduler with another clock")
        yield server, set_ahead
        assert process.poll() is None, "another scheduler may have done it"
    finally:
        process.kill()
        process.wait(10)


def moment(seconds: float) -> str:
    """Return the system time, shifted by this many seconds."""
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat()


def test_the_clock_is_set_forward_and_back(
    set_clock: tuple[LiveServer, Callable[[float], None]], tmp_path: Path
) -> None:
    server, set_ahead = set_clock
    log = tmp_path / "log"

    with server.client() as client:

        def create(name: str, **about: Any) -> None:
            client.create(f"echo {name} >> {log}", name=name, **about)

        def ends(name: str) -> bool:
            return client.wait(name, 30)["state"] == "succeeded"

        create("past", not_before=moment(-HOUR))
        assert ends("past")
        create("soon", not_before=moment(HOUR))
        create("other", after=["past"])
        assert ends("other")
        assert client.get("soon")["state"] == "queued"
        set_ahead(2 * HOUR)
        assert ends("soon")
        # Two hours before the time of `ago`, which is in the past of the machine.
        set_ahead(-3 * HOUR)
        create("ago", not_before=moment(-HOUR))
        client.set_group("g", slots=1)
        create("first", group="g")
        create("second", group="g")
        assert ends("first")
        assert ends("second")
        assert client.get("ago")["state"] == "queued"
        # It ends hours later than the scheduler's clock shows, and is run again all the same.
        client.create(f"echo again >> {log}; exit 1", name="again", retry={"max": 1, "delay": 0.1})
        until(lambda: client.get("again")["attempt"] == 2 and client.get("again")["state"] == "failed", "a retry")
        set_ahead(0.0)
        assert ends("ago")
    names = ["past", "soon", "other", "ago", "first", "second", "again", "again"]
    assert sorted(log.read_text().split()) == sorted(names)
