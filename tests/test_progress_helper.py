"""Reporting progress from inside a task: real programs in a real terminal, and the result."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time

import pytest

from jupyter_ptytasks.core.progress import Progress, ProgressReader
from jupyter_ptytasks.core.terminal import replay
from jupyter_ptytasks.core.terminal.modes import TerminalModes

CLI = [sys.executable, "-m", "jupyter_ptytasks.cli", "progress"]


def written(argv: list[str], *, task: bool = True, expected: int = 0) -> bytes:
    """What a program writes to a terminal, which is that of a task or not."""
    environment = {name: value for name, value in os.environ.items() if name != "PTYTASK_ID"}
    if task:
        environment["PTYTASK_ID"] = "abcdefgh"
    pid, master = pty.fork()
    if pid == 0:
        os.execve(argv[0], argv, environment)
    out = b""
    try:
        while piece := os.read(master, 65536):
            out += piece
    except OSError:
        pass  # that is how a terminal ends on Linux
    os.close(master)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == expected, out
    return out


def run(source: str, *, task: bool = True) -> bytes:
    return written([sys.executable, "-c", f"from jupyter_ptytasks import progress\n{source}"], task=task)


def read(data: bytes) -> Progress | None:
    return ProgressReader().feed(data, 100.0)


def test_numbers_and_text_arrive_as_they_are() -> None:
    seen = read(run("progress(1234567, 2000000.5, 'naïve \\x1b]0;é\\x07')"))
    assert seen is not None
    assert (seen.done, seen.total, seen.source) == (1234567, 2000000.5, "helper")
    assert seen.fraction == pytest.approx(1234567 / 2000000.5)
    assert seen.text == "naïve ]0;é"


@pytest.mark.parametrize("call", ["progress(3)", "progress(3, 0)", "progress(3, float('nan'))", "progress(3, -1)"])
def test_without_a_total_only_something_moves(call: str) -> None:
    seen = read(run(call))
    assert seen is not None
    assert (seen.fraction, seen.state, seen.done) == (None, "indeterminate", 3)


def test_numbers_of_numpy_are_numbers() -> None:
    pytest.importorskip("numpy")
    seen = read(run("import numpy\nprogress(numpy.int64(3), numpy.float32(4))"))
    assert seen is not None
    assert seen.fraction == 0.75


def test_it_can_be_taken_back() -> None:
    assert read(run("progress(1, 4)\nprogress(None)")) is None


def test_terminals_that_know_only_osc_9_4_are_served() -> None:
    assert run("progress(1, 3)").startswith(b"\x1b]9;4;1;33\x1b\\")


def test_of_many_calls_few_are_reported_but_always_the_last() -> None:
    began = time.monotonic()
    out = run("for done in range(100_001): progress(done, 100_000)")
    allowed = (time.monotonic() - began) / 0.1 + 2
    assert 2 <= out.count(b"]7784;") <= allowed
    seen = read(out)
    assert seen is not None
    assert seen.fraction == 1.0


def test_it_is_loaded_when_it_is_wanted() -> None:
    out = run(
        "import sys, types\nassert isinstance(progress, types.FunctionType)\n"
        "assert not {'click', 'httpx', 'tornado', 'jupyter_server', 'jupyter_ptytasks.core'} & set(sys.modules)"
    )
    assert out == b""
    lazy = "import sys, jupyter_ptytasks\nassert 'jupyter_ptytasks._progress' not in sys.modules"
    assert written([sys.executable, "-c", lazy]) == b""


def test_outside_of_a_task_nothing_happens() -> None:
    assert run("progress(1, 2)", task=False) == b""


def test_output_that_is_piped_away_is_left_alone() -> None:
    shell = f"{sys.executable} -c 'from jupyter_ptytasks import progress; progress(1, 4)' | cat -v"
    out = written(["/bin/sh", "-c", shell])
    assert out.startswith(b"\x1b]9;4;1;25")
    assert b"^[" not in out


@pytest.mark.parametrize(
    "source",
    [
        "import os, sys\nos.close(1)\nprogress(1, 2)",
        "import sys\nsys.__stdout__.close()\nprogress(1, 2)",
        "import sys\nsys.__stdout__ = None\nprogress(1, 2)",
    ],
)
def test_a_program_that_closed_its_output_still_has_the_terminal(source: str) -> None:
    seen = read(run(source))
    assert seen is not None
    assert seen.fraction == 0.5


def test_without_a_terminal_nothing_happens() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "from jupyter_ptytasks import progress\nprogress(1, 2)"],
        env={**os.environ, "PTYTASK_ID": "abcdefgh"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_threads_may_report_at_the_same_time() -> None:
    out = run(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(8) as pool: list(pool.map(lambda done: progress(8, 8, 'x' * 100), range(200)))"
    )
    pieces = out.split(b"\x1b]7784;")[1:]
    assert len(pieces) == 200
    assert all(json.loads(piece.split(b"\x1b")[0])["text"] == "x" * 100 for piece in pieces)


def test_replays_keep_the_last_report_only() -> None:
    out = b"begin\r\n" + run("for done in range(50): progress(50, 50, str(done))") + b"end\r\n"
    replayed = replay.build(b"", TerminalModes(), out, rows=40, cols=120).data
    assert replayed.count(b"]7784;") == replayed.count(b"]9;4;") == 1
    seen = read(replayed)
    assert seen is not None
    assert seen.text == "49"


def test_scripts_report_it_by_a_command() -> None:
    seen = read(written([*CLI, "3", "4", "third file"]))
    assert seen is not None
    assert (seen.done, seen.total, seen.text) == (3, 4, "third file")
    assert (moving := read(written([*CLI, "3"]))) is not None
    assert (moving.state, moving.done, moving.total) == ("indeterminate", 3, None)
    assert written([*CLI, "--clear"]) == b"\x1b]9;4;0\x1b\\"
    assert written([*CLI, "3", "4"], task=False) == b""


@pytest.mark.parametrize("arguments", [[], ["3", "--clear"], ["many"]])
def test_usage_errors_are_reported(arguments: list[str]) -> None:
    assert b"Usage: " in written([*CLI, *arguments], expected=2)
