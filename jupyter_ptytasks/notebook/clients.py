"""Clients for whoever asks, from any thread: a client serves one at a time, so each call has one to itself."""

from __future__ import annotations

import atexit
import contextlib
import os
from functools import cache
from typing import TYPE_CHECKING

from ..client import Client, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds for which one who waits or follows bears with a server that is gone: it may be starting again.
_PATIENCE = 300.0


class Connections:
    """Clients of the server that `url` and `token` tell of, or of whichever is found; made as they are needed."""

    def __init__(self, url: str = "", token: str = "") -> None:
        self._address = (url, token)
        self._idle: list[Client] = []
        self._pid = os.getpid()
        atexit.register(self.close)

    @contextlib.contextmanager
    def client(self) -> Iterator[Client]:
        """Give a client to use in a `with`; it raises errors of client.errors."""
        if self._pid != os.getpid():
            # A fork: the connections are our parent's.
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
            client.close()  # who knows in the middle of what
            raise
        self._idle.append(client)

    def close(self) -> None:
        """Close all that nobody uses; further calls open new ones."""
        while self._idle:
            self._idle.pop().close()


@cache
def connections(url: str = "", token: str = "") -> Connections:
    """Give the connections to a server, the same for all its tasks."""
    return Connections(url, token)
