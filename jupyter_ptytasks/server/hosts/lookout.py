"""Polls tasks without a link: whether tasks pending at a place have started, and how far outputs have grown."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from ...core.errors import InternalError, PtyTasksError
from ...core.model import Output
from ...core.queue.decisions import waits_here
from ...core.states import STARTED, State

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Set

    from ...core.model import Task
    from ...provision.base import Provisioners
    from ...storage.task_dirs import TaskDirs
    from ..changes import Change
    from ..store import Store
    from .failures import Failures
    from .link import Link
    from .outcomes import Outcomes

#: Polling interval for the output of tasks without a link, in seconds.
_UNLINKED = 3.0
#: Tasks that are expected to start soon are polled more often: how many at most, the interval in seconds, and for how
#: many seconds after the last news about them.
_EXPECTED, _EXPECTED_EVERY, _EXPECTED_FOR = 8, 0.1, 10.0


class Lookout:
    """Polls tasks for the supervisor with these `links`, except those `left_alone`, which are just being started.

    `close` it.
    """

    def __init__(
        self,
        store: Store,
        task_dirs: TaskDirs,
        provisioners: Provisioners,
        outcomes: Outcomes,
        failures: Failures,
        *,
        links: Mapping[str, Link],
        left_alone: Set[str],
    ) -> None:
        self._store = store
        self._task_dirs = task_dirs
        self._provisioners = provisioners
        self._outcomes = outcomes
        self._failures = failures
        self._links = links
        self._left_alone = left_alone
        #: The polls of each place for pending tasks, and of outputs.
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._looked_at_output = -_UNLINKED
        #: The polls of tasks that their place may start at any time, by id.
        self._expected: dict[str, asyncio.Task[None]] = {}
        store.listeners.append(self._on_change)

    def close(self) -> None:
        """Stop polling."""
        self._store.listeners.remove(self._on_change)
        for job in [*self._looking.values(), *self._expected.values()]:
            job.cancel()

    def _on_change(self, change: Change) -> None:
        if change.new is not None and self._may_start(change.new):
            self._expect(change.task_id)

    def look(self) -> None:
        """Poll the places with pending tasks, each unless it is already being polled: one may take long to respond."""
        for provisioner in self._provisioners.all:
            if provisioner.queues:
                self._look_unless_busy(provisioner.name, self._look, provisioner.name)
        if time.monotonic() - self._looked_at_output > _UNLINKED:
            self._looked_at_output = time.monotonic()
            self._look_unless_busy("", self._look_at_outputs)

    def _look_unless_busy(self, what: str, look: Callable[..., Coroutine[Any, Any, None]], *args: str) -> None:
        busy = self._looking.get(what)
        if busy is None or busy.done():
            self._looking[what] = asyncio.create_task(look(*args))

    async def _look(self, place: str) -> None:
        tasks = [task for task in self._store.live if task.provisioner == place and not waits_here(task)]
        if tasks:
            await self._look_at(tasks)

    async def _look_at(self, tasks: list[Task]) -> None:
        """Poll a place for tasks that are pending or running there, and record the results of those that have not
        changed meanwhile.
        """
        asked = {task.id: (task.attempt, task.state) for task in tasks}
        try:
            found = await asyncio.to_thread(self._provisioners.of(tasks[0]).poll, tasks)
        except Exception as error:  # noqa: BLE001  it must not keep the others from being looked at
            self._failures.log(tasks[0].id, error)
            return
        for task_id, news in found.items():
            task = self._store.get(task_id)
            if task is None or (task.attempt, task.state) != asked[task_id] or task_id in self._left_alone:
                continue
            try:
                await self._outcomes.take_news(task, news)
            except (PtyTasksError, OSError) as error:
                self._failures.log(task_id, error)

    def _may_start(self, task: Task) -> bool:
        """Return whether a pending task is started by its place, not by us."""
        return task.state in (State.QUEUED, State.STARTING) and self._provisioners.queues(task)

    def _expect(self, task_id: str) -> None:
        """Poll a task more often for a while: the user who has just submitted it waits for its first output."""
        if task_id not in self._expected and len(self._expected) < _EXPECTED:
            self._expected[task_id] = asyncio.create_task(self._look_until_started(task_id))

    async def _look_until_started(self, task_id: str) -> None:
        """Poll until a task has started and has output, or for a while."""
        deadline = time.monotonic() + _EXPECTED_FOR
        try:
            while time.monotonic() < deadline:
                await asyncio.sleep(_EXPECTED_EVERY)
                task, link = self._store.get(task_id), self._links.get(task_id)
                if task is not None and self._may_start(task):
                    await self._look_at([task])
                elif link is not None and not link.connected and not link.output.end:
                    # Its files may show the output before there is a connection.
                    await self._look_at_outputs(task_id)
                else:
                    return
        finally:
            self._expected.pop(task_id, None)

    async def _look_at_outputs(self, *task_ids: str) -> None:
        """Find out how far the outputs of tasks without a link have grown: of these tasks, or of all."""
        known: dict[str, tuple[int, Output]] = {}
        for task_id in task_ids or self._links:
            task, link = self._store.get(task_id), self._links[task_id]
            if task is None or task.state not in STARTED or link.connected or not self._provisioners.queues(task):
                continue
            is_known = link.status.get("attempt") == task.attempt
            known[task_id] = task.attempt, link.output if is_known else Output()
        for task_id, output in (await asyncio.to_thread(self._grown, known)).items() if known else ():
            if task_id in self._links:
                self._links[task_id].learn(known[task_id][0], output)

    def _grown(self, known: dict[str, tuple[int, Output]]) -> dict[str, Output]:
        found = {}
        for task_id, (_, before) in known.items():
            with contextlib.suppress(OSError, InternalError):
                found[task_id] = self._task_dirs.grown(task_id, before)
        return found
