"""The routes for tasks: list, create, change, and one per verb."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from itertools import dropwhile
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jupyter_server.utils import url_path_join

from ...core import strict_json
from ..search import Cancelled
from . import bodies, change_bodies, queries, talking_bodies
from .base import TaskHandler, needs
from .fields import seconds
from .order import Order
from .page import page_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ...core.model import Task
    from ..conditions import Conditions
    from ..many import Many

#: Largest body with input, in bytes: the same as for a websocket message.
_INPUT_MAX = 32 << 20
#: The longest `wait`, in seconds: many proxies close a connection after a minute without data.
_WAIT_MAX = 55.0


class Tasks(TaskHandler):
    """`/tasks`."""

    @needs("read")
    async def get(self) -> None:
        """List tasks, newest first or in another order."""
        query = self.query(queries.TaskFilter)
        revision = strict_json.encode(self.settings["ptytasks_journal"].revision)
        tasks: Iterable[Task] = await self.control.list_all()
        order: Order | None = None
        if query.sort is not None:
            order = Order(
                query.sort,
                query.cursor,
                now=time.time(),
                metrics=self.serializer.metrics,
                usage=self.serializer.usage,
            )
            tasks = await asyncio.to_thread(order.arrange, tasks)
        elif query.cursor is not None:
            last = query.cursor
            tasks = dropwhile(lambda task: task.id >= last, tasks)
        fields = None if query.fields is None else ("id", *(name for name in query.fields if name != "id"))
        sweep = self.settings["ptytasks_sweeps"].id_of(query.sweep) if query.sweep is not None else None
        since = seconds(query.since) if query.since is not None else None
        page = await page_of(
            tasks,
            partial(self.serializer.encoded, fields=fields),
            on_failure=self.serializer.log_failure,
            matches=partial(matches, query=query, sweep=sweep, since=since, warnings=self.serializer.warnings),
            limit=query.limit,
            cursor=order.cursor if order is not None else lambda task: task.id,
        )
        # Unreadable tasks match no filter; they are counted once, on the first page.
        omitted = page.omitted + (self.settings["ptytasks_store"].unreadable if query.cursor is None else 0)
        told, cursor = b",".join(page.told), strict_json.encode(page.cursor)
        about = b'"next_cursor":%b,"omitted":%d,"revision":%b' % (cursor, omitted, revision)
        self.send_encoded(b'{"tasks":[%b],%b}' % (told, about))

    @needs("execute")
    async def post(self) -> None:
        """Start a task: 201, or 200 if `if_exists` found one."""
        body = self.body_with_function(bodies.NewTask)
        ladder = self.stopper.stop_sequence(body.stop_signals, body.stop_grace)
        task, created = await self.launcher.create(await asyncio.to_thread(body.request, ladder))
        _send_started(self, task, 201 if created else 200)

    @needs("write")
    async def patch(self) -> None:
        """Change the labels of many tasks, all or none."""
        body = self.body(change_bodies.ChangedTasks)
        many: Many = self.settings["ptytasks_many"]
        self.send({"changed": await many.relabel(body.tasks, body.changes())})


class OneTask(TaskHandler):
    """`/tasks/{ref}`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return a task."""
        self.send_task(await self.control.get(ref))

    @needs("write")
    async def patch(self, ref: str) -> None:
        """Change a task's labels, and what it runs and waits for."""
        body = self.body(change_bodies.ChangedTask)
        labels = body.changes()
        if body.revises:
            await self.pending.revise(ref, body.revise)
        task = await self.control.relabel(ref, labels)
        if task.pending:
            await self.queue.wake()
        self.send_task(task)

    @needs("write")
    async def delete(self, ref: str) -> None:
        """Delete a finished task and its output."""
        query = self.query(queries.Removal)
        await self.remover.delete(ref, stop=query.stop, force=query.force)
        self.send_nothing()


class Start(TaskHandler):
    """`/tasks/{ref}/start`."""

    @needs("execute")
    async def post(self, ref: str) -> None:
        """Release a held task."""
        self.body(bodies.Empty)
        self.send_task(await self.pending.release(ref), 202)


class Hold(TaskHandler):
    """`/tasks/{ref}/hold`."""

    @needs("write")
    async def post(self, ref: str) -> None:
        """Hold a pending task until it is released."""
        self.body(bodies.Empty)
        self.send_task(await self.pending.hold(ref))


class Move(TaskHandler):
    """`/tasks/{ref}/move`."""

    @needs("write")
    async def post(self, ref: str) -> None:
        """Move a pending task before or after another one."""
        body = self.body(change_bodies.Move)
        target, after = body.where()
        self.send_task(await self.pending.move(ref, target, after=after, group=body.group))


