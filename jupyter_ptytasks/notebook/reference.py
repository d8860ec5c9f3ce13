"""A reference to a task of the server: its last known state, which is updated when it is asked for."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..client import format as formats
from ..client import is_live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

    from ..client import Task as Info
    from .clients import Connections

#: Seconds for which the last known state of a live task is reused.
_FRESH = 0.5


class Reference:
    """The part of a task that all others are built on. Two with the same id are equal."""

    def __init__(self, info: Info, connections: Connections) -> None:
        self._connections = connections
        self._take(info)

    def _take(self, info: Info) -> Self:
        self._info = info
        self._heard, self._heard_at = time.monotonic(), formats.now()
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._info, self._connections)

    def __repr__(self) -> str:
        return f"<Task {self._info['name']!r} {self.id} {formats.in_brief(self._info)}>"

    def refresh(self) -> Self:
        """Update from the server, and return self."""
        with self._connections.client() as client:
            return self._take(client.get(self.id))

    @property
    def info(self) -> Info:
        """The task's JSON, as in docs/rest.md."""
        if is_live(self._info) and time.monotonic() - self._heard > _FRESH:
            self.refresh()
        return self._info

    @property
    def as_heard(self) -> Info:
        """The last known JSON, without asking the server."""
        return self._info

    @property
    def id(self) -> str:
        """The id: unique, and never changes."""
        return self._info["id"]

    @contextmanager
    def _unharmed(self) -> Iterator[None]:
        """On an interrupt, say that the task keeps running."""
        try:
            yield
        except KeyboardInterrupt:
            if is_live(self._info):
                name = self._info["name"]
                print(
                    f"Task {name!r} keeps running in the background; get({name!r}).stop() stops it.",
                    file=sys.stderr,
                )
            raise
