"""A failed start leaves nothing running: whichever step fails, only the error message remains."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core.errors import HostUnreachable, InternalError, PtyTasksError, StorageFull
from jupyter_ptytasks.core.files import read_json
from jupyter_ptytasks.provision import local
from tests.ptyhost.hosting import Hosted, is_alive, wait_until
from tests.ptyhost.test_stop import running_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PAGE = 4096


class Attempt:
    """A command that leaves a mark in the list of processes and a file if it ever runs."""

    def __init__(self, hosted: Hosted, directory: Path) -> None:
        self.hosted = hosted
        self.mark = uuid.uuid4().hex
        self.ran = directory / self.mark
        line = f"trap '' HUP INT TERM; touch {self.ran}; while :; do sleep 1; done # {self.mark}"
        self.argv = ("sh", "-c", line)

    def fails(self, *errors: type[PtyTasksError]) -> PtyTasksError | None:
        """Start it; return how that failed, None where it runs. Where it failed, nothing may be left."""
        try:
            self.hosted.launch()
        except errors as error:
            assert running_with(self.mark.encode()) == []
            assert not self.ran.exists()
            files = self.hosted.files
            assert not os.path.exists(f"{files.host}.reserved")
            assert not os.path.exists(f"{files.exit}.reserved")
            about = read_json(files.host)
            assert about is None or about["attempt"] != self.hosted.attempt
            assert not os.path.exists(self.hosted.socket_path)
            return error
        wait_until(self.ran.exists)
        self.hosted.stop()
        self.hosted.ended()
        self.ran.unlink()
        return None


@contextlib.contextmanager
def attempt_in(directory: Path, tmp_path: Path) -> Iterator[Attempt]:
    hosted = Hosted(str(directory))
    try:
        one = Attempt(hosted, tmp_path)
        hosted.prepare(*one.argv)
        yield one
    finally:
        hosted.clean_up()


@pytest.fixture
def attempt(tmp_path: Path, transport: str) -> Iterator[Attempt]:
    with attempt_in(tmp_path, tmp_path) as one:
        yield one


@contextlib.contextmanager
def mounted(path: Path | str, *options: str) -> Iterator[None]:
    if os.getuid() != 0:
        pytest.skip("only root can mount a file system")
    if subprocess.run(["mount", *options, str(path)], check=False).returncode != 0:
        pytest.skip("this container may not mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@contextlib.contextmanager
def read_only(path: str) -> Iterator[None]:
    """Make a directory and its content read-only for everyone."""
    os.makedirs(path, exist_ok=True)
    with mounted(path, "--bind", path):
        subprocess.run(["mount", "-o", "remount,ro,bind", path], check=True)
        yield


@pytest.mark.usefixtures("transport")
@pytest.mark.parametrize("again", [False, True])
def test_a_disk_with_ever_so_little_room(small_disk: Path, tmp_path: Path, again: bool) -> None:
    """With no space at first, then one more page at a time until there is enough: for a first and a later attempt."""
    with attempt_in(small_disk, tmp_path) as one:
        squeeze(one, small_disk / "filler", again)


def squeeze(one: Attempt, filler: Path, again: bool) -> None:
    if again:
        assert one.fails() is None
        one.hosted.prepare(*one.argv, attempt=2)
    outcomes = []
    for pages in range(16):
        with filler.open("wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(PAGE))
            file.truncate(max(file.tell() - pages * PAGE, 0))
        outcomes.append(one.fails(StorageFull))
        filler.unlink()
        if outcomes[-1] is None:
            break
    assert outcomes[-1] is None
    assert len(outcomes) > 2


@pytest.mark.usefixtures("transport")
def test_a_disk_without_a_free_inode(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted(disk, "-t", "tmpfs", "-o", "size=8m,nr_inodes=40", "tmpfs"), attempt_in(disk, tmp_path) as one:
        outcomes = []
        for free in range(20):
            taken = []
            with contextlib.suppress(OSError):
                for number in range(100):
                    (disk / f"{number}").touch()
                    taken.append(disk / f"{number}")
            for path in taken[:free]:
                path.unlink()
            outcomes.append(one.fails(StorageFull, InternalError))
            for path in taken[free:]:
                path.unlink()
            if outcomes[-1] is None:
                break
        assert outcomes[-1] is None
        assert len(outcomes) > 5


@pytest.mark.parametrize("part", ["task", "output", "run"])
def test_a_read_only_directory(attempt: Attempt, part: str) -> None:
    files = attempt.hosted.files
    run = os.path.dirname(attempt.hosted.socket_path)
    with read_only({"task": files.dir, "output": files.output, "run": run}[part]):
        error = attempt.fails(InternalError)
    assert error is not None
    assert os.strerror(errno.EROFS) in error.message
    assert attempt.fails() is None


def blocked_by_a_directory(path: str) -> None:
    os.makedirs(path)


def blocked_by_a_file(path: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii"):
        pass


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (blocked_by_a_directory, "host"),
        (blocked_by_a_directory, "exit"),
        (blocked_by_a_directory, "host.reserved"),
        (blocked_by_a_directory, "exit.reserved"),
        (blocked_by_a_file, "output"),
        (blocked_by_a_file, "run"),
        (blocked_by_a_directory, "socket"),
    ],
)
def test_a_name_that_is_taken(attempt: Attempt, block: Callable[[str], None], part: str) -> None:
    """Renaming host.json is the last step that can fail: the command's process exists by then."""
    hosted = attempt.hosted
    path = {
        "host": hosted.files.host,
        "exit": hosted.files.exit,
        "host.reserved": f"{hosted.files.host}.reserved",
        "exit.reserved": f"{hosted.files.exit}.reserved",
        "output": hosted.files.output,
        "run": os.path.dirname(hosted.socket_path),
        "socket": hosted.socket_path,
    }[part]
    block(path)
    with pytest.raises(InternalError):
        hosted.launch()
    assert running_with(attempt.mark.encode()) == []
    assert not attempt.ran.exists()
    if block is blocked_by_a_directory:
        os.rmdir(path)
    else:
        os.unlink(path)
    assert not os.path.exists(f"{hosted.files.host}.reserved")
    assert not os.path.exists(f"{hosted.files.exit}.reserved")
    assert attempt.fails() is None


@pytest.mark.parametrize(
    "spec",
    [
        {"ladder": [["SIGNOTHING", 1]]},
        {"ladder": 5},
        {"timeout": {"seconds": float("nan")}},
        {"timeout": {"seconds": "soon"}},
        {"timeout": {"seconds": 5, "warning": {"signal": 9, "before": 1}}},
        {"ring": {}},
        {"rows": "x"},
        {"rows": -1},
        {"cwd": None},
        {"argv": None},
    ],
)
def test_a_spec_that_makes_no_sense(attempt: Attempt, spec: dict[str, object]) -> None:
    attempt.hosted.prepare(*attempt.argv, **spec)
    assert attempt.fails(PtyTasksError) is not None


def test_it_is_killed_between_the_fork_and_the_record(tmp_path: Path) -> None:
    """The command's process is there, ready, and held back: it ends with the ptyhost, and the command never runs."""
    source = """
import os, signal, sys
from jupyter_ptytasks.ptyhost.pty_posix import PosixPty
signal.signal(signal.SIGHUP, signal.SIG_IGN)
pty = PosixPty(24, 80)
child = pty.spawn([b"touch", sys.argv[1].encode()], dict(os.environb), "/", 0o77)
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    ran = tmp_path / "ran"
    killed = subprocess.run([sys.executable, "-c", source, str(ran)], capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL
    wait_until(lambda: not is_alive(int(killed.stdout)))
    assert not ran.exists()


def test_one_that_hangs_starts_nothing_later(attempt: Attempt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named pipe instead of the spec, which blocks like a network drive that does not respond."""
    monkeypatch.setattr(local, "_PATIENCE", 1.0)
    spec = attempt.hosted.files.spec
    os.rename(spec, f"{spec}.kept")
    os.mkfifo(spec)
    error = attempt.fails(HostUnreachable)
    assert error is not None
    wait_until(lambda: running_with(str(tmp_path).encode()) == [])
    os.unlink(spec)
    os.rename(f"{spec}.kept", spec)
    assert attempt.fails() is None


def test_a_program_that_hangs_does_not_run_later(
    attempt: Attempt, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Like on a network drive that does not respond: the released process blocks before it executes."""
    monkeypatch.setattr(local, "_PATIENCE", 1.0)
    spawn = package / "ptyhost" / "spawn_posix.py"
    whole = spawn.read_text()
    spawn.write_text(whole.replace("program.become(", "__import__('time').sleep(3)\n            program.become("))
    assert spawn.read_text() != whole
    assert attempt.fails(HostUnreachable) is not None
    wait_until(lambda: running_with(attempt.hosted.files.dir.encode()) == [])
    assert not attempt.ran.exists()


def test_one_that_is_asked_to_end_just_before(attempt: Attempt, package: Path) -> None:
    """SIGTERM after its handler was installed and before the command's process is released."""
    pty = package / "ptyhost" / "pty_posix.py"
    whole = pty.read_text()
    pty.write_text(
        whole.replace(
            "        try:\n            return Spawned(",
            "        os.kill(os.getpid(), 15)\n        try:\n            return Spawned(",
        )
    )
    assert pty.read_text() != whole
    error = attempt.fails(InternalError)
    assert error is not None
    assert "told to end" in error.message


def test_the_record_names_the_command_before_it_runs(hosted: Hosted) -> None:
    hosted.start("sh", "-c", f"cat {hosted.files.host}; echo $$")
    hosted.ended()
    record, pid = hosted.output().split(b"\r\n")[:2]
    assert f'"pid":{int(pid)},'.encode() in record
