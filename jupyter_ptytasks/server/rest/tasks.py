"""The routes of tasks: list, create, change, and one for each verb."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from tornado import web

from . import bodies
from .base import TaskHandler

if TYPE_CHECKING:
    from ...core.model import Task

#: Seconds that `wait` waits at most: many proxies cut a connection after a minute of silence.
_WAIT_MAX = 55.0


class Tasks(TaskHandler):
    """`/tasks`."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List tasks, newest first."""
        query = self.query(bodies.TaskFilter)
        found = [task for task in await self.manager.list_all() if _matches(task, query)]
        page = found[: query.limit]
        cursor = page[-1].id if len(found) > len(page) else None
        self.send({"tasks": [self.describe(task) for task in page], "next_cursor": cursor})

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Start a task: 201, or 200 where `if_exists` found one."""
        body = self.body(bodies.NewTask)
        ladder = self.manager.ladder(body.stop_signals, body.stop_grace)
        task, created = await self.manager.create(body.request(ladder))
        self.set_header("Location", url_path_join(self.base_url, "ptytasks", "api", "tasks", quote(task.id)))
        self.send_task(task, 201 if created else 200)


class OneTask(TaskHandler):
    """`/tasks/{ref}`."""

    @web.authenticated
    @authorized
    async def get(self, ref: str) -> None:
        """Give a task."""
        self.send_task(await self.manager.get(ref))

    @web.authenticated
    @authorized
    async def patch(self, ref: str) -> None:
        """Change what a task is called."""
        self.send_task(await self.manager.update(ref, **self.body(bodies.ChangedTask).changes()))

    @web.authenticated
    @authorized
    async def delete(self, ref: str) -> None:
        """Forget a finished task and its output."""
        await self.manager.delete(ref, stop=self.query(bodies.Removal).stop)
        self.set_status(204)
        self.finish()


class Verb(TaskHandler):
    """`/tasks/{ref}/{stop,pause,resume,restart}`: it is under way when this is answered."""

    @web.authenticated
    @authorized
    async def post(self, ref: str, verb: str) -> None:
        """Begin to do it."""
        body = self.body(bodies.Stop if verb in ("stop", "restart") else bodies.Strict)
        if isinstance(body, bodies.Stop):
            ladder = self.manager.ladder(body.signals, body.grace)
            task = await (self.manager.stop if verb == "stop" else self.manager.restart)(ref, ladder)
        else:
            task = await (self.manager.pause if verb == "pause" else self.manager.resume)(ref)
        self.send_task(task, 202)


class SendSignal(TaskHandler):
    """`/tasks/{ref}/signal`."""

    @web.authenticated
    @authorized
    async def post(self, ref: str) -> None:
        """Send a signal."""
        body = self.body(bodies.Signal)
        await self.manager.signal(ref, body.signal, body.target)
        self.set_status(204)
        self.finish()


class SendInput(TaskHandler):
    """`/tasks/{ref}/input`."""

    @web.authenticated
    @authorized
    async def post(self, ref: str) -> None:
        """Type something; with `newline` the Enter key after it."""
        body = self.body(bodies.Input)
        await self.manager.input(ref, (body.data + "\r" * body.newline).encode("utf-8", "replace"))
        self.set_status(204)
        self.finish()


class Resize(TaskHandler):
    """`/tasks/{ref}/resize`."""

    @web.authenticated
    @authorized
    async def post(self, ref: str) -> None:
        """Give the terminal a size."""
        body = self.body(bodies.Resize)
        await self.manager.resize(ref, body.rows, body.cols)
        self.set_status(204)
        self.finish()


class Wait(TaskHandler):
    """`/tasks/{ref}/wait`."""

    @web.authenticated
    @authorized
    async def get(self, ref: str) -> None:
        """Give the task when it has ended, or as it is when the time is up."""
        timeout = min(self.query(bodies.Wait).timeout, _WAIT_MAX)
        self.send_task(await self.manager.wait(ref, timeout))


def _matches(task: Task, query: bodies.TaskFilter) -> bool:
    return (
        (not query.state or task.state in query.state)
        and query.name in (None, task.name)
        and query.group in (None, task.group)
        and (query.tag is None or query.tag in task.tags)
        and (query.cursor is None or task.id < query.cursor)
        and (query.q is None or query.q.casefold() in _searchable(task))
    )


def _searchable(task: Task) -> str:
    command = task.command if isinstance(task.command, str) else " ".join(task.command)
    return "\n".join((task.id, task.name, command, task.group, *task.tags)).casefold()
