"""From a bare process to a running host: reserve, bind, start the command, report.

What can fail is done before the command may run: its process is forked and held back, host.json names it, and only then
it is let go. So whatever is told to have failed does not run, and nothing ever runs that host.json does not tell of.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import time

from ..core import execve, wire
from ..core.errors import SpawnFailed
from ..core.files import encode, read_json, write_all
from ..core.machine import boot_id, start_time
from ..core.paths import TaskFiles
from ..core.ring.attempts import heading
from ..core.ring.writer import RingWriter
from . import tree
from .guard import Guard
from .host import Host
from .pty_posix import PosixPty
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def main(directory: str, socket_path: str, lock: str) -> None:
    """Run a task from its beginning to its end, in a process that has left everybody."""
    os.set_inheritable(int(lock), False)
    umask = os.umask(0o077)
    files = TaskFiles(directory)
    guard = Guard(files.log)
    sys.stderr = guard
    signal.signal(signal.SIGTERM, _interrupt)
    report = os.dup(1)
    try:
        env = _read_env()
        _silence()
        host, about = _start(files, socket_path, umask, env, guard)
        del env  # it may be large, and hold secrets
    except SpawnFailed as error:
        _say(report, {"error": {"field": error.field, "message": error.message}})
        raise SystemExit(1) from None
    except Exception as error:  # noqa: BLE001  whatever it is, it is told
        guard.note("starting")
        number = error.errno if isinstance(error, OSError) else None
        message = (error.strerror if isinstance(error, OSError) else None) or f"{type(error).__name__}: {error}"
        _say(report, {"error": {"errno": number, "message": message}})
        raise SystemExit(1) from None
    _say(report, {"ready": True, "host_pid": os.getpid(), **about})
    # Nobody waits any more. All that will ever be needed is loaded now: later the package may have been replaced.
    guard.attempt("loading", _load)
    host.run()


def _read_env() -> dict[str, str] | None:
    """Return the environment of the command, as whoever starts us gives it on our standard input, as JSON; None where
    there is nothing: that is an older server, which has put it into the spec.
    """
    data = b""
    while part := os.read(0, 1 << 16):
        data += part
    return json.loads(data) if data else None


def _start(
    files: TaskFiles, socket_path: str, umask: int, env: dict[str, str] | None, guard: Guard
) -> tuple[Host, dict[str, Any]]:
    """Start the command; return its host, and what is told of that: its pid, and when it was started (Unix time).

    Raises SpawnFailed or OSError, or what a spec that makes no sense leads to; nothing runs then, and nothing of the
    attempt is left.
    """
    spec = read_json(files.spec)
    if spec is None:
        raise OSError(errno.EIO, f"{files.spec} cannot be read")
    undo: list[Callable[[], object]] = []
    try:
        argv, variables = _arguments(spec, spec["env"] if env is None else env, files)
        exited = Record(files.exit)
        undo.append(exited.discard)
        hosted = Record(files.host)
        undo.append(hosted.discard)
        size, segment, rows, cols = spec["ring"]["size"], spec["ring"]["segment"], spec["rows"], spec["cols"]
        ring = RingWriter(files.output, size=size, segment=segment, rows=rows, cols=cols)
        if ring.end and spec["attempt"] > 1:
            ring.write(_begin_attempt(ring, spec["attempt"]))
        pty = _open_pty(rows, cols)
        host = Host(spec=spec, pty=pty, ring=ring, record=exited, socket_path=socket_path, guard=guard)
        undo.append(host.close)
        started = time.time()
        child = pty.spawn(argv, variables, spec["cwd"], umask)
        undo.append(child.abandon)
        # What an attempt before this one left is no news any more.
        _remove(files.exit)
        hosted.write(_about(spec, socket_path, child.pid, started), durable=False)
        child.release()
        host.begin(child.pid, started)
    except BaseException:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for step in [*reversed(undo), _end_all]:
            guard.attempt("taking back a start", step)
        raise
    return host, {"pid": child.pid, "started": started}


def _interrupt(*_: object) -> None:
    """SIGTERM during the start: whoever waits for us waits no longer. Whatever we wait for ourselves, nothing runs."""
    raise InterruptedError(errno.EINTR, "the ptyhost was told to end")


def _end_all() -> None:
    """Kill and reap whatever is left of a command that should not have been started."""
    while True:
        tree.kill(0, 0)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _arguments(
    spec: Mapping[str, Any], env: Mapping[str, str], files: TaskFiles
) -> tuple[list[bytes], dict[bytes, bytes]]:
    """Return what to execute. A line for the shell that is too long for an argument goes by a file."""
    argv = spec["argv"]
    line = spec.get("command")
    if isinstance(line, str) and len(argv) == 3 and not execve.fits(argv, env):
        fd = os.open(files.command, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            write_all(fd, os.fsencode(line))
        finally:
            os.close(fd)
        from ..core.shell_line import by_file  # noqa: PLC0415  for long lines alone

        argv = by_file(argv[0], files.command)
    return execve.encode(argv, env)


def _open_pty(rows: int, cols: int) -> PosixPty:
    try:
        return PosixPty(rows, cols)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        # ptmx(4) says so of a table that is full, as if it were a disk.
        raise OSError(errno.EAGAIN, "the system has no pseudo-terminal left") from error


def _about(spec: Mapping[str, Any], socket_path: str, pid: int, started: float) -> dict[str, Any]:
    """Return what host.json says."""
    return {
        "version": wire.VERSION,
        "id": spec["id"],
        "attempt": spec["attempt"],
        "host_pid": os.getpid(),
        "host_start": start_time(os.getpid()),
        "boot_id": boot_id(),
        "hostname": os.uname().nodename,
        "socket": socket_path,
        "pid": pid,
        "started": started,
    }


def _begin_attempt(ring: RingWriter, attempt: int) -> bytes:
    """Return what stands between two attempts: whatever modes the last one left on are taken off, and a line says what
    follows.
    """
    leave = b"\x1b[?1049l" if ring.modes.alternate else b""
    mouse = b"\x1b[?9;1000;1002;1003;1004;1005;1006;1015;1016;2004l"
    return b"\x18" + leave + b"\x1b[!p" + mouse + b"\r\n" + heading(attempt)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _load() -> None:
    from ..core.terminal import replay  # noqa: F401, PLC0415


def _silence() -> None:
    """Leave whoever started us. Our standard error is host.log, and stays."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for fd in (0, 1):
        os.dup2(null, fd)
    os.close(null)


def _say(report: int, value: object) -> None:
    try:
        write_all(report, encode(value))
    except OSError:
        pass  # whoever started us is gone; the task runs all the same
    os.close(report)
