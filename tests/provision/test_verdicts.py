"""Tasks whose Slurm jobs change while they are judged: threads receive answers of squeue at any time."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core.files import write_json
from jupyter_ptytasks.core.states import State
from jupyter_ptytasks.provision.commands import Commands
from jupyter_ptytasks.provision.handles import Handles
from jupyter_ptytasks.provision.jobs import Jobs
from jupyter_ptytasks.provision.shared import Shared
from jupyter_ptytasks.provision.verdicts import Verdicts
from jupyter_ptytasks.storage.task_dirs import TaskDirs
from tests.core.made_tasks import make

if TYPE_CHECKING:
    from pathlib import Path

TASK = make(1).with_(state=State.QUEUED, provisioner="slurm")
HOST = {"attempt": 1, "host_pid": 7, "pid": 8, "socket": "", "started": 1.0, "node": "n1"}
#: Of a command that a signal has ended: Slurm may requeue the job.
EXIT = {
    "attempt": 1, "code": None, "signal": "SIGTERM", "reason": "exited", "started": 1.0, "ended": 2.0, "rows": 40,
    "cols": 120, "last_output": 2.0, "was_told": True,
}  # fmt: skip


class Slurm:
    """A Slurm that has one job, in this `state`, and judges its task."""

    def __init__(self, top: Path) -> None:
        self.state = "PENDING"
        self.task_dirs = TaskDirs(str(top / "data"))
        self.files = self.task_dirs.files(TASK.id)
        os.makedirs(self.files.dir)
        handle = {"place": "slurm", "attempt": 1, "nonce": "word", "submitted": time.time(), "job": "3"}
        write_json(self.files.handle, handle)
        shared = Shared(str(top), [str(top)], "slurm")
        self.jobs = Jobs(Commands(lambda *_: (0, self.said, ""), shared), 0.0)
        self.verdicts = Verdicts(self.task_dirs, self.jobs, Handles(self.task_dirs))

    @property
    def said(self) -> str:
        return f"3|{self.state}|None|n1|N/A|N/A|ptytask:{TASK.id}:1:word\n"

    def poll(self) -> dict[str, Any]:
        return self.verdicts.poll([TASK]).get(TASK.id, {})

    def answer(self) -> None:
        """Have another thread call squeue now."""
        self.jobs._due = 0.0
        self.jobs.refresh()


@pytest.fixture
def slurm(tmp_path: Path) -> Slurm:
    """Return a Slurm with a pending job."""
    slurm = Slurm(tmp_path)
    assert slurm.poll()["state"] is State.QUEUED
    return slurm


@pytest.mark.parametrize("record", ["host", "exit"])
def test_a_job_that_starts_while_it_is_judged_is_not_requeued(
    slurm: Slurm, monkeypatch: pytest.MonkeyPatch, record: str
) -> None:
    write_json(slurm.files.host, HOST)
    if record == "exit":
        write_json(slurm.files.exit, EXIT)
    # Its files were there before squeue says so.
    assert "attempt" not in slurm.poll()
    read = slurm.task_dirs.read_exit

    def read_slowly(*args: Any, **options: Any) -> Any:
        slurm.state = "RUNNING"
        slurm.answer()
        return read(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(slurm.task_dirs, "read_exit", read_slowly)
        assert "attempt" not in slurm.poll()
    assert "attempt" not in slurm.poll()


@pytest.mark.parametrize("record", ["host", "exit"])
def test_a_job_that_waits_again_is_the_next_attempt(slurm: Slurm, record: str) -> None:
    write_json(slurm.files.host, HOST)
    if record == "exit":
        write_json(slurm.files.exit, EXIT)
    assert "attempt" not in slurm.poll()
    slurm.answer()
    news = slurm.poll()
    assert (news["attempt"], news["state"]) == (2, State.QUEUED)
