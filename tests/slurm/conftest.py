"""A two-node Slurm cluster for all tests, and a server for each module."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import pytest

# As in tests/client.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from jupyter_ptytasks.client import RequestFailed
from tests.client.live import LiveServer
from tests.elsewhere import at_cluster, slurm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.slurm.cluster import Cluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Yield a cluster where jobs can run."""
    with slurm(tmp_path_factory) as found:
        yield found


@pytest.fixture(scope="module")
def serving(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Yield a server whose place `slurm` is the cluster. Programs in its `bin` come before those of the system."""
    home = tmp_path_factory.mktemp("home").resolve()
    (home / "bin").mkdir()
    server = LiveServer(home, "--PtyTasksApp.slurm_interval=0.3", "--PtyTasksApp.slurm_per_minute=1000")
    with at_cluster(cluster) as patch:
        patch.setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
        # Of another job, in which the server would run.
        patch.setenv("SLURM_JOB_ID", "1234567")
        patch.setenv("SLURM_CPUS_PER_TASK", "64")
        patch.setenv("SECRET_OF_THE_SERVER", "hunter2")
        try:
            yield server.start()
        finally:
            end_tasks(server)
            server.stop()


@pytest.fixture
def live(serving: LiveServer) -> Iterator[LiveServer]:
    """Yield the server; in the end it has no tasks, and no programs in the way."""
    yield serving
    for program in (serving.home / "bin").iterdir():
        program.unlink()
    serving.revive()
    end_tasks(serving)


def end_tasks(server: LiveServer, besides: str = "") -> None:
    """Stop all tasks of a server, but for one."""
    with server.client() as client:
        for task in client.list()["tasks"]:
            if task["id"] == besides:
                continue
            with contextlib.suppress(RequestFailed):  # it has ended
                client.stop(task["id"], signals=["SIGKILL"])


@pytest.fixture
def bin_dir(live: LiveServer) -> Path:
    """Return where programs come before those of the system."""
    return live.home / "bin"
