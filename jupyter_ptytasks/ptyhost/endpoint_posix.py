"""The unix socket of a ptyhost: bound for this user alone, and who has connected to it.

Sockets here are those of CPython's `_socket`, on which `socket` builds: that would cost each of many ptyhosts half a
MiB and a third of its time to start, for nothing that is used here. Where there is no `_socket`, or not as we know it,
`socket` does as well.
"""

from __future__ import annotations

import os
import struct
import sys

from ..core.paths import SocketAddress, private_dir

try:
    import _socket as sockets

    sockets.socket._accept  # type: ignore[attr-defined]  # noqa: B018, SLF001
except (ImportError, AttributeError):
    import socket as sockets  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

#: unix(4) of the BSDs and macOS: level and option for `struct xucred`, which begins with a version and the uid.
_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_SIZE = 0, 1, 76


def listen(path: str) -> socket:
    """Return a socket bound to `path` that nobody but this user can connect to, in place of one that was left there.

    Raises OSError; nothing is left then. The caller closes it.
    """
    private_dir(os.path.dirname(path))
    remove(path)
    listener = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
    try:
        with SocketAddress(path) as address:
            listener.bind(address)
    except BaseException:
        listener.close()
        raise
    listener.listen(64)
    listener.setblocking(False)
    return listener


def remove(path: str) -> None:
    """Remove the name of a socket, if it is there. Raises OSError."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def accept(listener: socket) -> socket | None:
    """Return the next connection; None where there is none, or where it is neither this user's nor root's.

    Raises OSError where one waits that cannot be taken, for want of descriptors or memory.
    """
    try:
        connection = _take(listener)
    except (BlockingIOError, InterruptedError, ConnectionAbortedError):
        return None
    try:
        # The socket's mode says so already; this says it again.
        known = _uid(connection) in (os.getuid(), 0)
    except (OSError, struct.error):
        known = False
    if not known:
        connection.close()
        return None
    return connection


def _take(listener: socket) -> socket:
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


def _uid(connection: socket) -> int:
    """Return the user at the other end. Raises OSError or struct.error."""
    if sys.platform.startswith("linux"):
        credentials = connection.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, 12)
        uid = struct.unpack("3i", credentials)[1]
    else:
        uid = struct.unpack_from("II", connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_SIZE))[1]
    return int(uid)
