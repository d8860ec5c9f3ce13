"""The ptyhost of a program that floods its viewers has a lower priority for as long as the flood lasts."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.platform import priority
from jupyter_ptytasks.ptyhost.flood import PERIOD, Flood
from tests.ptyhost.hosting import wait_until

if TYPE_CHECKING:
    from tests.ptyhost.hosting import Hosted

TRANSPORTS = ("unix",)
MUCH = 512 << 10


class Priority:
    """Takes note of what a flood asks for; `busy` as the kernel may be."""

    def __init__(self) -> None:
        self.asked: list[bool] = []
        self.busy = False

    def give_way(self, *, on: bool) -> bool:
        self.asked.append(on)
        return not self.busy


def test_a_flood_begins_with_much_in_a_second_and_ends_with_little_in_one() -> None:
    asked = Priority()
    flood = Flood(asked.give_way)
    assert not flood.note(MUCH, 100.0), "in a hundred seconds"
    assert not flood.note(MUCH // 2, 100.5)
    assert not flood.note(MUCH // 2, 101.5), "in more than a second"
    assert flood.note(MUCH, 101.5 + PERIOD / 2)
    assert (flood.is_on, asked.asked) == (True, [True])
    flood.note(MUCH // 4, 102.5)
    assert flood.look(), "slower than it began, because it gives way"
    flood.note(MUCH // 16, 103.5)
    assert not flood.look()
    assert (flood.is_on, asked.asked) == (False, [True, False])


def test_changes_refused_by_the_kernel_are_retried() -> None:
    asked = Priority()
    flood = Flood(asked.give_way)
    asked.busy = True
    assert flood.note(MUCH, 0.5)
    asked.busy = False
    flood.note(MUCH, 1.0)
    assert flood.look()
    assert asked.asked == [True, True]
    asked.busy = True
    assert flood.look(), "it is over, but has not been told to the kernel"
    assert not flood.is_on
    asked.busy = False
    assert not flood.look()
    assert asked.asked == [True, True, False, False]


def test_work_aside_is_done_when_it_returns_and_raises_what_it_raises() -> None:
    done: list[int] = []
    priority.work_aside(lambda: done.append(1))
    assert done == [1]
    with pytest.raises(ZeroDivisionError):
        priority.work_aside(lambda: done.append(1 // 0))


def priorities(pid: int) -> tuple[set[int], str]:
    """Return the priorities of the threads of a process, and that of its session; empty if sessions have none."""
    threads = {os.getpriority(os.PRIO_PROCESS, int(thread)) for thread in os.listdir(f"/proc/{pid}/task")}
    try:
        with open(f"/proc/{pid}/autogroup", encoding="ascii") as file:
            return threads, file.read().rpartition(" ")[2].strip()
    except OSError:
        return threads, ""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, threads have no priority of their own")
def test_a_ptyhost_gives_way_during_a_flood_and_is_as_before_afterwards(hosted: Hosted) -> None:
    hosted.start("sh", "-c", "yes & read _; kill $!; wait; echo calm; read _; exec yes")
    before = priorities(hosted.host_pid)
    (own,), session = before
    during = {own, min(own + 5, 19)}, session and "5"
    link, viewer = hosted.connect(role="link"), hosted.viewer("one")
    begun = link.ask_status()["output"]["end"]
    wait_until(lambda: link.ask_status()["output"]["end"] > begun + 4 * MUCH)
    assert priorities(hosted.host_pid) == before, "no one looks on"
    link.send(wire.WATCH, b"\1")
    wait_until(lambda: priorities(hosted.host_pid) == during)
    link.send(wire.WATCH, b"\0")
    wait_until(lambda: priorities(hosted.host_pid) == before)
    link.send(wire.WATCH, b"\1")
    wait_until(lambda: priorities(hosted.host_pid) == during)
    viewer.send(wire.INPUT, b"\r")
    hosted.wait_output(b"calm")
    wait_until(lambda: priorities(hosted.host_pid) == before)
    viewer.send(wire.INPUT, b"\r")
    wait_until(lambda: priorities(hosted.host_pid) == during)
    os.kill(hosted.host_pid, signal.SIGTERM)
    assert hosted.ended()["reason"] == "host_terminated", "signals are handled in the meantime"
    assert hosted.log() == ""
