"""If any step of a ptyhost fails, the task runs, its end is recorded, and the error is in host.log."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.errors import InternalError
from jupyter_ptytasks.core.hostlog import last_line
from jupyter_ptytasks.provision import local
from tests.ptyhost.hosting import Hosted, wait_until

if TYPE_CHECKING:
    from pathlib import Path

#: What fails on TCP may be the proof, for which a caller waits.
TRANSPORTS = ("unix",)

#: Wraps every function of a ptyhost that runs after the start, so that the one that is named in a file fails.
SABOTAGE = textwrap.dedent(
    '''

    def _sabotage():
        import sys, types
        from . import (connection, guard, job, line_posix, orders, pty_posix, service, stop_sequence, terminal, timers,
            viewers, watching)
        from ..core.platform import tree
        from ..core.ring import writer
        guard._ENTRIES, guard._REST = 1 << 30, 0.001
        plan = PLAN
        # What is needed for the start and for the end, and what only others of these call.
        spared = """
            __init__ run _finish begin fileno close _sabotage hello spawn send_end is_alone leftover
            boot_id is_empty kill end_all detach _is_alive explain_refusal _catch_up warn _time_out set set_default
            _stop_for_shutdown _stop_draining _make_sequence _hung_up _look_again _resume _rewrite_index _start_from
            _append _helping _is_full _took _roll _begin_segment _next_carry _keyframe_from _drop_oldest _drop_index
        """.split()

        def wrap(name, function):
            def wrapped(*args, **about):
                with open(plan) as file:
                    if file.read() == name:
                        raise ZeroDivisionError(name)
                return function(*args, **about)
            return wrapped

        places = [Host, terminal.Terminal, watching.Watching, timers.Timers, service.Service, connection.Connection,
            viewers.Viewer, viewers.Viewers, job.Job, stop_sequence.StopSequence, line_posix.Line, pty_posix.PosixPty,
            writer.RingWriter, tree, orders, wire]
        with open(plan + ".names", "w") as names:
            for place in places:
                for name, function in list(vars(place).items()):
                    if isinstance(function, types.FunctionType) and name not in spared and not name.startswith("__"):
                        full = f"{place.__name__}.{name}"
                        setattr(place, name, wrap(full, function))
                        names.write(full + "\\n")


    _sabotage()
    '''
)


@pytest.fixture
def sabotaged(package: Path, tmp_path: Path) -> Path:
    """Make any function of ptyhosts fail that is named in a file; return that file."""
    plan = tmp_path / "plan"
    plan.write_text("")
    host = package / "ptyhost" / "host.py"
    host.write_text(host.read_text() + SABOTAGE.replace("PLAN", repr(str(plan))))
    return plan


def exercise(hosted: Hosted, number: int) -> list[socket.socket]:
    """Send every kind of request, each on its own connection, whether it is served or not."""
    signals = [
        wire.json_frame(wire.SIGNAL, {"signal": name, "target": target})
        for name, target in (
            *((name, "tree") for name in ("SIGWINCH", "SIGSTOP", "SIGCONT")),
            ("SIGWINCH", "leader"),
            ("SIGWINCH", "foreground"),
        )
    ]
    frames = b"".join(
        [
            wire.frame(wire.WATCH, b"\x01"),
            wire.frame(wire.INPUT, b"hello\n"),
            wire.frame(wire.RESIZE, wire.SIZE.pack(30 + number % 10, 100)),
            wire.json_frame(wire.STOP, {"ladder": [["SIGWINCH", 1000]]}),
            wire.json_frame(wire.NOTE, {"number": number}),
            wire.frame(wire.REPLY, b"\x1b[0n"),
            wire.frame(wire.INPUT, b"x" * 5000),
            wire.frame(wire.REPAINT),
            wire.frame(wire.ASK_STATUS),
        ]
    )
    peers = []
    for about in ({"role": "link"}, {"role": "viewer", "viewer": "v"}, {"role": "input"}):
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(hosted.socket_path)
        peers.append(peer)
        with contextlib.suppress(OSError):  # let go already
            peer.sendall(wire.hello(**about) + (b"".join(signals) if about["role"] == "link" else b"") + frames)
    os.kill(hosted.host_pid, signal.SIGUSR1)
    return peers


def told(hosted: Hosted, peers: list[socket.socket], text: str) -> bool:
    """Return whether `text` comes to stand in the log before all peers have got their answers."""
    answers = [b""] * len(peers)

    def answered() -> bool:
        for at, peer in enumerate(peers):
            with contextlib.suppress(OSError):
                answers[at] += peer.recv(1 << 16, socket.MSG_DONTWAIT)
        # The greeting, and the answer.
        return all(answer.count(b'"attempt":1,"pid":') >= 2 for answer in answers)

    return bool(wait_until(lambda: "log" if text in hosted.log() else answered(), 10) == "log")


def test_whatever_fails_the_task_keeps_running(hosted: Hosted, sabotaged: Path) -> None:
    # It turns every signal away that asks it to go, and ends when it is told so by a file.
    end = f"{sabotaged}.end"
    hosted.start("sh", "-c", f"trap '' WINCH; cat & until [ -e {end} ]; do sleep 0.02; done; echo the end; exit 7")
    names = (sabotaged.with_name("plan.names")).read_text().split()
    failed = set()
    for number, name in enumerate(names):
        sabotaged.write_text(name)
        peers = exercise(hosted, number)
        if told(hosted, peers, f"ZeroDivisionError: {name}\n"):
            failed.add(name)
        sabotaged.write_text("")
        for peer in peers:
            peer.close()
        # Who comes now is served.
        with contextlib.closing(hosted.connect(role="link")) as link:
            assert link.ask_status()["pid"] == hosted.pid
    assert len(names) > 60
    # What comes of itself may come too late to be seen.
    assert len(failed) > 0.8 * len(names)
    assert os.path.getsize(hosted.files.log) <= 64 << 10
    with open(end, "w", encoding="ascii"):
        pass
    record = hosted.ended()
    assert record["code"] == 7
    assert hosted.output().endswith(b"the end\r\n")


@pytest.mark.parametrize("name", ["Job.reap", "Host._reap", "Host._is_over", "Terminal.drain", "PosixPty.read"])
def test_whatever_fails_at_the_end_the_end_is_recorded(hosted: Hosted, sabotaged: Path, name: str) -> None:
    hosted.start("sh", "-c", "sleep 1000 & exec cat")
    hosted.connect(role="link").ask_status()
    sabotaged.write_text(name)
    os.kill(hosted.pid, signal.SIGKILL)
    wait_until(lambda: f"ZeroDivisionError: {name}\n" in hosted.log())
    sabotaged.write_text("")
    assert hosted.ended()["signal"] == "SIGKILL"


def test_the_log_is_bounded_private_and_keeps_the_newest(tmp_path: Path) -> None:
    log = tmp_path / "host.log"
    source = """
