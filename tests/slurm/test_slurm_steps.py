"""The job step for a connection is found from the host record, or from Slurm until that is visible."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from jupyter_ptytasks.core import slurm
from jupyter_ptytasks.core.errors import HostUnreachable
from jupyter_ptytasks.core.files import write_json
from jupyter_ptytasks.provision.slurm import SlurmProvisioner
from jupyter_ptytasks.storage.task_dirs import TaskDirs
from tests.core.made_tasks import make

if TYPE_CHECKING:
    from pathlib import Path

TASK = make(1)


def row(state: str, node: str | None) -> slurm.Row:
    return slurm.Row("7", state, None, node, None, None, TASK.id, 1, "word")


def test_a_job_is_reached_on_the_node_that_slurm_names_until_its_record_is_here(tmp_path: Path) -> None:
    dirs = TaskDirs(str(tmp_path))
    place = SlurmProvisioner(dirs, str(tmp_path), str(tmp_path / "runtime"), interval=1.0, per_minute=20, env={})
    rows, files = cast("dict[str, slurm.Row]", place.jobs.rows), dirs.files(TASK.id)
    (tmp_path / "tasks" / TASK.id).mkdir(parents=True)
    write_json(files.handle, {"place": "slurm", "attempt": 1, "nonce": "word", "job": "7", "submitted": 0.0})
    with pytest.raises(HostUnreachable):
        place._step(TASK)
    rows["7"] = row("PENDING", None)
    with pytest.raises(HostUnreachable):
        place._step(TASK)
    rows["7"] = row("RUNNING", "n1")
    assert "--nodelist=n1" in place._step(TASK)
    write_json(files.host, {"attempt": 1, "host_pid": 2, "socket": "/s", "node": "n2"})
    assert "--nodelist=n2" in place._step(TASK)
    assert place._step(TASK)[-2:] == ["relay", str(tmp_path)]
