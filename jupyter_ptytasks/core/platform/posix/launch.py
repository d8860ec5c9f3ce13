"""Getting a ptyhost from the starter: connecting, sending the request, and reading the report. Blocking.

The starter (`ptyhost/starter_posix.py`) forks a process for every connection, which handles it. The process first
reports its id, and only then gets the request. So a caller that gives up before has requested nothing and may try
again; one that gives up later knows which process to end. The command runs after a final confirmation of the caller,
so the caller can do other work while the ptyhost gets ready.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import time

from . import detach, endpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

#: shutdown(2): nothing more will be sent.
_SHUT_WR = 1
#: Seconds for a ptyhost to exit after it was requested to.
_FAREWELL = 5.0
#: Seconds between two attempts to connect to a busy starter.
_BUSY = 0.002


class NoStarter(Exception):
    """No process has responded, and nothing was requested."""


def start(
    path: str,
    program: str,  # noqa: ARG001  what is executed where no process forks
    request: Mapping[str, Any],
    fds: Sequence[int],
    go: Callable[[], None],
    answer_by: float,
    deadline: float,
) -> tuple[dict[str, Any], bytes]:
    """Have the starter at `path` fork a ptyhost, send it a request with descriptors, and return its first answer and
    its report: one line of JSON, or less if it has failed.

    `go` is called while the ptyhost gets ready: its command runs after `go` has returned. Raises NoStarter if there is
    no answer by `answer_by` (monotonic seconds), TimeoutError if there is no report by the `deadline`, OSError, and
    what `go` raises; in all these cases the ptyhost starts nothing.
    """
    connection = _call(path, answer_by)
    try:
        line = _read_line(connection, answer_by)
        if line is None or not line.endswith(b"\n"):
            raise NoStarter
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            return answer, line
        report = None
        if _send(connection, json.dumps(request).encode() + b"\n", fds, deadline):
            try:
                go()
            except BaseException:
                with contextlib.suppress(OSError):  # it has failed on its own
                    connection.shutdown(_SHUT_WR)
                _see_off(connection)
                raise
            report = _read_line(connection, deadline) if _send(connection, b"!", (), deadline) else None
        if report is None:
            _give_up(connection, answer["host_pid"])
            raise TimeoutError
        return answer, report
    finally:
        connection.close()


def _call(path: str, deadline: float) -> socket:
    while True:
        try:
            return endpoint.call(path)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise NoStarter from None
            time.sleep(_BUSY)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ECONNREFUSED, errno.ECONNRESET):
                raise
            raise NoStarter from error


def _send(connection: socket, data: bytes, fds: Sequence[int], deadline: float) -> bool:
    """Send data and descriptors; return whether this was done before the deadline. It also counts as done if the other
    end has closed the connection: the reason can be read.
    """
    rest = memoryview(data)
    while rest:
        if not _is_ready(connection, select.POLLOUT, deadline):
            return False
        try:
            rest, fds = rest[endpoint.send_with(connection, rest, fds) :], ()
        except (BrokenPipeError, ConnectionResetError):
            break
    return True


def _read_line(connection: socket, deadline: float) -> bytes | None:
    """Return a line; less if the other end closes the connection before, None if there is none by the deadline."""
    line = b""
    while not line.endswith(b"\n"):
        if not _is_ready(connection, select.POLLIN, deadline):
            return None
        try:
            part = connection.recv(1 << 16)
        except ConnectionResetError:
            break
        if not part:
            break
        line += part
    return line


def _is_ready(connection: socket, event: int, deadline: float) -> bool:
    """Wait until a connection can be read or written, or is closed; return False at the deadline."""
    poll = select.poll()
    poll.register(connection.fileno(), event)
    left = deadline - time.monotonic()
    return left > 0 and bool(poll.poll(left * 1000))


def _give_up(connection: socket, pid: int) -> None:
    """Tell a hanging ptyhost to exit: it starts nothing, or stops what it has just started."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    _see_off(connection)


def _see_off(connection: socket) -> None:
    """Wait until both a ptyhost that gives up and the command's process have closed a connection."""
    deadline = time.monotonic() + _FAREWELL
    while (part := _read_line(connection, deadline)) is not None and part.endswith(b"\n"):
        pass


class Children:
    """Detached processes that became children of this process because it is the first process of a container, or a
    subreaper.
    """

    def __init__(self) -> None:
        self._pids: set[int] = set()
        self._has_adopted = False

    def adopt(self, pid: int) -> None:
        """Remember the process `pid`, if it is a child of this process."""
        try:
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                self._pids.add(pid)
                self._has_adopted = True
        except ChildProcessError:
            pass  # the normal case: it is a child of another process

    def reap(self) -> None:
        """Reap those that have ended, so that no zombies are left."""
        # By pid: other children of this process must not be reaped here.
        for pid in self._pids | (_unused() if self._has_adopted else set()):
            try:
                if os.waitpid(pid, os.WNOHANG) != (0, 0):
                    self._pids.discard(pid)
            except ChildProcessError:
                self._pids.discard(pid)


def _unused() -> set[int]:
    """Return the children of this process that were forked to become ptyhosts, and ended unused: proc(5), "children"
    and "comm". Their pids were never reported.
    """
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return {int(pid) for pid in file.read().split() if _name(pid) == detach.SPARE}
    except OSError:
        return set()  # there are no containers, or the kernel does not list children


def _name(pid: str) -> bytes:
    try:
        with open(f"/proc/{pid}/comm", "rb") as file:
            return file.read().rstrip(b"\n")
    except OSError:
        return b""
