"""Jobs whose files the server sees through the cache of a network file system: output arrives immediately, byte for
byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from jupyter_ptytasks.core.ring.format import list_bases
from tests.client.live import LiveServer, ended, until
from tests.elsewhere import at_cluster
from tests.slurm.conftest import end_tasks
from tests.slurm.jobs import SLURM, files, host_pid, started
from tests.slurm.late import CAN_MOUNT, LateServer
from tests.ssh.sshd import content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_ptytasks.client import Client, Task
    from tests.slurm.cluster import Cluster

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CAN_MOUNT, reason="there is no sshfs (and sftp-server), or one may not mount it"),
]
SMALL = ("--PtyTasksApp.ring_size=262144", "--PtyTasksApp.segment_size=32768")


@pytest.fixture(scope="module")
def late(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LateServer]:
    """Yield a server that is late to see what the nodes write."""
    server = LateServer(tmp_path_factory.mktemp("late").resolve(), "--PtyTasksApp.slurm_interval=0.3", *SMALL)
    with at_cluster(cluster):
        try:
            server.start()
            yield server
        finally:
            end_tasks(server)
            server.stop()


def whole(live: LiveServer, task: Task) -> bytes:
    """Return all output of a task, from its files on the node."""
    return b"".join(log for _, log, _ in content(files(live, task).output))


def last_lines(client: Client, task: Task) -> str:
    return client.output(task["id"], mode="tail", tail_lines=1000)["output"]


def is_same(late: LateServer, task: Task) -> bool:
    """Return whether there is one mirror, which is the ring on the node, byte for byte."""
    try:
        return [content(str(path)) for path in late.mirrors()] == [content(files(late, task).output)]
    except FileNotFoundError:  # half of it is there
        return False


def test_viewers_see_at_once_what_the_files_show_later(late: LateServer) -> None:
    with late.client() as client:
        (place,) = [place for place in client.places() if place["name"] == SLURM]
        assert (place["shares_files"], place["output"]) == (True, "mirror")
        command = "echo ready; while read line; do echo got $line; done"
        task = client.create(command, name="echoes", place=SLURM)
        started(client, task)
        # It flushes what it writes, in a thread.
        assert psutil.Process(host_pid(late, task)).num_threads() == 2
        with late.terminal("attach", task["id"]) as one, late.terminal("attach", task["id"]) as other:
            for terminal in (one, other):
                terminal.until(b"ready")
            for number in range(20):
                late.seen(files(late, task))  # now it is in the cache
                marker = b"got number %d." % number
                one.type(b"number %d.\r" % number)
                other.until(marker)
                assert marker in whole(late, task)
                # On a busy machine the cache may have expired meanwhile.
                if marker not in late.seen(files(late, task)):
                    break
            else:
                pytest.fail("the files have shown at once what the nodes have written")
            assert marker.decode() in last_lines(client, task)
            until(lambda: is_same(late, task), "the mirror to be the same")


def test_a_ring_that_rolls_a_server_that_is_killed_and_the_end(late: LateServer) -> None:
    with late.client() as client:
        command = "stty -echo; seq 1 30000; read x; seq 30001 60000; read x; seq 60001 61000; exit 3"
        task = client.create(command, name="counts", place=SLURM)
        started(client, task)
        end_tasks(late, besides=task["id"])
        with late.terminal("attach", task["id"]) as terminal:
            terminal.until(b"30000\r\n")
            terminal.type(b"\r")
            terminal.until(b"60000\r\n")
            until(lambda: is_same(late, task), "the mirror to be the same")
            assert list_bases(files(late, task).output)[0] > 0
            (left,) = late.mirrors()
            late.kill9()
        late.revive()
        with late.terminal("attach", task["id"]) as terminal:
            terminal.until(b"60000\r\n")
            until(lambda: not left.exists() and is_same(late, task), "a mirror of the next server")
            terminal.type(b"\r")
            terminal.until(b"61000\r\n")
            terminal.until(b"[exited 3]")
        done = ended(client, task["id"])
        assert (done["state"], done["exit"]) == ("failed", {"code": 3, "signal": None})
        assert last_lines(client, task) == "".join(f"{number}\n" for number in range(60_001, 61_001))
        kept = whole(late, task).split(b"\r\n")
        assert kept == [b"%d" % number for number in range(61_001 - len(kept) + 1, 61_001)] + [b""]
        # The files show all of it by now, or soon.
        until(lambda: not late.mirrors(), "the mirror to be removed")
        assert last_lines(client, task).endswith("\n61000\n")


def test_without_space_for_the_mirror_the_files_are_read(late: LateServer) -> None:
    late.fill_mirrors()
    with late.client() as client:
        task = client.create("stty -echo; echo ready; read x; seq 1 30000; exit 3", name="fills", place=SLURM)
        started(client, task)
        with late.terminal("attach", task["id"]) as terminal:
            terminal.until(b"ready")
            terminal.type(b"\r")
            terminal.until(b"30000\r\n")
            terminal.until(b"[exited 3]")
        assert ended(client, task["id"])["exit"] == {"code": 3, "signal": None}
    assert f"task {task['id']}: its output is read from the shared files" in (late.home / "server.log").read_text()