import os, sys
from jupyter_ptytasks.ptyhost import guard
guard._PERIOD = 0.0
os.dup2(os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), 2)
def fail(number):
    raise ValueError("\\ud800" + "x" * number + f"\\nnumber {number}")
sys.stderr = one = guard.Guard(sys.argv[1])
assert one.attempt("succeeding", len, "")
for number in range(2000):
    assert not one.attempt("failing", fail, number)
assert not one.attempt("failing", fail, 1 << 20)
assert not one.attempt("failing at last", fail, 3)
"""
    subprocess.run([sys.executable, "-c", source, str(log)], check=True)
    assert 30_000 < log.stat().st_size <= 64 << 10
    assert log.stat().st_mode & 0o077 == 0
    text = log.read_text()
    assert text.splitlines()[-2].startswith("ValueError: ")
    assert last_line(str(log)) == "number 3"
    assert "failing at last:\nTraceback" in text
    assert text.startswith(("20", "Traceback", "  ", "ValueError", "number"))


def test_errors_without_end_are_counted(tmp_path: Path) -> None:
    log = tmp_path / "host.log"
    source = """
import os, sys
from jupyter_ptytasks.ptyhost import guard
guard._REST = 0.0
os.dup2(os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), 2)
sys.stderr = one = guard.Guard(sys.argv[1])
for number in range(1000):
    one.attempt("failing", int, "x")
guard._PERIOD = 0.0
one.attempt("failing", int, "y")
"""
    subprocess.run([sys.executable, "-c", source, str(log)], check=True)
    assert log.read_text().count("Traceback") == 21
    assert "failing (980 more errors are not shown):\n" in log.read_text()


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import os; os._exit(3)", ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "Fatal Python error: Segmentation fault"),
    ],
)
def test_a_start_that_fails_says_why(
    hosted: Hosted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, why: str
) -> None:
    program = tmp_path / "main.py"
    program.write_text(source)
    monkeypatch.setattr(local, "_MAIN", str(program))
    with pytest.raises(InternalError) as failure:
        hosted.start("true")
    assert failure.value.message == "the ptyhost failed to start" + (f": {why}" if why else "")


def test_a_crash_is_in_the_log(hosted: Hosted) -> None:
    hosted.start("sleep", "1000")
    os.kill(hosted.host_pid, 11)
    wait_until(lambda: last_line(hosted.files.log) == "Fatal Python error: Segmentation fault")


def test_the_log_of_the_attempt_before_is_put_aside(hosted: Hosted) -> None:
    hosted.start("true")
    hosted.ended()
    with open(hosted.files.log, "a", encoding="utf-8") as log:
        log.write("something\n")
    hosted.start("true", attempt=2)
    hosted.ended()
    assert hosted.log() == ""
    with open(f"{hosted.files.log}.1", encoding="utf-8") as log:
        assert log.read() == "something\n"


@pytest.mark.parametrize("text", ["", "\n\n", "  File x\n"])
def test_no_last_line(tmp_path: Path, text: str) -> None:
    log = tmp_path / "host.log"
    assert last_line(str(log)) == ""
    log.write_text(text)
    assert last_line(str(log)) == ""
