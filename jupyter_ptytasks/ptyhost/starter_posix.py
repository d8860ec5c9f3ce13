"""The starter: a process that has loaded all modules of ptyhosts, and forks one for every connection.

A fork takes a fifth of the time of a start from nothing, and shares its memory with the starter. Each is forked before
it is wanted: one process is always there that takes the next connection, and then the starter forks another one. The
starter itself reads nothing, writes nothing and keeps nothing. So no connection can keep it from forking for others,
and if it is killed, only the time to start another is lost.

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
    last = time.monotonic()
    spare, is_wanted = None, False
    while time.monotonic() - last < _STAY and _identity(path) == found_at:
        if spare is None:
            try:
                spare = _fork(listener, command, path)
            except OSError as error:
                if is_wanted:
                    _refuse(listener, error)
        # If none can be forked, it is tried again when one is wanted.
        is_wanted = _is_ready(spare or listener)
        if is_wanted:
            last = time.monotonic()
            if spare is not None:
                spare.close()
                spare = None
    del filler


def _is_ready(end: socket | endpoint.Endpoint) -> bool:
    """Wait until there is something at a connection or an endpoint; return False if there is nothing for a while."""
    poll = events.Poll()
    poll.register(end.fileno(), events.READ)
    return bool(poll.poll(_LOOK * 1000))


def load() -> None:
    """Load the modules that ptyhosts need."""
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
    """Return the identity of a socket, to detect when another one has replaced it."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _fork(listener: endpoint.Endpoint, command: str, path: str) -> socket:
    """Fork a process that becomes the ptyhost for the next connection, and has no parent that waits for it. Return a
    connection to it, which ends when it is taken; if this end is closed, it leaves. Raises OSError.
    """
    own, its = endpoint.pair()
    try:
        pid = os.fork()
        if pid == 0:
            own.close()
            _leave(listener, its, command, path)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status:
            number = status if status > 0 else errno.EAGAIN
            raise OSError(number, os.strerror(number))
        own.send(b"!")
    except BaseException:
        own.close()
        raise
    finally:
        its.close()
    return own


def _leave(listener: endpoint.Endpoint, starter: socket, command: str, path: str) -> None:
    """Fork once more, and be that process. Never returns."""
    pid = os.getppid()
    try:
        os.setsid()
        detach.detach()
    except OSError as error:
        os._exit(error.errno or errno.EAGAIN)
    try:
        detach.rename(f"{command} --spare {path}")
        name = detach.set_name(detach.SPARE)
        connection = _take(listener, starter)
        if connection is not None:
            detach.set_name(name)
            _host(connection, command, pid)
    except OSError:
        pass  # the caller has given up
    except SystemExit:
        pass  # it has reported why
    except Exception:  # noqa: BLE001  this process must not go on as the starter
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(1)


def _take(listener: endpoint.Endpoint, starter: socket) -> socket | None:
    """Return the next connection, for which another process is not wanted; None if the starter leaves before."""
    # Until the process in between has gone, and another one has become the parent of this one.
    if not starter.recv(1):
        return None
    poll = events.Poll()
    for end in (listener, starter):
        poll.register(end.fileno(), events.READ)
    while all(fd != starter.fileno() for fd, _ in poll.poll()):
        try:
            connection = listener.accept()
        except OSError:
            time.sleep(_RETRY)
            continue
        if connection is not None:
            listener.hand_over()
            starter.close()
            return connection
    return None


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
            raise OSError(errno.ECANCELED, "the server has canceled the start, or has died")

    start.main(directory, path, str(lock), request["env"], connection.detach(), wait)
    os._exit(0)


def _refuse(listener: endpoint.Endpoint, error: OSError) -> None:
    """Report to the next connection that nothing was started."""
    try:
        connection = listener.accept()
        if connection is not None:
            connection.send(encode(start.failure(error)))
            connection.close()
    except OSError:
        pass  # the caller has given up, or will try again
