"""Processes that outlive their command are listed in the exit record, and can be killed with it."""

from __future__ import annotations

import os
import signal
import subprocess
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core import leftovers
from jupyter_ptytasks.core.machine import boot_id, start_time
from tests.ptyhost.hosting import Hosted, is_alive, wait_until
from tests.ptyhost.test_stop import running_with

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Two that stay, each in a session of its own and one with a child; one that goes with the terminal.
WORKERS = """
for i in 1 2; do setsid sh -c 'sleep 1000 & wait' >/dev/null 2>&1 </dev/null & done
sleep 1000 &
sleep 0.3
exit 3
"""


@pytest.fixture
def workers(hosted: Hosted) -> Iterator[dict[str, Any]]:
    """What the exit record says of a command's workers."""
    hosted.start("sh", "-c", WORKERS)
    record = hosted.ended()
    assert record["code"] == 3
    left = record["leftover"]
    yield left
    leftovers.send(leftovers.alive(left), signal.SIGKILL)


def test_what_is_left_is_named(workers: dict[str, Any]) -> None:
    assert workers["count"] == 4
    assert workers["boot_id"] == boot_id()
    processes = [tuple(one) for one in workers["processes"]]
    assert len(processes) == 4
    assert all(start_time(pid) == start for pid, start in processes)
    assert sorted(leftovers.alive(workers)) == sorted(processes)
    # Parents come first.
    parents = {pid: parent(pid) for pid, _ in processes}
    assert [parents[pid] in parents for pid, _ in processes] == [False, False, True, True]


def parent(pid: int) -> int:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[1])


def test_what_is_left_can_be_ended(workers: dict[str, Any]) -> None:
    assert leftovers.send(leftovers.alive(workers), signal.SIGTERM) == 4
    wait_until(lambda: leftovers.alive(workers) == [])
    assert leftovers.send([(pid, start) for pid, start in workers["processes"]], signal.SIGKILL) == 0


def test_children_are_found_where_only_their_parents_are_named(workers: dict[str, Any]) -> None:
    named = {**workers, "processes": workers["processes"][:2]}
    assert len(leftovers.alive(named)) == 4


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {},
        [],
        "x",
        {"boot_id": boot_id()},
        {"boot_id": boot_id(), "processes": 5},
        {"boot_id": boot_id(), "processes": [5, [1], [1, 2, 3], ["a", "b"], [1, 1], [0, 0], [-1, 5], [True, True]]},
    ],
)
def test_a_record_that_says_nothing_of_the_kind(wrong: object) -> None:
    assert leftovers.alive(wrong) == []


def test_no_other_process_is_ended() -> None:
    """A process with the same pid that started at another time or boot is a different process."""
    with subprocess.Popen(["sleep", "1000"]) as other:
        start = start_time(other.pid)
        assert leftovers.alive({"boot_id": "another", "processes": [[other.pid, start]]}) == []
        assert leftovers.alive({"boot_id": boot_id(), "processes": [[other.pid, start + 1]]}) == []
        assert leftovers.send([(other.pid, start + 1)], signal.SIGKILL) == 0
        assert other.poll() is None
        assert leftovers.alive({"boot_id": boot_id(), "processes": [[other.pid, start]]}) == [(other.pid, start)]
        assert leftovers.send([(other.pid, start)], signal.SIGKILL) == 1
    assert leftovers.send([(os.getpid(), start_time(os.getpid()))], signal.SIGKILL) == 0


def test_a_starter_about_to_leave_is_not_used(hosted: Hosted) -> None:
    """The hang-up at the end of the command ends them; some take a moment."""
    hosted.python(
        "import os, signal, time\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        signal.signal(signal.SIGHUP, lambda *_: (time.sleep(0.05), os._exit(0)))\n"
        "        while True: time.sleep(1)\n"
        "time.sleep(0.2)"
    )
    record = hosted.ended()
    assert record["leftover"]["count"] == 0
    assert record["ended"] - record["started"] < 5


def test_a_stop_leaves_no_process(hosted: Hosted) -> None:
    hosted.start("sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 </dev/null & sleep 0.2; echo ready; cat")
    hosted.wait_output(b"ready")
    hosted.stop()
    assert hosted.ended()["leftover"]["count"] == 0


def test_many_are_counted_and_some_named(hosted: Hosted) -> None:
    mark = f"1000.{uuid.uuid4().int % 10**12}"
    hosted.start("sh", "-c", f"for i in $(seq 40); do setsid sleep {mark} >/dev/null 2>&1 </dev/null & done; sleep 0.3")
    left = hosted.ended()["leftover"]
    try:
        assert (left["count"], len(left["processes"])) == (40, 32)
        assert os.path.getsize(hosted.files.exit) <= 4096
    finally:
        for pid in running_with(mark.encode()):
            os.kill(pid, signal.SIGKILL)


def test_a_command_that_leaves_no_process_ends_at_once(hosted: Hosted) -> None:
    hosted.start("true")
    record = hosted.ended()
    assert record["leftover"] == {"count": 0, "processes": [], "boot_id": boot_id()}
    assert not is_alive(hosted.host_pid)
