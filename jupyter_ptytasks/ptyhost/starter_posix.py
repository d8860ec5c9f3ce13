"""The starter: a process that has loaded all modules of ptyhosts, and forks one for every connection.

A fork takes a fifth of the time of a new interpreter, and shares its memory with the starter. Ptyhosts are forked in
advance: a spare process waits for the next connection, and when it has accepted one, the starter forks another. The
starter itself reads no requests and keeps no state. So no connection can block it, and if it is killed, only the time
to start another one is lost.

A forked process inherits from the starter. Callers from which an executed ptyhost would inherit something else use
another starter (`provision/starter.py`).
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

#: Seconds for which the starter stays after the last start.
_STAY = 300.0
#: Seconds between two checks whether its socket still exists.
_LOOK = 30.0
#: Seconds until it tries again to accept a connection after the system had no descriptor or memory for it.
_RETRY = 0.1
#: The size of an empty `bytes`, and of the pools in which CPython allocates objects of one size, up to 512 bytes.
_EMPTY = sys.getsizeof(b"")
_POOL = 16 << 10
#: Modules that are imported lazily.
_LATER = ("_ctypes", "resource")
#: The number of descriptors that come with a request: the task's lock, and its host.log.
_DESCRIPTORS = 2


def main(path: str) -> None:
    """Fork ptyhosts for connections to the socket at `path` (descriptor 0), until there have been none for a while."""
    listener = endpoint.Endpoint(path, os.dup(0))
    os.dup2(1, 0)
    command = f"{sys.executable} {sys.argv[0]}"
    detach.rename(f"{command} --starter {path}")
    found_at = _identity(path)
    gc.disable()
    load()
    # Memory that ptyhosts share with the starter must not be written to, or it would be copied: neither by the garbage
    # collector, nor by new objects in partly used pools, which are therefore filled.
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
        # If no process can be forked, try again when there is a connection.
        is_wanted = _is_ready(spare or listener)
        if is_wanted:
            last = time.monotonic()
            if spare is not None:
                spare.close()
                spare = None
    del filler


def _is_ready(end: socket | endpoint.Endpoint) -> bool:
    """Wait until a connection or an endpoint is readable; return False after a while."""
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
            pass  # there is a fallback
    # Otherwise each ptyhost would compile these, with the first color and the first prompt.
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
    """Fork an orphaned process that becomes the ptyhost for the next connection. Return a socket to it: the process
    closes it when it accepts a connection, and exits if this end is closed before. Raises OSError.
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
    """Fork again, and become the ptyhost for the next connection. Never returns."""
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
    except Exception:  # noqa: BLE001  this process must not continue as the starter
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(1)


def _take(listener: endpoint.Endpoint, starter: socket) -> socket | None:
    """Accept the next connection, and return it; None if the starter exits before."""
    # Wait until the intermediate process is gone and this process is orphaned.
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
    """Report the pid of this process, read the request, and host its task until the end. The command runs when another
    byte arrives.
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
    """Report an error to the next connection."""
    try:
        connection = listener.accept()
        if connection is not None:
            connection.send(encode(start.failure(error)))
            connection.close()
    except OSError:
        pass  # the caller has given up, or will try again
