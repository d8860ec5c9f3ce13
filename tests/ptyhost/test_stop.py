"""The stop sequence reaches the whole process tree, and no process escapes it."""

from __future__ import annotations

import os
import signal
import time
import uuid

import pytest

from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.signals import number_of
from jupyter_ptytasks.ptyhost.stop_sequence import StopSequence
from tests.ptyhost.hosting import Hosted, is_alive, wait_until

STUBBORN = """
import os, signal, sys, time
def note(number, frame):
    os.write(1, f"<{signal.Signals(number).name}>".encode())
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, note)
os.write(1, b"ready")
while True:
    time.sleep(1)
"""


def pids_in(output: bytes) -> list[int]:
    return [int(word) for word in output.split() if word.isdigit()]


def test_int_then_term_then_kill(hosted: Hosted) -> None:
    hosted.python(STUBBORN)
    hosted.wait_output(b"ready")
    hosted.stop(("SIGINT", 0.2), ("SIGTERM", 0.2), ("SIGKILL", 0))
    record = hosted.ended()
    assert (record["signal"], record["reason"]) == ("SIGKILL", "cancelled")
    assert hosted.output() == b"ready<SIGINT><SIGTERM>"


def test_a_task_that_obeys_the_first_signal_gets_no_second(hosted: Hosted) -> None:
    hosted.python("import time\ntry:\n print('ready')\n time.sleep(99)\nexcept KeyboardInterrupt:\n print('saved')")
    hosted.wait_output(b"ready")
    hosted.stop(("SIGINT", 30), ("SIGKILL", 0))
    record = hosted.ended()
    assert (record["code"], record["reason"]) == (0, "cancelled")
    assert hosted.output().endswith(b"saved\r\n")


def test_the_last_step_is_sigkill_even_if_not_named(hosted: Hosted) -> None:
    hosted.python(STUBBORN)
    hosted.wait_output(b"ready")
    hosted.stop(("SIGHUP", 0.1))
    assert hosted.ended()["signal"] == "SIGKILL"


def test_another_stop_replaces_the_sequence(hosted: Hosted) -> None:
    hosted.python(STUBBORN)
    hosted.wait_output(b"ready")
    hosted.stop(("SIGINT", 1000), reason="timed_out")
    hosted.wait_output(b"<SIGINT>")
    hosted.stop(("SIGKILL", 0))
    record = hosted.ended()
    assert (record["signal"], record["reason"]) == ("SIGKILL", "timed_out")


def test_descendants_in_sessions_of_their_own_are_stopped_too(hosted: Hosted) -> None:
    hosted.start("sh", "-c", "setsid sh -c 'trap \"\" INT TERM HUP; echo $$; sleep 1000' & sleep 1000 & echo $!; wait")
    wait_until(lambda: len(pids_in(hosted.output())) == 2)
    pids = pids_in(hosted.output())
    assert all(is_alive(pid) for pid in pids)
    hosted.stop(("SIGTERM", 0.3), ("SIGKILL", 0))
    hosted.ended()
    assert not any(is_alive(pid) for pid in pids)


def test_orphans_of_a_command_that_obeyed_are_stopped_too(hosted: Hosted) -> None:
    hosted.start("sh", "-c", "setsid nohup sleep 1000 >/dev/null 2>&1 & echo $!; sleep 0.2; exec sleep 1000")
    orphan = pids_in(hosted.wait_output(b"\n"))[0]
    hosted.stop(("SIGTERM", 5), ("SIGKILL", 0))
    hosted.ended()
    assert not is_alive(orphan)


def test_a_paused_tree_is_stopped(hosted: Hosted) -> None:
    hosted.start("sh", "-c", "echo ready; sleep 1000; echo never")
    hosted.wait_output(b"ready")
    link = hosted.connect(role="link")
    link.send_json(wire.SIGNAL, signal="SIGSTOP", target="tree")
    link.wait_status(lambda status: status["paused"])
    link.send_json(wire.STOP, ladder=[["SIGTERM", 30]], reason="cancelled")
    assert hosted.ended(patience=10)["reason"] == "cancelled"


@pytest.mark.parametrize("own_session", [False, True])
def test_a_task_that_forks_without_end_is_stopped(hosted: Hosted, own_session: bool) -> None:
    """Each process forks the next and exits: no list of pids is ever complete."""
    mark = uuid.uuid4().hex
    hosted.python(
        f"""
import os, signal, time  # {mark}
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
end = time.monotonic() + 30  # whatever becomes of the test
def hop():
    while time.monotonic() < end:
        if os.fork():
            time.sleep(0.002)
            os._exit(0)
        if {own_session}:
            # No signal reaches more than one of them at once.
            os.setsid()
            time.sleep(0.02)
for _ in range(4):
    if os.fork() == 0:
        hop()
print('ready')
while True:
    time.sleep(1)
"""
    )
    hosted.wait_output(b"ready")
    hosted.stop(("SIGTERM", 0.1), ("SIGKILL", 0))
    hosted.ended()
    # One look may miss a chain: each of its links lives shorter than a look takes.
    assert not any(running_with(mark.encode()) for _ in range(20))


