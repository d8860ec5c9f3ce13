"""`exec` and `commands` on the command line, as docs/shells.md shows them, and in Python."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.client.live import LiveServer

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[2] / "docs" / "shells.md").read_text(encoding="utf-8")


@pytest.fixture
def bash(tmp_path: Path) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path / "home", "--PtyTasksApp.shell_command=/bin/bash", "--PtyTasksApp.stop_grace=0.5")
    yield server.start()
    server.stop()


def test_the_page_shows_what_is_printed(bash: LiveServer) -> None:
    (session,) = re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    start, *turns = session.removeprefix("$ ").split("\n$ ")
    assert bash.cli(*shlex.split(start.partition(" > ")[0])[2:]).returncode == 0
    for turn in turns:
        line, _, shown = turn.partition("\n")
        command, _, more = line.partition("; echo")
        command = command if more.startswith(' "exit code') else line
        done = bash.cli(*shlex.split(command)[2:])
        printed = done.stdout + (f"exit code {done.returncode}\n" if command != line else "")
        assert printed.strip() == shown.strip(), line
    told = json.loads(bash.cli("commands", "work", "--json").stdout)
    assert [one["exit"] for one in told["commands"]] == [0, 0, 2]
    listed = bash.cli("commands", "work").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["0", "0", "2"]
    assert listed[1].endswith("pwd; echo $RATE")


def test_what_the_command_line_says_of_other_ends(bash: LiveServer) -> None:
    bash.cli("run", "-n", "work", "--json")
    late = bash.cli("exec", "--timeout", "1.5s", "work", "--", "sleep", "60")
    assert (late.returncode, "still running" in late.stderr) == (124, True)
    busy = bash.cli("exec", "--json", "work", "--", "pwd")
    assert (busy.returncode, json.loads(busy.stderr)["code"]) == (1, "not_at_prompt")
    bash.cli("run", "-n", "other", "--", "sleep", "60")
    assert "not a shell" in bash.cli("commands", "other").stderr


CELLS = """
from IPython.testing.globalipapp import start_ipython
from jupyter_ptytasks.notebook.starting import get

work = get("work")
told = work.exec("cd /tmp; pwd")
print(told["exit"], told["output"], [(one["command"], one["exit"]) for one in work.commands()])
shell = start_ipython()
shell.run_line_magic("load_ext", "jupyter_ptytasks")
shell.run_line_magic("task", "exec work -- '(exit 3)'")
shell.run_line_magic("task", "exec work echo 'two words'")
shell.run_line_magic("task", "commands work")
"""


def test_python_and_magics(bash: LiveServer) -> None:
    bash.cli("run", "-n", "work", "--json")
    env = {**bash.environ, "JUPYTER_PTYTASKS_URL": bash.url, "JUPYTER_PTYTASKS_TOKEN": bash.token}
    done = subprocess.run([sys.executable, "-c", CELLS], env=env, capture_output=True, text=True, check=False)
    assert "0 /tmp\n [('cd /tmp; pwd', 0)]\n" in done.stdout, done.stderr
    assert "[exit code 3]\ntwo words\n" in done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines()[-3:]] == ["0", "3", "0"]
