"""When a ptyhost checks for waiting, and what it reports: with artificial evidence, and with real programs."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.platform import foreground
from jupyter_ptytasks.core.waiting.classify import Evidence
from jupyter_ptytasks.ptyhost.waiting import AGAIN, Watch
from tests.ptyhost.hosting import wait_until

if TYPE_CHECKING:
    from tests.ptyhost.hosting import Hosted, Peer

COOKED, RAW = (True, True), (False, False)


class Program:
    """What a watch sees of a program that waits for a line, at its prompt, unless it is changed."""

    def __init__(self) -> None:
        self.evidence = Evidence(told=True, reads=True, alone=True)
        self.mode: tuple[bool, bool] | None = COOKED
        self.prompt = ("Name: ", 3)
        self.cost = 0.0
        self.looks = 0
        self.watch = Watch(self._look, lambda: self.mode, lambda: self.prompt)
        self.watch.note_output(100.0)

    def _look(self) -> Evidence:
        self.looks += 1
        one = self.evidence
        return Evidence(**{name: getattr(one, name) for name in Evidence.__slots__})

    def value(self) -> dict[str, Any] | None:
        return self.watch.value

    def look(self, now: float) -> tuple[bool, float]:
        spent = iter([0.0, self.cost])
        return self.watch.look(now, lambda: next(spent), 1000.0 + now)


def test_it_says_since_when_the_program_waits() -> None:
    program = Program()
    assert program.look(100.3)[0]
    assert program.value() == {"kind": "line", "prompt": "Name: ", "since": 1100.0, "sure": True}
    changed, pause = program.look(110.0)
    assert not changed
    assert pause == AGAIN
    assert (program.value() or {})["since"] == 1100.0


def test_looks_become_rarer_and_cost_a_two_thousandth_at_most() -> None:
    program = Program()
    assert program.look(100.3)[1] == pytest.approx(0.18)
    assert program.look(104.0)[1] == AGAIN
    program.cost = 0.01
    assert program.look(105.0)[1] == pytest.approx(30.0)


def test_what_is_typed_in_a_line_is_no_part_of_the_prompt_and_its_end_ends_the_wait() -> None:
    program = Program()
    program.look(100.3)
    program.prompt = ("Name: Ad", 3)
    assert not program.watch.note_input(b"Ad", 101.0)
    assert not program.watch.note_output(101.0)
    program.look(101.3)
    assert {"prompt": "Name: ", "since": 1100.0}.items() <= (program.value() or {}).items()
    assert program.watch.note_input(b"a\r", 102.0)
    assert program.value() is None
    program.prompt = ("Name: ", 4)
    assert program.look(102.3)[0]
    assert (program.value() or {})["since"] == 1102.0


def test_any_key_may_be_what_the_program_waits_for() -> None:
    program = Program()
    program.mode = RAW
    program.look(100.3)
    assert program.watch.note_input(b"l", 101.0)
    program.prompt = ("Name: l", 3)
    program.look(101.3)
    assert {"prompt": "Name: "}.items() <= (program.value() or {}).items()


def test_a_program_that_writes_without_pause_does_not_wait() -> None:
    program = Program()
    program.look(100.3)
    changes = [program.watch.note_output(101.0 + step / 10) for step in range(13)]
    assert changes.index(True) == 11
    assert program.value() is None


def test_a_program_that_draws_now_and_then_still_waits() -> None:
    program = Program()
    program.mode = RAW
    program.look(100.3)
    for second in range(101, 105):
        assert not program.watch.note_output(second)
        assert not program.look(second + 0.3)[0]


def test_of_several_threads_one_may_compute() -> None:
    program = Program()
    program.evidence = Evidence(told=True, reads=True, cpu=1.0)
    changed, pause = program.look(100.3)
    assert not changed
    assert pause == pytest.approx(0.1)
    program.evidence.cpu = 1.09
    assert not program.look(100.4)[0]
    assert program.value() is None
    assert program.look(102.4)[0]
    program.evidence.cpu = 2.0
    assert program.look(104.4)[0]
    assert program.value() is None


def test_without_evidence_it_looks_again_after_a_second() -> None:
    program = Program()
    program.evidence = Evidence(alone=True)
    changed, pause = program.look(100.3)
    assert not changed
    assert pause == pytest.approx(0.7)
    assert program.look(101.0)[0]
    assert program.value() == {"kind": "line", "prompt": "Name: ", "since": 1100.0, "sure": False}


def test_it_confirms_what_is_so_at_this_moment() -> None:
    program = Program()
    assert not program.watch.confirm()
    program.look(100.3)
    program.evidence.busy = True
    assert program.watch.confirm()
    program.evidence.reads = False
    assert not program.watch.confirm()


@pytest.mark.parametrize("group", [0, -1, 1 << 22])
def test_a_group_without_processes_has_no_evidence(group: int) -> None:
    found = foreground.look(group, 0)
    assert not found.told
    assert not found.reads


# -- real ones --------------------------------------------------------------------------------------------------------

ASKS = """
import getpass, sys, time
if input("Proceed? [y/N] ") == "y":
    getpass.getpass()
    print("working: ", end="", flush=True)
