"""A pool of clients: a client can be used by one thread at a time, so each call borrows one."""

from __future__ import annotations

import atexit
import contextlib
import os
from functools import cache
from typing import TYPE_CHECKING

from ..client import Client, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds for which waiting and following continue while the server is gone.
_PATIENCE = 300.0


class Connections:
    """Clients of one server, created as needed; without `url` the server is found."""

    def __init__(self, url: str = "", token: str = "") -> None:
        self._address = (url, token)
        self._idle: list[Client] = []
        self._pid = os.getpid()
        atexit.register(self.close)

    def __reduce__(self) -> tuple[object, ...]:
        # Without the token: a process that finds the server finds its token, too.
        return connections, (self._address[0],)

    @contextlib.contextmanager
    def client(self) -> Iterator[Client]:
        """Borrow a client for a `with` block."""
        if self._pid != os.getpid():
            # After a fork: the connections belong to the parent.
            self._idle, self._pid = [], os.getpid()
        try:
            client = self._idle.pop()
        except IndexError:
            client = Client(*self._address, patience=_PATIENCE)
        try:
            yield client
        except (ClientError, GeneratorExit):
            self._idle.append(client)
            raise
        except BaseException:
            client.close()  # it may be in the middle of a request
            raise
        self._idle.append(client)

    def close(self) -> None:
        """Close all idle clients; later calls open new ones."""
        while self._idle:
            self._idle.pop().close()


def connections(url: str = "", token: str = "") -> Connections:
    """Return the pool of a server, shared by all its tasks."""
    return _pool(url, token)


@cache
def _pool(url: str, token: str) -> Connections:
    return Connections(url, token)
