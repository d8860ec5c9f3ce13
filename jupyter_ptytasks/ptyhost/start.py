"""From a bare process to a running host: bind, start the command, report."""

from __future__ import annotations

import os
import time

from ..core import wire
from ..core.ring.attempts import heading
from ..core.files import encode, read_json, write_json
from ..core.machine import boot_id, start_time
from ..core.paths import TaskFiles
from ..core.ring.writer import RingWriter
from .connection import listen
from .host import Host
from .pty_posix import PosixPty, SpawnError
from .record import ExitRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def main(directory: str, socket_path: str, lock: str) -> None:
    """Run a task from its beginning to its end, in a process that has left everybody."""
    os.set_inheritable(int(lock), False)
    umask = os.umask(0o077)
    report = os.dup(1)
    _silence()
    try:
        host = _start(TaskFiles(directory), socket_path, umask)
    except SpawnError as error:
        _say(report, {"error": {"field": error.field, "message": str(error)}})
        raise SystemExit(1) from None
    except (OSError, KeyError) as error:
        about = {"errno": getattr(error, "errno", None), "message": getattr(error, "strerror", None) or str(error)}
        _say(report, {"error": about})
        raise SystemExit(1) from None
    _say(report, {"ready": True, "host_pid": os.getpid(), **host[1]})
    # Nobody waits any more. All that will ever be needed is loaded now: later the package may have been replaced.
    from ..core.terminal import replay  # noqa: F401, PLC0415

    host[0].run()


def _start(files: TaskFiles, socket_path: str, umask: int) -> tuple[Host, dict[str, Any]]:
    spec = read_json(files.spec)
    if spec is None:
        raise OSError(f"{files.spec} cannot be read")
    record = ExitRecord(files.exit)
    ring = RingWriter(
        files.output, size=spec["ring"]["size"], segment=spec["ring"]["segment"], rows=spec["rows"], cols=spec["cols"]
    )
    if ring.end and spec["attempt"] > 1:
        ring.write(_begin_attempt(ring, spec["attempt"]))
    pty = PosixPty(spec["rows"], spec["cols"])
    started = time.time()
    try:
        pid = pty.spawn(spec["argv"], spec["env"], spec["cwd"], umask)
    except SpawnError:
        record.discard()
        raise
    about = {
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
    write_json(files.host, about)
    host = Host(
        spec=spec,
        pid=pid,
        pty=pty,
        ring=ring,
        listen=lambda: listen(socket_path),
        record=record,
        socket_path=socket_path,
    )
    return host, {"pid": pid, "started": started}


def _begin_attempt(ring: RingWriter, attempt: int) -> bytes:
    """Give what stands between two attempts: whatever modes the last one left on are taken off, and a line says what
    follows.
    """
    leave = b"\x1b[?1049l" if ring.ledger.alternate else b""
    mouse = b"\x1b[?9;1000;1002;1003;1004;1005;1006;1015;1016;2004l"
    return b"\x18" + leave + b"\x1b[!p" + mouse + b"\r\n" + heading(attempt)


def _silence() -> None:
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)


def _say(report: int, value: object) -> None:
    try:
        os.write(report, encode(value))
    except OSError:
        pass  # whoever started us is gone; the task runs all the same
    os.close(report)
