"""The unix socket of a ptyhost, which only this user can connect to, and connections to it.

This uses CPython's `_socket`, on which the module `socket` is built: `socket` would cost each of many
ptyhosts half a MiB and a third of its startup time, for nothing that is used here. On a Python without `_socket`, or
with a different one, `socket` is used.
"""

from __future__ import annotations

import os
import struct
import sys

from .files import private_dir

try:
    import _socket as sockets

    sockets.socket._accept  # type: ignore[attr-defined]  # noqa: B018, SLF001
except (ImportError, AttributeError):
    import socket as sockets  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    import socket as _sockets
    from _socket import socket
    from collections.abc import Callable, Sequence

    from ...proof import Proof
    from .. import loopback

#: The suffix of a path that is an endpoint on TCP (platform.loopback).
ON_TCP = ".tcp"
#: `sun_path` holds 108 bytes on Linux and 104 on macOS, including the NUL (unix(7)).
SUN_PATH_MAX = 103
#: Maximum number of connections that wait to be accepted.
_BACKLOG = 64
#: unix(4) of the BSDs and macOS: level and option for `struct xucred`, which begins with a version and the uid.
_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_SIZE = 0, 1, 76


class Endpoint:
    """The listening end at `path`, which only this user can connect to; it replaces a stale one.

    With `fd`, it is one that another process has created there. Non-blocking. The caller closes it. Raises OSError,
    and leaves nothing behind in that case.
    """

    __slots__ = ("_listener", "_path")

    def __init__(self, path: str, fd: int | None = None) -> None:
        self._path = path
        self._listener = _listen(path) if fd is None else sockets.socket(fileno=fd)

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._listener.fileno()

    def accept(self) -> socket | None:
        """Return the next connection; None if there is none, or if it is neither this user's nor root's.

        Raises OSError if a connection cannot be accepted for lack of descriptors or memory.
        """
        try:
            connection = _accept(self._listener)
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return None
        try:
            # The mode of the socket should be enough; this is a second check.
            is_allowed = _peer_uid(connection) in (os.getuid(), 0)
        except (OSError, struct.error):
            is_allowed = False
        if not is_allowed:
            connection.close()
            return None
        return connection

    def proof(self) -> Proof | None:
        """Return None: the kernel reports whose connection it is."""
        return None

    def renew(self) -> None:
        """Listen again if a cleanup of temporary directories has removed the path. Raises OSError."""
        if not os.path.exists(self._path):
            listener = _listen(self._path)
            self._listener.close()
            self._listener = listener

    def hand_over(self) -> None:
        """Leave the endpoint to other processes that have it open."""
        self._listener.close()

    def close(self) -> None:
        """Stop listening and remove the path. Raises OSError."""
        self._listener.close()
        _remove(self._path)


def listen(path: str) -> Endpoint | loopback.Endpoint:
    """Return the listening end at `path`: a unix socket, or on TCP if the path ends with `.tcp`. The caller closes it.
    Raises OSError, and leaves nothing behind in that case.
    """
    if path.endswith(ON_TCP):
        from .. import loopback  # noqa: PLC0415  not for a ptyhost with a unix socket

        return loopback.Endpoint(path)
    return Endpoint(path)


def _listen(path: str) -> socket:
    private_dir(os.path.dirname(path))
    _remove(path)
    listener = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
    try:
        with SocketAddress(path) as address:
            listener.bind(address)
    except BaseException:
        listener.close()
        raise
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _accept(listener: socket) -> socket:
    accept = getattr(listener, "_accept", None)
    if accept is None:
        connection: socket = listener.accept()[0]  # type: ignore[attr-defined]
        return connection
    descriptor = accept()[0]
    try:
        return sockets.socket(fileno=descriptor)
    except BaseException:
        os.close(descriptor)
        raise


def _peer_uid(connection: socket) -> int:
    """Return the user id of the other end. Raises OSError or struct.error."""
    if sys.platform.startswith("linux"):
        credentials = connection.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, 12)
        uid = struct.unpack("3i", credentials)[1]
    else:
        uid = struct.unpack_from("II", connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_SIZE))[1]
    return int(uid)


