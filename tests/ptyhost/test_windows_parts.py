"""The parts of a ptyhost for Windows, with fakes of pywinpty and of Windows' calls.

The whole of it runs on Windows alone: tests/wine.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import pytest

if sys.platform == "win32":
    pytest.skip("the fakes are made of what other systems have", allow_module_level=True)

from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.errors import SpawnFailed
from jupyter_ptytasks.core.platform.windows import endpoint, events, tree
from jupyter_ptytasks.core.ring.reader import RingReader
from jupyter_ptytasks.core.ring.writer import RingWriter
from jupyter_ptytasks.ptyhost.guard import Guard
from jupyter_ptytasks.ptyhost.host import Host
from jupyter_ptytasks.ptyhost.program_windows import command_line, merge, prepare
from jupyter_ptytasks.ptyhost.pty_windows import WindowsPty
from jupyter_ptytasks.ptyhost.record import Record
from tests.fakes import winpty
from tests.fakes.windows import Windows
from tests.ptyhost.hosting import PATIENCE, Peer, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEP = "import time; print('ready', flush=True); time.sleep(120)"


class Collector(Guard):
    """A guard whose log is a list."""

    def __init__(self) -> None:
        super().__init__("")
        self.errors: list[object] = []

    def note(self, doing: str) -> None:
        self.errors.append((doing, sys.exc_info()[1]))


class OnWindows:
    """A host with these parts, in a thread."""

    def __init__(self, directory: Path, windows: Windows) -> None:
        self.directory = directory
        self.windows = windows
        self.guard = Collector()
        self.path = str(directory / "run" / "t.tcp")
        self.pid = 0
        self._peers: list[Peer] = []
        self._thread: threading.Thread | None = None

    def python(self, source: str, **spec: Any) -> OnWindows:
        argv = [sys.executable.encode(), b"-u", b"-c", source.encode()]
        ladder = [["SIGINT", 0.5], ["SIGKILL", 0]]
        what = {"id": "testtask", "attempt": 1, "ladder": ladder, "timeout": None, **spec}
        ring = RingWriter(str(self.directory / "output"), size=64 << 20, segment=4 << 20, rows=24, cols=80)
        self.pty = cast("Any", WindowsPty(24, 80))
        record = Record(str(self.directory / "exit.json"))
        self.host = host = Host(
            spec=what, pty=self.pty, ring=ring, record=record, socket_path=self.path, guard=self.guard
        )
        env = {name.encode(): value.encode() for name, value in os.environ.items()}
        child = self.pty.spawn(argv, env, str(self.directory), 0o22)
        self.pid = child.pid
        child.release()
        host.begin(child.pid, time.time())
        self._thread = threading.Thread(target=host.run)
        self._thread.start()
        return self

    def connect(self, **about: Any) -> Peer:
        self._peers.append(Peer(self.path, **about))
        return self._peers[-1]

    def output(self) -> bytes:
        with RingReader(str(self.directory / "output")) as reader:
            return reader.read_range(*reader.bounds())

    def wait_output(self, text: bytes) -> None:
        wait_until(lambda: text in self.output())

    def stop(self, *steps: tuple[str, float]) -> None:
        self.connect(role="link").send_json(wire.STOP, ladder=steps, reason="cancelled")

    def ended(self) -> dict[str, Any]:
        assert self._thread is not None
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        assert self.guard.errors == []
        record: dict[str, Any] = json.loads((self.directory / "exit.json").read_bytes())
        return record

    def clean_up(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            self.stop(("SIGKILL", 0))
            self._thread.join(PATIENCE)
        for peer in self._peers:
            peer.close()
        if self._thread is not None:
            # What ends with the process.
            self.pty.close()
            wakeups: Any = self.host._wakeups
            for one in (wakeups._socket, *events._inlets, *self.host._service._connections.values()):
                one.close()
        if self.windows.console is not None:
            self.windows.console.close()


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OnWindows]:
    """A task to start."""
    windows = Windows()
    for part in (tree, events):
        monkeypatch.setattr(part, "win32", windows)
    monkeypatch.setattr(tree, "_tree", None)
    monkeypatch.setattr(events, "_inlets", [])
    monkeypatch.setattr(events, "_on_closing", [])
    monkeypatch.setitem(sys.modules, "winpty", winpty)
    monkeypatch.setattr(winpty, "PTY", windows.make_console)
    for module in ("connection", "host", "job", "service"):
        user = import_module(f"jupyter_ptytasks.ptyhost.{module}")
        for name, part in (("endpoint", endpoint), ("events", events), ("tree", tree)):
            if hasattr(user, name):
                monkeypatch.setattr(user, name, part)
    task = OnWindows(tmp_path, windows)
    yield task
    task.clean_up()


@pytest.mark.parametrize("ends_with_error", [False, True])
def test_output_and_exit_code(host: OnWindows, monkeypatch: pytest.MonkeyPatch, ends_with_error: bool) -> None:
    """With any version of pywinpty, the output is complete at its end."""
    monkeypatch.setattr("tests.fakes.windows.PTY.ends_with_error", ends_with_error)
    host.python("print('begin'); print('é' * 30000 + 'end'); raise SystemExit(7)")
    record = host.ended()
    assert (record["code"], record["signal"], record["reason"]) == (7, None, "exited")
    assert record["rusage"] == {"user": 0.5, "system": 0.25, "max_rss": 1 << 20}
    assert host.output() == b"begin\r\n" + "é".encode() * 30000 + b"end\r\n"


def test_input_and_size(host: OnWindows) -> None:
    host.python("import os; print('ready'); print('got', input(), tuple(os.get_terminal_size()))")
    host.wait_output(b"ready")
    viewer = host.connect(role="viewer", viewer="one")
    viewer.send(wire.RESIZE, wire.SIZE.pack(40, 132))
    # A character that comes in two pieces is one.
    viewer.send(wire.INPUT, "naï".encode()[:-1])
    viewer.send(wire.INPUT, "ï".encode()[-1:] + b"ve\n")
    assert host.ended()["code"] == 0
    assert "got naïve (132, 40)".encode() in host.output()


def test_a_console_that_is_not_read_holds_the_program_up(host: OnWindows) -> None:
    """The loop blocks, as on a slow disk: reading ahead is bounded, and nothing is lost."""
    host.python("import sys; print('ready', flush=True); input(); sys.stdout.write('x' * 4_000_000)")
    host.wait_output(b"ready")
    link = host.connect(role="link")
    link.send(wire.INPUT, b"\n")
    assert host.ended()["code"] == 0
    assert host.output().count(b"x") == 4_000_000


def test_typing_ahead_waits_for_the_program(host: OnWindows) -> None:
    host.python(
        "import sys, time, tty; tty.setraw(0); print('ready', flush=True)\n"
        "while (data := sys.stdin.read(1)) != 'q': pass\n"
    )
    host.wait_output(b"ready")
    typist = host.connect(role="input")
    typist.send(wire.INPUT, b"x" * 500_000)
    typist.send(wire.INPUT, b"q")
    assert host.ended()["code"] == 0


def test_ctrl_c_is_reported_as_a_signal(host: OnWindows) -> None:
    host.python("import signal; signal.signal(2, signal.SIG_DFL); " + SLEEP)
    host.wait_output(b"ready")
    host.stop(("SIGINT", 60.0), ("SIGKILL", 0.0))
    record = host.ended()
    assert (record["code"], record["signal"], record["reason"]) == (None, "SIGINT", "cancelled")


def test_what_ignores_it_is_killed_with_all_that_it_has_started(host: OnWindows) -> None:
    host.python(
        "import signal, subprocess; signal.signal(2, signal.SIG_IGN); subprocess.Popen(['sleep', '120'])\n" + SLEEP
    )
    host.wait_output(b"ready")
    assert len(host.windows.job_pids(1)) == 3  # with the host's own process
    host.stop(("SIGINT", 0.1), ("SIGKILL", 0.0))
    record = host.ended()
    assert (record["code"], record["signal"]) == (None, "SIGKILL")
    assert host.windows.job_pids(1) == {os.getpid()}


def test_an_exit_code_like_that_of_a_kill_is_not_one(host: OnWindows) -> None:
    host.python("raise SystemExit(137)")
    record = host.ended()
    assert (record["code"], record["signal"]) == (137, None)


def test_each_process_is_suspended_once(host: OnWindows) -> None:
    host.python("import time\nfor n in range(100000): print(n, flush=True); time.sleep(0.01)")
    host.wait_output(b"2")
    link = host.connect(role="link")
    for _ in range(3):
        link.send_json(wire.SIGNAL, signal="SIGSTOP", target="tree")
    link.wait_status(lambda status: status["paused"])
    assert link.ask_status()["paused"]
    assert host.windows.suspended == {host.pid: 1}
    link.send_json(wire.SIGNAL, signal="SIGCONT", target="tree")
    link.wait_status(lambda status: not status["paused"])
    end = link.ask_status()["output"]["end"]
    wait_until(lambda: link.ask_status()["output"]["end"] > end + 100)


def test_the_end_of_the_session_stops_the_task(host: OnWindows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_FAREWELL", 0.0)
    monkeypatch.setattr(events, "_closing", threading.Event())
    host.python(SLEEP)
    host.wait_output(b"ready")
    host.windows.closing()
    assert host.ended()["reason"] == "host_terminated"


def test_without_pywinpty_it_says_so(host: OnWindows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "winpty", None)
    with pytest.raises(OSError, match="tasks need pywinpty"):
        WindowsPty(24, 80)


# -- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["python", "-c", "print(1)"], "-c print(1)"),
        (["python", "a b", 'c"d', "e\\", ""], '"a b" c\\"d e\\ ""'),
        (["cmd", "/c", "dir"], '/s /c "dir"'),
        (["C:\\Windows\\System32\\CMD.EXE", "/d", "/C", 'echo "a  b" & exit 3'], '/s /d /C "echo "a  b" & exit 3"'),
        (["cmd.exe", "/k", "prog", "a b"], '/s /k "prog "a b""'),
        (["cmd.exe"], ""),
        (["powershell.exe", "-Command", "echo 'a b'"], '''-Command "echo 'a b'"'''),
    ],
)
def test_arguments_as_one_line(words: list[str], line: str) -> None:
    assert command_line(words) == line


def test_variables_whose_names_differ_by_case_are_one() -> None:
    assert merge({"Path": "old", "A": "1", "PATH": "new", "a": "2"}) == {"PATH": "new", "a": "2"}


def test_a_program_is_found_as_by_a_shell(tmp_path: Path) -> None:
    for name in ("tool", "task.cmd"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    env = {b"Path": os.fsencode(tmp_path), b"COMSPEC": b"C:\\cmd.exe"}
    start = prepare([b"tool", b"a b"], env, "/")
    assert (start.program, start.arguments) == (str(tmp_path / "tool"), ' "a b"')
    assert start.environment == f"Path={tmp_path}\0COMSPEC=C:\\cmd.exe\0"
    assert prepare([b"./tool"], {}, str(tmp_path)).program == f"{tmp_path}/./tool"
    batch = prepare([b"task.cmd", b"a&b", b"c d"], env, "/")
    assert batch.program == "C:\\cmd.exe"
    assert batch.arguments == f' /d /v:off /s /c ""{tmp_path}/task.cmd" "a&b" "c d""'
    for argv, cwd, field in (
        ([b"task.cmd", b"%PATH%"], "/", "command"),
        ([b"task.cmd", b'a" & calc'], "/", "command"),
        ([b"none"], "/", "command"),
        ([b"tool"], "/nowhere", "cwd"),
        ([b"task.cmd", b"x" * 8200], "/", "command"),
    ):
        with pytest.raises(SpawnFailed) as failed:
            prepare(argv, env, cwd)
        assert failed.value.field == field


@pytest.mark.parametrize(
    ("program", "cwd", "field"),
    [
        ("cmd.exe", "\\\\server\\share", "cwd"),
        ("cmd.exe", "\\\\?\\C:\\data", "cwd"),
        ("cmd.exe", "C:\\data", None),
        ("powershell.exe", "\\\\server\\share", None),
    ],
)
def test_commands_that_cmd_would_run_elsewhere_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, cwd: str, field: str | None
) -> None:
    (tmp_path / program).touch(0o755)
    monkeypatch.setattr("os.path.isdir", lambda path: path == cwd)
    env = {b"PATH": os.fsencode(tmp_path)}
    found = None
    try:
        prepare([program.encode(), b"/c", b"cd"], env, cwd)
    except SpawnFailed as failed:
        found = failed.field
    assert found == field
