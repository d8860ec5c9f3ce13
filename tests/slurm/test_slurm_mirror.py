"""Jobs whose directories the server sees through the cache of a network file system: their output comes at once all the
same, and byte for byte.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.client.live import ended, until
from tests.slurm.conftest import at_cluster, end_tasks
from tests.slurm.late import CACHED, CAN_MOUNT, LateServer
from tests.slurm.test_slurm_tasks import SLURM, files, output, started
from tests.ssh.sshd import content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyter_ptytasks.client import Task
    from tests.slurm.cluster import Cluster

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CAN_MOUNT, reason="there is no sshfs (and sftp-server), or one may not mount it"),
]
ECHOES = "echo ready; while read line; do echo got $line; done"


@pytest.fixture(scope="module")
def late(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LateServer]:
    """Yield a server that is late to see what the nodes write."""
    server = LateServer(tmp_path_factory.mktemp("late").resolve(), "--PtyTasksApp.slurm_interval=0.3")
    with at_cluster(cluster):
        try:
            yield server.start()
        finally:
            end_tasks(server)
            server.stop()


def is_late(late: LateServer, task: Task, marker: bytes) -> bool:
    """Return whether the server does not see in the files of a task what is in them."""
    there = b"".join(log for _, log, _ in content(files(late, task).output))
    assert marker in there
    return marker not in b"".join(path.read_bytes() for path in sorted(late.seen(files(late, task)).glob("*.log")))


def test_a_viewer_sees_at_once_what_the_files_show_later(late: LateServer) -> None:
    with late.client() as client:
        (place,) = [place for place in client.places() if place["name"] == SLURM]
        assert (place["shares_files"], place["output"]) == (True, "mirror")
        task = client.create(ECHOES, name="echoes", place=SLURM)
        started(client, task)
        with late.terminal("attach", task["id"]) as one, late.terminal("attach", task["id"]) as other:
            for terminal in (one, other):
                terminal.until(b"ready")
            for number in range(5):
                [path.read_bytes() for path in late.seen(files(late, task)).glob("*.log")]  # so they are in the cache
                marker = b"number %d." % number
                one.type(marker + b"\r")
                other.until(b"got " + marker)
                if is_late(late, task, marker):
                    break
            else:
                pytest.fail("the files have shown at once what the nodes have written")
            assert marker.decode() in output(client, task)