class SocketAddress:
    """A path for `bind` or `connect`, even if the real one is too long for `sun_path`.

    A context manager: on Linux a long directory is reached as `/proc/self/fd/N`, which is valid inside the context.
    """

    __slots__ = ("_fd", "_path")

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) <= SUN_PATH_MAX:
            return self._path
        directory, name = os.path.split(self._path)
        if not os.path.isdir("/proc/self/fd"):
            raise OSError(f"the path of the socket is longer than {SUN_PATH_MAX} bytes: {self._path}")
        self._fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._fd}/{name}"

    def __exit__(self, *exc: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


async def connect(loop: asyncio.AbstractEventLoop, protocol: Callable[[], asyncio.BaseProtocol], path: str) -> None:
    """Connect a protocol to the endpoint at `path`. Raises OSError, or ValueError if that is not a path."""
    if path.endswith(ON_TCP):
        from .. import loopback_client  # noqa: PLC0415  hardly ever used here

        await loopback_client.connect(loop, protocol, path)
        return
    with SocketAddress(path) as address:
        await loop.create_unix_connection(protocol, address)


def call(path: str) -> socket:
    """Return a non-blocking connection to `path`. The caller closes it. Raises OSError: BlockingIOError if too many
    connections are waiting there.
    """
    caller = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
    try:
        caller.setblocking(False)
        with SocketAddress(path) as address:
            caller.connect(address)
    except BaseException:
        caller.close()
        raise
    return caller


def pair() -> tuple[socket, socket]:
    """Return two blocking sockets that are connected to each other. The caller closes them. Raises OSError."""
    return sockets.socketpair()


def send_with(connection: socket, data: memoryview, fds: Sequence[int]) -> int:
    """Send data and descriptors; return how many bytes of it were sent. Raises OSError."""
    rights = (sockets.SOL_SOCKET, sockets.SCM_RIGHTS, struct.pack(f"{len(fds)}i", *fds))
    return connection.sendmsg([data], [rights] if fds else [])


def receive_with(connection: socket, limit: int, count: int) -> tuple[bytes, list[int]]:
    """Return data, at most `limit` bytes, and the descriptors that came with it, at most `count`. Raises OSError."""
    size = struct.calcsize("i")
    data, messages, _, _ = connection.recvmsg(limit, sockets.CMSG_SPACE(count * size))
    fds: list[int] = []
    for level, kind, rights in messages:
        if (level, kind) == (sockets.SOL_SOCKET, sockets.SCM_RIGHTS):
            fds += struct.unpack(f"{len(rights) // size}i", rights[: len(rights) // size * size])
    for fd in fds:
        os.set_inheritable(fd, False)
    return data, fds


def knock(path: str) -> bool:
    """Connect to `path` and disconnect; return whether a process is listening there. Does not wait."""
    try:
        call(path).close()
    except BlockingIOError:
        return True  # with so many connections pending it will wake up anyway
    except OSError:
        return False
    return True


def ask(path: str, timeout: float) -> bool:
    """Connect to `path`, and return whether a byte arrived within `timeout` seconds: False if it was disconnected.

    Raises OSError: BlockingIOError if too many connections are waiting there, another one if no process is listening.
    """
    caller = call(path)
    try:
        caller.settimeout(timeout)
        return bool(caller.recv(1))
    except (ConnectionResetError, TimeoutError):
        return False
    finally:
        caller.close()


def is_dead(path: str) -> bool:
    """Return whether `path` is an endpoint where no process is listening."""
    if path.endswith(ON_TCP):
        from .. import loopback  # noqa: PLC0415  hardly ever used here

        return loopback.is_dead(path)
    try:
        call(path).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        pass  # BlockingIOError: it listens, but is busy
    return False


def dial(path: str, timeout: float | None) -> _sockets.socket:
    """Connect to a unix socket, such as that of a Jupyter server. Raises OSError. The caller closes it."""
    import socket  # noqa: PLC0415  not for a ptyhost

    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(timeout)
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection
