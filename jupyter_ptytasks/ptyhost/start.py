"""From a bare process to a running host: reserve, bind, start the command, report.

Everything that can fail is done before the command may run: its process is created and held, then named in host.json,
and only then released. So nothing runs after a start that is reported as failed, and nothing runs that host.json does
not name.
"""

from __future__ import annotations

import errno
import os
import sys
import time

from ..core import execve, wire
from ..core.errors import SpawnFailed
from ..core.files import encode, read_json, write_all
from ..core.machine import boot_id, hostname, start_time
from ..core.paths import TaskFiles
from ..core.platform import detach, events, tree
from ..core.platform import files as system
from ..core.ring.attempts import heading
from ..core.ring.writer import RingWriter
from .guard import Guard
from .host import Host
from .record import Record

if sys.platform == "win32":
    from .pty_windows import WindowsPty as Pty
else:
    from .pty_posix import PosixPty as Pty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def main(
    directory: str,
    socket_path: str,
    lock: str,
    env: dict[str, str] | None,
    report: int,
    wait: Callable[[], None] = lambda: None,
) -> None:
    """Run a task until its end, in a detached process with host.log as its standard error; then let the scheduler start
    other tasks.

    `lock` is the descriptor of the task's lock, in digits. `env` is the environment of the command; None if it is in
    the spec, where older servers put it. The result of the start is written to the descriptor `report`, which is then
    closed. `wait` is called when everything is ready: it returns when the command may run, or raises OSError.
    """
    guard, umask = run(directory, socket_path, lock, env, report, wait=wait)[1:]
    os.umask(umask)
    # Everything is written. The next attempt need not wait for this process.
    detach.release_lock(lock)
    guard.attempt("waking the scheduler", _wake, TaskFiles(directory), socket_path)


def run(
    directory: str,
    socket_path: str,
    lock: str,
    env: dict[str, str] | None,
    report: int,
    spec: dict[str, Any] | None = None,
    wait: Callable[[], None] = lambda: None,
) -> tuple[dict[str, Any], Guard, int]:
    """Do the same, without waking the scheduler; return the exit record's part about the command, the guard, and the
    original umask of this process. `spec` replaces the one in the task's directory.
    """
    detach.keep_lock(lock)
    umask = os.umask(0o077)
    files = TaskFiles(directory)
    guard = Guard(files.log)
    sys.stderr = guard
    events.on_shutdown(_interrupt)
    try:
        host, about = _start(files, socket_path, umask, env, guard, spec or read_json(files.spec), wait)
        del env  # it may be large, and contain secrets
    except SpawnFailed as error:
        reply(report, {"error": {"field": error.field, "message": error.message}})
        raise SystemExit(1) from None
    except Exception as error:  # noqa: BLE001  any error is reported
        guard.note("starting")
        reply(report, failure(error))
        raise SystemExit(1) from None
    reply(report, {"ready": True, "host_pid": os.getpid(), **about})
    # The server has its response. A ptyhost that was not forked now loads what it needs later: the package may be
    # replaced.
    guard.attempt("loading", load)
    host.run()
    return host.job.ended or {}, guard, umask


def failure(error: Exception) -> dict[str, Any]:
    """Return the report of a start that failed for a reason other than the command."""
    number = error.errno if isinstance(error, OSError) else None
    message = (error.strerror if isinstance(error, OSError) else None) or f"{type(error).__name__}: {error}"
    return {"error": {"errno": number, "message": message}}


def reply(report: int, value: object) -> None:
    """Write a report to a descriptor, and close it."""
    try:
        write_all(report, encode(value))
    except OSError:
        pass  # the server is gone; the task runs anyway
    os.close(report)


def load() -> None:
    """Load the modules that a ptyhost needs only after its start."""
    from ..core import shell_line, wake  # noqa: F401, PLC0415
    from ..core.terminal import prompt, replay  # noqa: F401, PLC0415


def _start(
    files: TaskFiles,
    socket_path: str,
    umask: int,
    env: dict[str, str] | None,
    guard: Guard,
    spec: dict[str, Any] | None,
    wait: Callable[[], None],
) -> tuple[Host, dict[str, Any]]:
    """Start the command; return its host, and what to report: its pid, and when it was started (Unix time).

    Raises SpawnFailed or OSError, or other errors if the spec is invalid; then nothing runs, and no files of the
    attempt are left.
    """
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
        about = _about(spec, socket_path)
        child = pty.spawn(argv, variables, spec["cwd"], umask)
        undo.append(child.abandon)
        wait()
        started = time.time()
        # Do as little as possible until the release: memory pages that are written to are copied while the child shares
        # them. The exit record of a previous attempt is outdated now.
        _remove(files.exit)
        hosted.write({**about, "pid": child.pid, "started": started}, durable=False)
        child.release()
        host.begin(child.pid, started)
        if spec.get("flush"):
            guard.attempt("starting to flush the ring", host.terminal.flush, files.output)
    except BaseException:
        events.on_shutdown(lambda: None)
        for step in [*reversed(undo), tree.end_all]:
            guard.attempt("undoing a start", step)
        raise
    return host, {"pid": child.pid, "started": started}


def _interrupt() -> None:
    """Abandon the start, because the server no longer waits: interrupt this process so that nothing runs."""
    raise InterruptedError(errno.EINTR, "the ptyhost was told to end")


def _arguments(
    spec: Mapping[str, Any], env: Mapping[str, str], files: TaskFiles
) -> tuple[list[bytes], dict[bytes, bytes]]:
    """Return what to execute. A shell line that is too long for an argument is passed in a file."""
    argv = spec["argv"]
    if "marks" in spec:
        from ..core.shells.start import marking  # noqa: PLC0415  for shells only

        argv, env = marking(argv, env, spec["marks"], spec["attempt"])
    line = spec.get("command")
    if isinstance(line, str) and len(argv) == 3 and not execve.fits(argv, env):
        fd = os.open(files.command, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | system.BINARY, 0o600)
        try:
            write_all(fd, os.fsencode(line))
        finally:
            os.close(fd)
        from ..core.shell_line import by_file  # noqa: PLC0415  for long lines only

        argv = by_file(argv[0], files.command)
    return execve.encode(argv, env)


def _open_pty(rows: int, cols: int) -> Pty:
    try:
        return Pty(rows, cols)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        # ptmx(4) returns ENOSPC if its table is full, but this is not about a full disk.
        raise OSError(errno.EAGAIN, "the system has no pseudo-terminal left") from error


def _about(spec: Mapping[str, Any], socket_path: str) -> dict[str, Any]:
    """Return the content of host.json without what is known only when the command exists."""
    place = {"node": spec["node"]} if "node" in spec else {}
    return {
        **place,
        "version": wire.VERSION,
        "id": spec["id"],
        "attempt": spec["attempt"],
        "host_pid": os.getpid(),
        "host_start": start_time(os.getpid()),
        "boot_id": boot_id(),
        "hostname": hostname(),
        "socket": socket_path,
    }


def _begin_attempt(ring: RingWriter, attempt: int) -> bytes:
    """Return the separator of two attempts: it resets the modes left by the last one, and announces the next."""
    leave = b"\x1b[?1049l" if ring.modes.alternate else b""
    mouse = b"\x1b[?9;1000;1002;1003;1004;1005;1006;1015;1016;2004l"
    return b"\x18" + leave + b"\x1b[!p" + mouse + b"\r\n" + heading(attempt)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _wake(files: TaskFiles, socket_path: str) -> None:
    """Let the scheduler start tasks: this one has freed a slot, or others depend on it."""
    from ..core import wake  # noqa: PLC0415  already loaded

    data_dir = os.path.dirname(os.path.dirname(files.dir))
    wake.hand_over(data_dir, os.path.dirname(socket_path))