time.sleep(60)
"""


def waits(peer: Peer, kind: str | None) -> dict[str, Any] | None:
    """Return what the program waits for as soon as that is of this kind."""
    found = peer.wait_status(lambda status: (status["waiting"] or {}).get("kind") == kind)["waiting"]
    assert found is None or isinstance(found, dict)
    return found


def test_it_waits_for_a_line_then_for_a_password_then_not(hosted: Hosted) -> None:
    link = hosted.python(ASKS).connect(role="link")
    found = waits(link, "line")
    assert found is not None
    assert found["prompt"] == "Proceed? [y/N] "
    assert found["sure"]
    link.send(wire.INPUT, b"y\n")
    assert waits(link, None) is None
    found = waits(link, "password")
    assert found is not None
    assert found["prompt"] == "Password: "
    link.send(wire.INPUT, b"hunter2\n")
    assert waits(link, None) is None
    hosted.wait_output(b"working: ")
    assert b"hunter2" not in hosted.output()
    assert link.ask_status()["waiting"] is None


def test_an_answer_is_typed_only_while_the_program_waits(hosted: Hosted) -> None:
    link = hosted.python(ASKS).connect(role="link")
    waits(link, "line")
    link.send(wire.ANSWER, b"n\n")
    # Two at once: the second one comes too late.
    link.send(wire.ANSWER, b"y\n")
    refused = json.loads(link.next(wire.REFUSED))
    assert refused == {"reason": "not_waiting", "bytes": 2}
    assert hosted.output().count(b"\n") <= 1
    assert link.ask_status()["waiting"] is None


def test_a_task_that_is_paused_does_not_wait(hosted: Hosted) -> None:
    link = hosted.python(ASKS).connect(role="link")
    waits(link, "line")
    link.send_json(wire.SIGNAL, signal="SIGSTOP", target="tree")
    assert link.wait_status(lambda status: status["paused"])["waiting"] is None
    link.send_json(wire.SIGNAL, signal="SIGCONT", target="tree")
    waits(link, "line")


def test_a_shell_waits_at_its_prompt_and_its_child_for_itself(hosted: Hosted) -> None:
    env = {**os.environ, "TERM": "xterm-256color", "PS1": "ready$ "}
    link = hosted.start("bash", "--norc", "-i", env=env).connect(role="link")
    found = waits(link, "shell")
    assert found is not None
    assert found["prompt"] == "ready$ "
    link.send(wire.INPUT, b"cat\r")
    waits(link, "line")
    link.send(wire.INPUT, b"\x04")
    waits(link, "shell")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="time is counted by the kernel")
def test_looking_costs_nearly_nothing(hosted: Hosted) -> None:
    hosted.start("sleep", "60")
    host = psutil.Process(hosted.host_pid)
    wait_until(lambda: host.num_ctx_switches().voluntary > 3)
    before, begun = host.num_ctx_switches().voluntary, sum(host.cpu_times()[:2])
    # One look in two seconds, and not one more.
    wait_until(lambda: host.num_ctx_switches().voluntary >= before + 2)
    assert sum(host.cpu_times()[:2]) - begun <= 0.02
