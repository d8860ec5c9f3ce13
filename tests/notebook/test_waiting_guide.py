"""The examples of docs/waiting.md work, and so do input and waiting in Python and with the magics."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.error import UsageError

from jupyter_ptytasks import run
from jupyter_ptytasks.client import NoMatch, RequestFailed, StillRunning
from jupyter_ptytasks.notebook.options import read_verb
from tests.client.live import PATIENCE

if TYPE_CHECKING:
    from tests.client.live import LiveServer
    from tests.notebook.kernel import Kernel

GUIDE = (Path(__file__).parent.parent.parent / "docs" / "waiting.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)


def test_the_commands_of_the_guide(live: LiveServer) -> None:
    (session,) = blocks("console")
    for step in session.removeprefix("$ ").split("\n$ "):
        command, _, shown = step.rstrip("\n").partition("\n")
        _, _, *arguments = shlex.split(command)
        done = live.cli(*arguments)
        assert done.returncode == 0, (command, done.stderr)
        assert not shown or done.stdout.rstrip() == shown


def test_the_python_of_the_guide(here: LiveServer) -> None:
    (source,) = blocks("python")
    names: dict[str, Any] = {}
    exec(source, names)
    assert names["ask"].state == "failed"


def test_the_json_of_the_guide_is_json() -> None:
    assert [json.loads(block) for block in blocks("json")]


def test_a_line_that_is_never_printed(here: LiveServer) -> None:
    task = run("echo nothing; exec sleep 0.5")
    with pytest.raises(StillRunning):
        task.expect("something", timeout=0.1)
    with pytest.raises(NoMatch):
        task.expect("something", timeout=PATIENCE)


def test_the_same_line_is_expected_once(here: LiveServer) -> None:
    task = run("echo tick 1; sleep 0.2; echo tick 2; exec sleep 60")
    assert [task.expect("tick"), task.expect("tick")] == ["tick 1", "tick 2"]
    assert task.expect("tick", since=0) == "tick 1"


def test_until_does_not_block_the_loop(here: LiveServer) -> None:
    async def both() -> list[str]:
        first, second = run("read x"), run("echo port 80; exec sleep 60")
        return list(
            await asyncio.gather(first.until("waiting", timeout=PATIENCE), second.until(match="port", timeout=PATIENCE))
        )

    assert asyncio.run(both()) == ["waiting", "match"]


def test_an_answer_without_a_question_is_refused(here: LiveServer) -> None:
    task = run("exec sleep 60")
    with pytest.raises(RequestFailed) as caught:
        task.send_input("y", only_if_waiting=True)
    assert caught.value.code == "not_waiting"
    assert task.waiting is None


def test_magics_wait_and_answer(kernel: Kernel) -> None:
    kernel.run("%load_ext jupyter_ptytasks")
    kernel.run("%%task ask\nread -p 'Proceed? ' x; exit 3")
    assert "ask: waiting: Proceed? " in kernel.run("%task wait ask --until waiting").out
    kernel.run("%task input ask y --if-waiting")
    assert "ask: exit" in kernel.run("%task wait ask --match never").out


@pytest.mark.parametrize("line", ["wait ask --until dawn", "wait ask --until waiting --quiet soon"])
def test_what_cannot_be_waited_for(line: str) -> None:
    with pytest.raises(UsageError):
        read_verb(line)


def test_exit_codes_of_waiting(live: LiveServer) -> None:
    live.cli("run", "--name", "brief", "--", "sh", "-c", "echo one; exit 7")
    assert live.cli("wait", "brief", "--match", "one").returncode == 0
    assert live.cli("wait", "brief", "--match", "two").returncode == 7
    live.cli("run", "--name", "well", "--", "true")
    assert live.cli("wait", "well", "--match", "two").returncode == 1
    assert live.cli("wait", "well", "--until", "waiting,exit").returncode == 0
    live.cli("run", "--name", "long", "--", "sleep", "60")
    assert live.cli("wait", "long", "--until", "waiting", "--timeout", "100ms").returncode == 124
    told = live.cli("wait", "long", "--until", "quiet", "--quiet", "100ms", "--json").stdout
    assert json.loads(told)["reason"] == "quiet"
    assert live.cli("input", "long").returncode == 2
    assert live.cli("input", "long", "x", "--key", "Up").returncode == 2
    assert live.cli("wait", "long", "well", "--until", "waiting").returncode == 2
    assert live.cli("input", "long", "--key", "C-c").returncode == 0
    assert live.cli("wait", "long").returncode == 130