def running_with(mark: bytes) -> list[int]:
    """Return the processes that were started with `mark` in their arguments."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if mark in file.read():
                    found.append(int(name))
        except OSError:
            continue
    return found


def test_pause_and_resume_reach_the_whole_tree(hosted: Hosted) -> None:
    ticks = "while :; do echo {}; sleep 0.01; done"
    hosted.start("sh", "-c", f"setsid sh -c '{ticks.format('a')}' & {ticks.format('b')}")
    hosted.wait_output(b"a\r\n")
    link = hosted.connect(role="link")
    link.send_json(wire.SIGNAL, signal="SIGSTOP", target="tree")
    link.wait_status(lambda status: status["paused"])
    # What the terminal still held comes out; after that nothing grows any more.
    size = wait_until(lambda: stands_still(hosted))
    assert len(hosted.output()) == size
    link.send_json(wire.SIGNAL, signal="SIGCONT", target="tree")
    link.wait_status(lambda status: not status["paused"])
    wait_until(lambda: hosted.output()[size:].count(b"a") > 3 and hosted.output()[size:].count(b"b") > 3)


def stands_still(hosted: Hosted) -> int:
    """Return the size of the output if it is the same ten of its periods later."""
    before = len(hosted.output())
    time.sleep(0.1)
    return before if len(hosted.output()) == before else 0


def test_the_time_limit_stops_with_a_warning_before_it(hosted: Hosted) -> None:
    hosted.python(
        STUBBORN,
        timeout={"seconds": 1.0, "warning": {"signal": "SIGUSR1", "before": 0.7}},
        ladder=[["SIGINT", 1.0], ["SIGKILL", 0]],
    )
    record = hosted.ended()
    assert (record["signal"], record["reason"]) == ("SIGKILL", "timed_out")
    assert hosted.output() == b"ready<SIGUSR1><SIGINT>"
    assert record["ended"] - record["started"] >= 1.0


def test_a_grandchild_with_the_terminal_open_does_not_keep_the_task_alive(hosted: Hosted) -> None:
    hosted.start("sh", "-c", "trap '' HUP; sleep 1000 & echo $!; exit 5")
    record = hosted.ended(patience=10)
    assert (record["code"], record["reason"]) == (5, "exited")
    assert record["ended"] - record["started"] < 5
    # It was not asked to go: a daemon may stay, as after any shell.
    os.kill(pids_in(hosted.output())[0], signal.SIGKILL)


def test_a_command_without_a_terminal_runs_on(hosted: Hosted) -> None:
    """All processes have closed it: the end of the terminal is not the end of the task."""
    hosted.start("sh", "-c", "echo before; exec >/dev/null 2>&1 </dev/null; sleep 0.5; echo after >/dev/tty; exit 4")
    record = hosted.ended()
    assert record["code"] == 4
    assert hosted.output() == b"before\r\nafter\r\n"


def test_a_signal_to_the_leader_or_the_foreground(hosted: Hosted) -> None:
    hosted.python(STUBBORN)
    hosted.wait_output(b"ready")
    link = hosted.connect(role="link")
    expected = b"ready"
    for target in ("leader", "foreground", "tree"):
        link.send_json(wire.SIGNAL, signal="SIGUSR1", target=target)
        expected += b"<SIGUSR1>"
        hosted.wait_output(expected)


def test_a_stop_sequence_advances_in_steps() -> None:
    stop = StopSequence.from_json({"ladder": [["SIGINT", 10], ["TERM", 5], ["KILL", 7]], "reason": "cancelled"}, 100.0)
    assert stop.advance(100.0) == signal.SIGINT
    assert stop.advance(105.0) is None
    assert stop.advance(110.0) == signal.SIGTERM
    assert stop.advance(115.0) == signal.SIGKILL
    assert stop.advance(115.01) is None
    assert stop.advance(116.0) == signal.SIGKILL


@pytest.mark.parametrize("name", ["SIGNOTHING", "SIG_DFL", "9", ""])
def test_no_signal_of_that_name(name: str) -> None:
    with pytest.raises(ValueError, match="no such signal"):
        number_of(name)


def test_a_command_that_stops_itself_is_reported_as_paused(hosted: Hosted) -> None:
    hosted.start("sh", "-c", "echo ready; read go; kill -STOP $$; echo went on; read go; exit 3")
    hosted.wait_output(b"ready")
    link, viewer = hosted.connect(role="link"), hosted.viewer("one")
    assert not link.status["paused"]
    viewer.send(wire.INPUT, b"\n")
    link.wait_status(lambda status: status["paused"])
    # Whatever continues it.
    os.kill(hosted.pid, signal.SIGCONT)
    link.wait_status(lambda status: not status["paused"])
    hosted.wait_output(b"went on")
    os.kill(hosted.pid, signal.SIGSTOP)
    link.wait_status(lambda status: status["paused"])
    link.send_json(wire.SIGNAL, signal="SIGCONT", target="leader")
    link.wait_status(lambda status: not status["paused"])
    viewer.send(wire.INPUT, b"\n")
    assert hosted.ended()["code"] == 3


def test_one_of_its_processes_that_is_stopped_pauses_nothing(hosted: Hosted) -> None:
    hosted.start("sh", "-c", "sleep 1000 & echo $!; read go; exit 3")
    pid = pids_in(hosted.wait_output(b"\n"))[0]
    os.kill(pid, signal.SIGSTOP)
    link = hosted.connect(role="link")
    assert not link.ask_status()["paused"]
    hosted.stop()
    assert hosted.ended()["reason"] == "cancelled"
