"""Groups from Python: how many of their tasks run at a time, on which GPUs, and what a failure does."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ..client import ClientError
from ..client import format as formats
from .clients import connections
from .task import Task
from .task_list import TaskList

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..client.literals import StateName
    from ..client.types import Group as Info
    from .clients import Connections


class Group:
    """A group of tasks, as returned by `group` and `groups`.

    `info` and its display are as of the last request: of its creation, `refresh` and its verbs; a notebook that
    displays it asks first. Errors are those of client.errors.
    """

    def __init__(self, info: Info, connections: Connections) -> None:
        self._connections = connections
        self._info = info

    def refresh(self) -> Group:
        """Update from the server, and return self."""
        with self._connections.client() as client:
            self._info = client.group(self.name)
        return self

    @property
    def info(self) -> Info:
        """The group's JSON, as in docs/rest.md."""
        return self._info

    @property
    def name(self) -> str:
        """The name."""
        return self._info["name"]

    @property
    def tasks(self) -> TaskList:
        """Its current tasks, newest first."""
        with self._connections.client() as client:
            return TaskList(Task(info, self._connections) for info in client.all(group=self.name))

    # -- verbs --------------------------------------------------------------------------------------------------------

    def set(self, **settings: Any) -> Group:
        """Configure it, and return self; see `group`."""
        with self._connections.client() as client:
            self._info = client.set_group(self.name, **settings)
        return self

    def pause(self, reason: str = "", *, tasks: bool = False) -> Group:
        """Start no more of its tasks, and return self. With `tasks`, also pause running ones."""
        with self._connections.client() as client:
            self._info = client.pause_group(self.name, tasks=tasks, reason=reason)
        return self

    def resume(self, *, tasks: bool = False) -> Group:
        """Start its tasks again, and return self. With `tasks`, also resume paused ones."""
        with self._connections.client() as client:
            self._info = client.resume_group(self.name, tasks=tasks)
        return self

    def retry(self, states: Iterable[StateName] = ("failed", "timed_out", "lost")) -> TaskList:
        """Rerun its tasks that ended in one of these states, and return them."""
        with self._connections.client() as client:
            changed = set(client.retry_group(self.name, states))
        self.refresh()
        return TaskList(task for task in self.tasks if task.id in changed)

    def delete(self) -> None:
        """Delete its configuration; its tasks are no longer limited."""
        with self._connections.client() as client:
            client.delete_group(self.name)

    # -- its view -----------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        """Return the group in one line."""
        return formats.group(self._info)

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """Return the display of the group: current, or its last known state if the server cannot be reached."""
        note = ""
        try:
            self.refresh()
        except ClientError as error:
            note = f" (last known state: {error.message})"
        text = f"{self!r}{note}"
        return {"text/html": f"<div>{escape(text)}</div>", "text/plain": text}


def group(name: str, *, url: str = "", token: str = "", **settings: Any) -> Group:
    """Return a group, and configure it if there are `settings`. It is created with one slot if it does not exist.

    Args:
        settings: `slots` (None: no limit; 0: start no more tasks), `gpus` (None, "all", or a list of indexes and
            UUIDs), `per_gpu`, `on_failure` ("continue", "pause", "cancel"), `paused`, `reason`. Settings that are not
            given are not changed.
    """
    server = connections(url, token)
    with server.client() as client:
        return Group(client.set_group(name, **settings) if settings else client.group(name), server)


def groups(*, url: str = "", token: str = "") -> list[Group]:
    """Return all groups that are configured or in use, by name."""
    server = connections(url, token)
    with server.client() as client:
        return [Group(info, server) for info in client.groups()]
