"""Getting a ptyhost from its starter: calling it, sending the request, and reading the report. Blocking.

The starter (`ptyhost/starter_posix.py`) forks a process for every call, and leaves the rest to the two. The process
reports its id, and is sent the request only then. So a caller that gives up earlier has requested nothing, and may call
again; one that gives up later knows which process to end. The command runs after one more word of the caller: what must
be done before that can be done while the ptyhost gets ready.
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
#: Seconds that a ptyhost has to end after it was told to.
_FAREWELL = 5.0
#: Seconds between two calls of a starter that many others call.
_BUSY = 0.002


class NoStarter(Exception):
    """No process has answered, and nothing was requested."""


def start(
    path: str,
    program: str,  # noqa: ARG001  what is executed where no process forks
    request: Mapping[str, Any],
    fds: Sequence[int],
    go: Callable[[], None],
    answer_by: float,
    deadline: float,
) -> tuple[dict[str, Any], bytes]:
    """Have the starter at `path` fork a ptyhost, send it a request with descriptors, and return what it has answered to
    the call, and its report: one line of JSON, or less if it has failed.

    `go` is called once the ptyhost has the request, and so while it gets ready: its command runs when `go` has
    returned. Raises NoStarter if it has not answered until `answer_by` (monotonic seconds), TimeoutError if there is no
    report at the `deadline`, OSError, and what `go` raises; the ptyhost starts nothing then.
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
                with contextlib.suppress(OSError):  # it has failed by itself
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
    """Send data and descriptors; return whether that was done before the deadline. If the other end has closed the
    connection, it is done: why is to be read.
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
    """Return a line; less if the other end has closed the connection before, None if there is none until the
    deadline.
    """
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
    """Wait until a connection can be read or written, or is closed; return False if that is not so at the deadline."""
    poll = select.poll()
    poll.register(connection.fileno(), event)
    left = deadline - time.monotonic()
    return left > 0 and bool(poll.poll(left * 1000))


def _give_up(connection: socket, pid: int) -> None:
    """Tell a ptyhost that hangs to end: it starts nothing any more, or stops what it has just started."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    _see_off(connection)


def _see_off(connection: socket) -> None:
    """Wait until a connection is closed everywhere, by a ptyhost that gives up and by the command's process."""
    deadline = time.monotonic() + _FAREWELL
    while (part := _read_line(connection, deadline)) is not None and part.endswith(b"\n"):
        pass


class Children:
    """Processes that should have no parent, but became children of this process, because it is the first process of a
    container, or a subreaper.
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
            pass  # as it should be: it is the child of another process

    def reap(self) -> None:
        """Take note of those that have ended, so that no zombies are left."""
        # Each by its pid: other children of this process are not waited for here.
        for pid in self._pids | (_unused() if self._has_adopted else set()):
            try:
                if os.waitpid(pid, os.WNOHANG) != (0, 0):
                    self._pids.discard(pid)
            except ChildProcessError:
                self._pids.discard(pid)


def _unused() -> set[int]:
    """Return those children of this process that were forked to become ptyhosts, and ended unused: proc(5), "children"
    and "comm". Nobody has told their pids.
    """
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return {int(pid) for pid in file.read().split() if _name(pid) == detach.SPARE}
    except OSError:
        return set()  # there are no containers, or the kernel does not tell


def _name(pid: str) -> bytes:
    try:
        with open(f"/proc/{pid}/comm", "rb") as file:
            return file.read().rstrip(b"\n")
    except OSError:
        return b""
