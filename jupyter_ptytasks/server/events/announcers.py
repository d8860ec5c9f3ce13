"""All emitters of events of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import Announcer, GroupAnnouncer, register
from .progress import ProgressAnnouncer
from .reach import ReachAnnouncer
from .waiting import WaitingAnnouncer

if TYPE_CHECKING:
    from collections.abc import Collection

    from jupyter_events import EventLogger

    from ..hosts.supervisor import Supervisor
    from ..listeners import Listeners
    from ..queueing import Queue
    from ..serialize import TaskSerializer
    from ..store import Store


class Announcers:
    """Emit the events of a server through its logger; `measured` report new measurements of a task. `close` them."""

    def __init__(
        self,
        logger: EventLogger,
        *,
        store: Store,
        supervisor: Supervisor,
        queue: Queue,
        serializer: TaskSerializer,
        measured: Collection[Listeners[str]],
    ) -> None:
        register(logger)
        store.listeners.append(Announcer(logger))
        queue.listeners.append(GroupAnnouncer(logger))
        self._progress = ProgressAnnouncer(logger, store, serializer, measured)
        self._waiting = WaitingAnnouncer(logger, store, supervisor)
        self._reach = ReachAnnouncer(logger, store, supervisor)

    def close(self) -> None:
        """Stop emitting events."""
        self._reach.close()
        self._waiting.close()
        self._progress.close()
