"""The routes of groups: configure, pause, resume, retry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import PtyTasksError
from . import group_bodies, queries, sweep_bodies
from .base import TaskHandler, check, needs

if TYPE_CHECKING:
    from ..many import Many


class Groups(TaskHandler):
    """`/groups`."""

    @needs("read")
    async def get(self) -> None:
        """List groups."""
        self.query(queries.Strict)
        self.send({"groups": await self.queue.groups()})


class OneGroup(TaskHandler):
    """`/groups/{name}`."""

    @needs("read")
    async def get(self, name: str) -> None:
        """Return a group."""
        self.query(queries.Strict)
        self.send(await self.queue.group(name))

    @needs("execute")
    async def put(self, name: str) -> None:
        """Configure a group, which is created if it does not exist."""
        changes = self.body(group_bodies.NewGroup).changes()
        self.send(await self.queue.change_group(check(group_bodies.GroupName, {"name": name}).name, **changes))

    @needs("write")
    async def delete(self, name: str) -> None:
        """Delete the configuration of a group."""
        self.query(queries.Strict)
        await self.queue.group(name)  # raises if there is no such group
        await self.queue.remove_group(name)
        self.send_nothing()


class PauseGroup(TaskHandler):
    """`/groups/{name}/pause`."""

    @needs("write")
    async def post(self, name: str) -> None:
        """Start no more tasks of a group; with `tasks`, also pause running ones."""
        body = self.body(group_bodies.GroupPause)
        await self.queue.group(name)  # raises if there is no such group
        group = await self.queue.change_group(name, paused=True, reason=body.reason)
        for task in self.queue.tasks_of(name) if body.tasks else ():
            try:
                await self.control.pause(task.id)
            except PtyTasksError as error:
                self.log.info("task %s is not paused with its group: %s", task.id, error)
        self.send(group)


class ResumeGroup(TaskHandler):
    """`/groups/{name}/resume`."""

    @needs("execute")
    async def post(self, name: str) -> None:
        """Start tasks of a group again; with `tasks`, also resume paused ones."""
        body = self.body(group_bodies.GroupPause)
        await self.queue.group(name)  # raises if there is no such group
        group = await self.queue.change_group(name, paused=False, reason="")
        for task in self.queue.tasks_of(name) if body.tasks else ():
            try:
                await self.control.resume(task.id)
            except PtyTasksError as error:
                self.log.info("task %s is not continued with its group: %s", task.id, error)
        self.send(group)


class RetryGroup(TaskHandler):
    """`/groups/{name}/retry`."""

    @needs("execute")
    async def post(self, name: str) -> None:
        """Requeue the tasks of a group that failed, or ended in one of the given states; at places without a queue,
        they are restarted.
        """
        states = frozenset(self.body(sweep_bodies.RetryStates).states)
        many: Many = self.settings["ptytasks_many"]
        tasks = [task for task in await self.control.list_all() if task.group == name]
        if not tasks:
            await self.queue.group(name)  # raises if there is no such group
        provisioners = self.settings["ptytasks_provisioners"]
        changed = await many.retry([task for task in tasks if provisioners.waits(task)], states)
        for task in tasks:
            if provisioners.waits(task) or task.state not in states or self.control.is_restarting(task):
                continue
            try:
                await self.launcher.restart(task.id)
            except PtyTasksError as error:
                self.log.warning("task %s is not run again with its group: %s", task.id, error)
            else:
                changed.append(task.id)
        self.send({"changed": changed}, 202)
