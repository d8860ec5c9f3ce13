"""Other machines for tests: a two-node Slurm cluster, and a host reached by ssh."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.missing import missing
from tests.slurm.cluster import IS_INSTALLED, Cluster
from tests.ssh.sshd import SSHD, Sshd

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Run a cluster, and yield it when jobs can run."""
    if not IS_INSTALLED:
        missing("Slurm (slurmctld, slurmd, slurm-client)")
    found = Cluster(tmp_path_factory.mktemp("slurm").resolve())
    try:
        yield found.start()
    finally:
        found.stop()


@contextmanager
def at_cluster(cluster: Cluster) -> Iterator[pytest.MonkeyPatch]:
    """Let what is started within the block find the cluster; more can be said to it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(cluster.config))
        yield patch


@contextmanager
def host(tmp_path_factory: pytest.TempPathFactory, **env: str) -> Iterator[Sshd]:
    """Run an sshd whose logins have these variables, and yield it when it answers."""
    if SSHD is None or shutil.which("ssh") is None:
        missing("sshd (openssh-server)")
    found = Sshd(tmp_path_factory.mktemp("sshd").resolve(), **env)
    try:
        yield found.start()
    finally:
        found.stop()