class Stop(TaskHandler):
    """`/tasks/{ref}/stop`: starts the stop sequence without waiting for its end."""

    @needs("write")
    async def post(self, ref: str) -> None:
        """Start the stop sequence of a task."""
        body = self.body(change_bodies.Stop)
        self.send_task(await self.stopper.stop(ref, self.stopper.stop_sequence(body.signals, body.grace)), 202)


class Leftover(TaskHandler):
    """`/tasks/{ref}/leftover`: the processes that a command left running."""

    @needs("write")
    async def delete(self, ref: str) -> None:
        """End these processes, then return the task."""
        self.query(queries.Strict)
        self.send_task(await self.stopper.end_leftover(ref))


class Pause(TaskHandler):
    """`/tasks/{ref}/pause`."""

    @needs("write")
    async def post(self, ref: str) -> None:
        """Pause a task."""
        self.body(bodies.Empty)
        self.send_task(await self.control.pause(ref), 202)


class Resume(TaskHandler):
    """`/tasks/{ref}/resume`."""

    @needs("write")
    async def post(self, ref: str) -> None:
        """Resume a paused task."""
        self.body(bodies.Empty)
        self.send_task(await self.control.resume(ref), 202)


class Restart(TaskHandler):
    """`/tasks/{ref}/restart`: starts the restart without waiting for its end."""

    @needs("execute")
    async def post(self, ref: str) -> None:
        """Restart a task."""
        body = self.body(change_bodies.Stop)
        self.send_task(await self.launcher.restart(ref, self.stopper.stop_sequence(body.signals, body.grace)), 202)


class Again(TaskHandler):
    """`/tasks/{ref}/again`."""

    @needs("execute")
    async def post(self, ref: str) -> None:
        """Start a new task like this one: 201."""
        _send_started(self, await self.launcher.again(ref, self.body(change_bodies.Again).change), 201)


class SendSignal(TaskHandler):
    """`/tasks/{ref}/signal`."""

    @needs("execute")
    async def post(self, ref: str) -> None:
        """Send a signal."""
        body = self.body(talking_bodies.Signal)
        await self.talker.signal(ref, body.signal, body.target)
        self.send_nothing()


class SendInput(TaskHandler):
    """`/tasks/{ref}/input`."""

    @needs("execute")
    async def post(self, ref: str) -> None:
        """Type text into a task."""
        body = self.body(talking_bodies.Input, _INPUT_MAX)
        application = body.depends_on_mode and await self.talker.uses_application_keys(ref)
        data = body.typed(application=application)
        task = await self.talker.input(ref, data, only_if=body.only_if, secret=body.secret)
        self.send({"typed": len(data), "waiting": self.to_json(task)["waiting"]})


class Resize(TaskHandler):
    """`/tasks/{ref}/resize`."""

    @needs("execute")
    async def post(self, ref: str) -> None:
        """Set the size of the terminal."""
        body = self.body(talking_bodies.Resize)
        await self.talker.resize(ref, body.rows, body.cols)
        self.send_nothing()


class Wait(TaskHandler):
    """`/tasks/{ref}/wait`."""

    _cancel: Event | None = None

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return the first condition that is met, or the task after the timeout."""
        self._cancel = Event()
        waits: Conditions = self.settings["ptytasks_conditions"]
        try:
            found = await waits.wait(ref, self.query(queries.Wait).condition(_WAIT_MAX), self._cancel)
        except Cancelled:
            return  # the client has disconnected
        line = None if found.line is None else {"number": found.line[0], "text": found.line[1]}
        told = self.to_json(found.task)
        self.send({"task": told, "reason": found.reason.value, "line": line, "output": found.output})

    def on_connection_close(self) -> None:
        """Stop searching: the client has disconnected."""
        if self._cancel is not None:
            self._cancel.set()
        super().on_connection_close()


def _send_started(handler: TaskHandler, task: Task, status: int) -> None:
    handler.set_header("Location", url_path_join(handler.base_url, "ptytasks", "api", "tasks", quote(task.id)))
    handler.send_task(task, status)


def matches(
    task: Task,
    query: queries.TaskFilter,
    sweep: str | None,
    since: float | None,
    warnings: Callable[[Task], list[dict[str, Any]]],
) -> bool:
    """Return whether a task matches a query; `sweep` is the id of the requested sweep, `since` a Unix time, `warnings`
    returns the warnings of a task as JSON.
    """
    return (
        (not query.state or task.state in query.state)
        and query.name in (None, task.name)
        and query.group in (None, task.group)
        and (query.tag is None or query.tag in task.tags)
        and (query.sweep is None or (task.sweep is not None and task.sweep.id == sweep))
        and (since is None or task.live or (task.ended or task.created) >= since)
        and (query.q is None or query.q.casefold() in _searchable(task))
        and (not query.warning or any(one["kind"] in query.warning for one in warnings(task)))
    )


def _searchable(task: Task) -> str:
    command = task.command if isinstance(task.command, str) else " ".join(task.command)
    return "\n".join((task.id, task.name, command, task.group, *task.tags)).casefold()
