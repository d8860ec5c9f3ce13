"""The starter: a process that has loaded everything that ptyhosts need, and forks one for every connection.

A fork takes a fifth of the time of a start from nothing, and shares its memory with the starter. The starter itself
reads nothing, writes nothing and keeps nothing: a connection talks to the process that was forked for it. So no
connection can keep the starter from forking for others, and if it is killed, only the time to start another is lost.

A fork inherits from the starter. Processes from which an executed ptyhost would inherit something else have another
starter (`provision/starter.py`).
"""

from __future__ import annotations

import errno
import gc
import json
import os
import sys
import time

from ..core.files import encode, write_all
from ..core.platform import detach, endpoint, events
from ..core.terminal import tokens, vt
from . import start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

#: Seconds after the last start for which the starter stays.
_STAY = 300.0
#: Seconds between two looks whether it can still be found.
_LOOK = 30.0
#: Seconds until it tries again to take a connection, for which the system has no descriptor or memory.
_RETRY = 0.1
#: Bytes of an empty `bytes`, and of the pools from which CPython takes room for objects of one size, of up to 512.
_EMPTY = sys.getsizeof(b"")
_POOL = 16 << 10
#: Modules that are imported where they are used.
_LATER = ("_ctypes", "resource")
#: The descriptors that come with a request: the task's lock, and its host.log.
_DESCRIPTORS = 2


def main(path: str) -> None:
    """Fork ptyhosts for connections to the socket at `path`, descriptor 0, until there were none for a while."""
    listener = endpoint.Endpoint(path, os.dup(0))
    os.dup2(1, 0)
    command = f"{sys.executable} {sys.argv[0]}"
    detach.rename(f"{command} --starter {path}")
    found_at = _identity(path)
    gc.disable()
    load()
    # What ptyhosts share with the starter must not be written to, or it would be copied: neither by a collection, nor
    # because there is room for something new beside it.
    gc.freeze()
    filler = [bytes(size - _EMPTY) for size in range(48, 513, 16) for _ in range(_POOL // size)]
    poll = events.Poll()
    poll.register(listener.fileno(), events.READ)
    last = time.monotonic()
    while time.monotonic() - last < _STAY and _identity(path) == found_at:
        if not poll.poll(_LOOK * 1000):
            continue
        last = time.monotonic()
        try:
            connection = listener.accept()
        except OSError:
            time.sleep(_RETRY)
            continue
        if connection is not None:
            _fork(listener, connection, command)
            connection.close()
    del filler


def load() -> None:
    """Load what ptyhosts will need."""
    start.load()
    for name in _LATER:
        try:
            __import__(name)
        except ImportError:
            pass  # there is something to fall back on
    # With the first color and the first prompt each of them would compile these.
    vt.TOKEN.match(b"")
    tokens.TOKEN.split("")


def _identity(path: str) -> tuple[int, int] | None:
    """Return what tells a socket from another one that was put in its place."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _fork(listener: endpoint.Endpoint, connection: socket, command: str) -> None:
    """Fork a process that becomes a ptyhost, and has no parent that waits for it."""
    try:
        waiting, gone = os.pipe()
    except OSError as error:
        _refuse(connection, error)
        return
    try:
        pid = os.fork()
    except OSError as error:
        _refuse(connection, error)
    else:
        if pid == 0:
            _leave(listener, connection, command, waiting, gone)
        os.waitpid(pid, 0)
    finally:
        os.close(waiting)
        os.close(gone)


def _leave(listener: endpoint.Endpoint, connection: socket, command: str, waiting: int, gone: int) -> None:
    """Fork once more, and be the ptyhost. Never returns."""
    starter = os.getppid()
    try:
        os.close(gone)
        os.setsid()
        detach.detach()
        # Until the process in between has gone, and another one has become the parent of this one.
        os.read(waiting, 1)
        os.close(waiting)
        listener.hand_over()
        _host(connection, command, starter)
    except OSError as error:
        _refuse(connection, error)
    except SystemExit:
        pass  # it has reported why
    except Exception:  # noqa: BLE001  this process must not go on as the starter
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(1)


def _host(connection: socket, command: str, starter: int) -> None:
    """Report the id of this process, read the request, and be its ptyhost until the end of the task; its command runs
    when another byte has come.
    """
    connection.setblocking(True)
    report = connection.fileno()
    write_all(report, encode({"host_pid": os.getpid(), "starter": starter}))
    data, fds = endpoint.receive_with(connection, 1 << 16, _DESCRIPTORS)
    while b"\n" not in data:
        part = os.read(report, 1 << 16)
        if not part:
            return  # the caller has given up
        data += part
    lock, log = fds
    os.dup2(log, 2)
    os.close(log)
    gc.enable()
    line, _, word = data.partition(b"\n")
    request = json.loads(line)
    directory, path = request["directory"], request["socket"]
    detach.rename(f"{command} {directory} {path}")

    def wait() -> None:
        if not word and not os.read(report, 1):
            raise OSError(errno.ECANCELED, "the server has taken the start back, or it has died")

    start.main(directory, path, str(lock), request["env"], connection.detach(), wait)
    os._exit(0)


def _refuse(connection: socket, error: OSError) -> None:
    """Report that nothing was started. The caller closes the connection."""
    try:
        connection.send(encode(start.failure(error)))
    except OSError:
        pass  # the caller has given up
