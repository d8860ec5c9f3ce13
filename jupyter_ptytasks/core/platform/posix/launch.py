"""Getting a ptyhost from its starter: calling it, sending the request, and reading the report. Blocking.

The starter (`ptyhost/starter_posix.py`) forks a process for every call, and leaves the rest to the two. The process
reports its id, and is sent the request only then. So a caller that gives up earlier has requested nothing, and may call
again; one that gives up later knows which process to end.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import time

from . import endpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Mapping, Sequence
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
    answer_by: float,
    deadline: float,
) -> tuple[dict[str, Any], bytes]:
    """Have the starter at `path` fork a ptyhost, send it a request with descriptors, and return what it has answered to
    the call, and its report: one line of JSON, or less if it has failed.

    Raises NoStarter if it has not answered until `answer_by` (monotonic seconds), TimeoutError if there is no report at
    the `deadline`, OSError; the ptyhost starts nothing then.
    """
    connection = _call(path, answer_by)
    try:
        line = _exchange(connection, b"", (), answer_by)
        if line is None or not line.endswith(b"\n"):
            raise NoStarter
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            return answer, line
        report = _exchange(connection, json.dumps(request).encode(), fds, deadline)
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


def _exchange(connection: socket, data: bytes, fds: Sequence[int], deadline: float) -> bytes | None:
    """Send `data`, if any, then end of file, and return a line; less if the other end has closed the connection before,
    None if there is no line until the deadline.

    Both at once: it may fail before it has read, and it reads before it reports.
    """
    line = b""
    rest = memoryview(data)
    while not line.endswith(b"\n"):
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN | (select.POLLOUT if rest else 0))
        left = deadline - time.monotonic()
        events = dict(poll.poll(left * 1000)) if left > 0 else {}
        if not events:
            return None
        if events[connection.fileno()] & ~select.POLLOUT:
            try:
                part = connection.recv(1 << 16)
            except ConnectionResetError:
                break
            if not part:
                break
            line += part
        else:
            try:
                rest, fds = rest[endpoint.send_with(connection, rest, fds) :], ()
                if not rest:
                    connection.shutdown(_SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                rest = rest[:0]
    return line


def _give_up(connection: socket, pid: int) -> None:
    """Tell a ptyhost that hangs to end: it starts nothing any more, or stops what it has just started."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _FAREWELL
    # Until the connection is closed everywhere: by itself and by the command's process.
    while (part := _exchange(connection, b"", (), deadline)) is not None and part.endswith(b"\n"):
        pass


class Children:
    """Processes that should have no parent, but became children of this process, because it is the first process of a
    container, or a subreaper.
    """

    def __init__(self) -> None:
        self._pids: set[int] = set()

    def adopt(self, pid: int) -> None:
        """Remember the process `pid`, if it is a child of this process."""
        try:
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                self._pids.add(pid)
        except ChildProcessError:
            pass  # as it should be: it is the child of another process

    def reap(self) -> None:
        """Take note of those that have ended, so that no zombies are left."""
        # Each by its pid: other children of this process are not waited for here.
        for pid in list(self._pids):
            try:
                if os.waitpid(pid, os.WNOHANG) != (0, 0):
                    self._pids.discard(pid)
            except ChildProcessError:
                self._pids.discard(pid)
