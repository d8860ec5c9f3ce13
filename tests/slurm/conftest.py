"""A Slurm of two nodes for all tests, and a server for each."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

# As in tests/client.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.client.live import LiveServer
from tests.slurm.cluster import SLURMCTLD, SLURMD, Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def session_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Yield a cluster where jobs can run."""
    if SLURMCTLD is None or SLURMD is None or shutil.which("sbatch") is None:
        # Where all tests shall run, that is a failure.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "Slurm is not installed (slurmctld, slurmd, slurm-client)"
        )
    found = Cluster(tmp_path_factory.mktemp("slurm").resolve())
    try:
        yield found.start()
    finally:
        found.stop()


@pytest.fixture
def cluster(session_cluster: Cluster) -> Iterator[Cluster]:
    """Yield the cluster; in the end it has no jobs."""
    yield session_cluster
    session_cluster.run("scancel", "--me")


@pytest.fixture
def live(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[LiveServer]:
    """Yield a server whose place `slurm` is the cluster, with the options of `parametrize`; in the end its tasks are
    stopped.
    """
    monkeypatch.setenv("SLURM_CONF", str(cluster.config))
    options = ("--PtyTasksApp.slurm_interval=0.3", *getattr(request, "param", ()))
    server = LiveServer(tmp_path_factory.mktemp("home").resolve(), *options)
    try:
        yield server.start()
    finally:
        server.stop()
