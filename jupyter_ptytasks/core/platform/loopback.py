"""Endpoints without unix sockets: TCP on this machine, only for those who can read the file at the endpoint's path.

Only this user can read the file. It has the port, the listening process, and a secret. Both sides of a connection have
to prove that they know the secret (core.proof), which is never sent. So it does not matter who else can connect
on this machine, or which process gets the port after this one has exited.

Windows has only these endpoints. Elsewhere they are those whose path ends with `.tcp`.
"""

from __future__ import annotations

import os
import socket

from ..files import read_own, write_json
from ..machine import is_running, start_time
from ..proof import CALLER, LISTENER, Proof

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HOST = "127.0.0.1"
#: Maximum number of connections that wait to be accepted.
_BACKLOG = 64
_FILE_MAX = 1 << 12
_SECRET_SIZE = 32
#: Time limit for connecting to a listening process, in seconds.
_PATIENCE = 5.0


class Endpoint:
    """The listening end at `path`; it replaces a stale one.

    Non-blocking. The caller closes it. Raises OSError, and leaves nothing behind in that case.
    """

    __slots__ = ("_listener", "_path", "_record", "_secret")

    def __init__(self, path: str) -> None:
        self._path = path
        self._secret = os.urandom(_SECRET_SIZE)
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
            if exclusive is not None:
                # Otherwise another process could listen on the same port (Windows, SO_REUSEADDR).
                self._listener.setsockopt(socket.SOL_SOCKET, exclusive, 1)
            self._listener.bind((_HOST, 0))
            self._listener.listen(_BACKLOG)
            self._listener.setblocking(False)
            self._record = {
                "port": self._listener.getsockname()[1],
                "secret": self._secret.hex(),
                "pid": os.getpid(),
                "start": start_time(os.getpid()),
            }
            self._publish()
        except BaseException:
            self._listener.close()
            raise

    def _publish(self) -> None:
        from . import files  # noqa: PLC0415  chosen when this is used

        files.private_dir(os.path.dirname(self._path))
        write_json(self._path, self._record)

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._listener.fileno()

    def accept(self) -> socket.socket | None:
        """Return the next connection; None if there is none. Only the proof shows whose it is.

        Raises OSError if a connection cannot be accepted for lack of descriptors or memory.
        """
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError, ConnectionResetError):
            return None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def proof(self) -> Proof:
        """Return the proof with which a new connection has to begin."""
        return Proof(self._secret, LISTENER)

    def renew(self) -> None:
        """Rewrite the file if a cleanup of temporary directories has removed it. Raises OSError."""
        if not os.path.exists(self._path):
            self._publish()

    def hand_over(self) -> None:
        """Leave the endpoint to other processes that have it open."""
        self._listener.close()

    def close(self) -> None:
        """Stop listening and remove the file. Raises OSError."""
        self._listener.close()
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            pass


def read(path: str) -> tuple[tuple[str, int], Proof]:
    """Return the address of the endpoint at `path`, and the proof to begin a connection with. Raises OSError or
    ValueError.
    """
    record = _record(path)
    return (_HOST, int(record["port"])), Proof(bytes.fromhex(record["secret"]), CALLER)


def _record(path: str) -> dict[str, Any]:
    import json  # noqa: PLC0415

    record = json.loads(read_own(path, _FILE_MAX))
    if not isinstance(record, dict) or not {"port", "secret", "pid", "start"} <= record.keys():
        raise ValueError(f"{path} is not an endpoint")
    return record


def call(path: str, timeout: float = _PATIENCE) -> socket.socket:
    """Return an authenticated connection to the endpoint at `path`, whose calls block for at most `timeout` seconds.
    The caller closes it. Raises OSError or ValueError.
    """
    address, proof = read(path)
    connection = socket.create_connection(address, timeout=timeout)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(proof.nonce)
        while not proof.is_given:
            # Read no more than the proof: the rest is for the user of the connection.
            data = connection.recv(1)
            if not data:
                raise ConnectionResetError("the other side has closed the connection")
            connection.sendall(proof.feed(data))
    except BaseException:
        connection.close()
        raise
    return connection


def knock(path: str) -> bool:
    """Connect to the endpoint at `path` and disconnect; return whether its process is running and listening there."""
    try:
        record = _record(path)
        if not is_running(record["pid"], record["start"]):
            return False
        socket.create_connection((_HOST, int(record["port"])), timeout=_PATIENCE).close()
    except (OSError, ValueError):
        return False
    return True


def ask(path: str, timeout: float) -> bool:
    """Connect to the endpoint at `path`, and return whether a byte arrived within `timeout` seconds: False if the other
    end disconnected. Raises OSError if its process is not running.
    """
    try:
        record = _record(path)
    except ValueError as error:
        raise ConnectionRefusedError(str(error)) from error
    if not is_running(record["pid"], record["start"]):
        raise ConnectionRefusedError(f"the process at {path} does not run")
    with socket.create_connection((_HOST, int(record["port"])), timeout=_PATIENCE) as caller:
        try:
            caller.settimeout(timeout)
            return bool(caller.recv(1))
        except (ConnectionResetError, TimeoutError):
            return False


def is_dead(path: str) -> bool:
    """Return whether `path` is an endpoint whose process is not running."""
    try:
        record = _record(path)
    except (OSError, ValueError):
        return False
    return not is_running(record["pid"], record["start"])
