"""A command starts in a clean state; one that cannot start is reported immediately."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import stat
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core.errors import SpawnFailed
from tests.ptyhost.hosting import Hosted, is_alive, wait_until

if TYPE_CHECKING:
    from tests.oracle.client import Xterm


def test_it_runs_and_its_end_is_recorded(hosted: Hosted) -> None:
    hosted.start("sh", "-c", "echo hello; exit 3")
    record = hosted.ended()
    assert (record["code"], record["signal"], record["reason"]) == (3, None, "exited")
    assert record["started"] <= record["ended"]
    assert record["rusage"]["max_rss"] > 0
    assert record["output"] == {"start": 0, "end": 7, "lines": 1, "lost": 0}
    assert hosted.output() == b"hello\r\n"
    assert not os.path.exists(hosted.socket_path)


def test_a_signal_is_recorded_by_name(hosted: Hosted) -> None:
    hosted.start("sh", "-c", "kill -SEGV $$")
    record = hosted.ended()
    assert (record["code"], record["signal"]) == (None, "SIGSEGV")


@pytest.mark.parametrize(
    ("argv", "cwd", "field", "message"),
    [
        (["no-such-command"], "/", "command", "No such file"),
        (["/etc/passwd"], "/", "command", "Permission denied"),
        (["true"], "/no/such/directory", "cwd", "No such file"),
        (["true"], "/etc/passwd", "cwd", "Not a directory"),
    ],
)
def test_a_failed_exec_is_reported_and_leaves_nothing(
    hosted: Hosted, argv: list[str], cwd: str, field: str, message: str
) -> None:
    with pytest.raises(SpawnFailed, match=message) as failure:
        hosted.start(*argv, cwd=cwd)
    assert failure.value.field == field
    assert not os.path.exists(hosted.socket_path)
    assert not os.path.exists(hosted.files.exit)
    assert not os.path.exists(hosted.files.exit + ".reserved")


def test_the_child_has_a_terminal_default_signals_and_nothing_inherited(hosted: Hosted) -> None:
    hosted.python(
        """
import json, os, signal, sys
fds = sorted(int(fd) for fd in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{fd}'))
status = dict(line.split(':', 1) for line in open('/proc/self/status'))
tty = os.open('/dev/tty', os.O_RDWR)
print(json.dumps({
    'fds': fds, 'ignored': status['SigIgn'].strip(), 'blocked': status['SigBlk'].strip(),
    'session': os.getsid(0) == os.getpid(), 'foreground': os.tcgetpgrp(tty) == os.getpgid(0),
    'size': list(os.get_terminal_size(0)), 'umask': os.umask(0), 'cwd': os.getcwd(),
}))
""",
        cwd="/usr",
    )
    assert hosted.ended()["code"] == 0
    found = json.loads(hosted.output())
    assert found.pop("fds") == [0, 1, 2]
    # Python ignores SIGPIPE and SIGXFSZ by itself. The C library's own, 32 and 33, nobody can set: posix_spawn(3)
    # leaves them ignored.
    ours = sum(1 << number - 1 for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ})
    assert int(found.pop("ignored"), 16) & ours == 0
    assert found == {
        "blocked": "0" * 16,
        "session": True,
        "foreground": True,
        "size": [80, 24],
        "umask": _umask(),
        "cwd": "/usr",
    }


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_its_files_and_socket_are_private(hosted: Hosted) -> None:
    hosted.start("sleep", "100")
    for path in (hosted.files.host, hosted.socket_path, f"{hosted.files.output}/{0:020d}.log"):
        assert stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0, path
    assert stat.S_IMODE(os.stat(os.path.dirname(hosted.socket_path)).st_mode) == 0o700


def test_the_host_record_identifies_the_processes(hosted: Hosted) -> None:
    hosted.start("sleep", "100")
    with open(hosted.files.host, encoding="utf-8") as file:
        record = json.load(file)
    assert (record["pid"], record["host_pid"], record["attempt"]) == (hosted.pid, hosted.host_pid, 1)
    assert record["socket"] == hosted.socket_path
    assert record["boot_id"]
    assert record["host_start"] > 0


def test_a_second_attempt_continues_in_the_same_ring(hosted: Hosted) -> None:
    hosted.start("sh", "-c", r"printf '\033[?1049hfull screen'")
    first = hosted.ended()
    hosted.start("echo", "again", attempt=2)
    second = hosted.ended()
    assert second["attempt"] == 2
    assert second["output"]["end"] > first["output"]["end"]
    output = hosted.output()
    assert output.startswith(b"\x1b[?1049hfull screen")
    # What the first left on is taken off.
    assert b"\x1b[?1049l" in output
    assert output.endswith("── attempt 2 ──\x1b[m\r\nagain\r\n".encode())


def test_a_second_attempt_leaves_what_the_first_has_written(hosted: Hosted, xterm: Xterm) -> None:
    hosted.start("printf", r"\033[3;20r\033[5;1Hhello\nbad\n")
    hosted.ended()
    hosted.start("echo", "again", attempt=2)
    hosted.ended()
    (screen,) = xterm.show(hosted.output())
    assert [line[0] for line in screen["normal"]["lines"] if line[0]] == ["hello", "bad", "── attempt 2 ──", "again"]


def test_the_host_has_no_parent_and_holds_the_lock(hosted: Hosted) -> None:
    hosted.start("sleep", "100")
    with open(f"/proc/{hosted.host_pid}/stat", "rb") as file:
        parent, _, session = file.read().rpartition(b")")[2].split()[1:4]
    assert int(parent) != os.getpid()
    assert int(session) != os.getsid(0)
    with open(hosted.files.lock, "rb") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.kill(hosted.host_pid, 9)
    wait_until(lambda: not is_alive(hosted.host_pid))
    with open(hosted.files.lock, "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
