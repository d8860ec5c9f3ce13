"""The ptyhosts of all active tasks, as this server is linked to them; and what becomes of a task whose ptyhost is
gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...core.errors import HostUnreachable, InternalError, InvalidState, PtyTasksError, TaskNotFound, shortage
from ...core.model import Exit, Output
from ...core.queue.decisions import waits_here
from ...core.states import STARTED, State, is_news
from ...storage.records import changes_from_exit
from ..listeners import Listeners
from .link import Link

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

    from ...core.model import Task
    from ...provision.base import Provisioners
    from ...storage.task_dirs import TaskDirs
    from ..changes import Change
    from ..store import Store

#: Seconds until a ptyhost that could not be reached is tried again; doubled up to the second number.
_RETRY = 0.05
_RETRY_MAX = 1.0
#: The same for one on another machine, whose exit record is all that can be seen of it here.
_RETRY_ELSEWHERE = 5.0
#: Seconds until a ptyhost must answer to which a link is made only now.
_PATIENCE_ON_DEMAND = 30.0
#: Seconds between two looks whether a link is still of use.
_USELESS = 5.0
#: Seconds between two looks at the output of tasks to which there is no link.
_UNLINKED = 3.0
#: How many tasks that their place may start at any moment are looked at more often than all others, seconds between two
#: such looks, and for how many seconds after it was last heard of them.
_EXPECTED, _EXPECTED_EVERY, _EXPECTED_FOR = 8, 0.1, 10.0


class Supervisor:
    """Keeps a link to the ptyhost of every task that the store says is active.

    Whichever server started a task, all of them link to it; the first to see its end writes it down. `close` it: the
    tasks keep running.
    """

    def __init__(self, store: Store, task_dirs: TaskDirs, provisioners: Provisioners, log: logging.Logger) -> None:
        self._store = store
        self._task_dirs = task_dirs
        self._provisioners = provisioners
        self._log = log
        self._links: dict[str, Link] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._chores: set[asyncio.Task[None]] = set()
        #: The attempts whose end was reported but is not yet in the database: on a busy disk that may take seconds.
        self._exited: dict[str, int] = {}
        #: The names of other machines on which tasks run.
        self._elsewhere: dict[str, str] = {}
        #: The last failure that was logged of a task: it is tried again and again.
        self._failures: dict[str, str] = {}
        #: Tasks that this server is just starting, and reports on itself.
        self._left_alone: set[str] = set()
        #: What asks each place about the tasks that wait there, and looks at outputs.
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._looked_at_output = -_UNLINKED
        #: Tasks that their place may start at any moment.
        self._expected: set[str] = set()
        #: Called on the loop with the id of a task whose output has grown, and no more than that.
        self.on_output: Listeners[str] = Listeners()
        #: Called on the loop with the id of a task whose status has changed.
        self.on_update: Listeners[str] = Listeners()
        #: Called with a task that is about to end, and how it changes; they return what else is to be written down.
        self.end_hooks: list[Callable[[Task, dict[str, Any]], Awaitable[dict[str, Any]]]] = []
        store.listeners.append(self._on_change)
        store.on_first_look = self._find_started

    def close(self) -> None:
        """Close all links."""
        self._store.listeners.remove(self._on_change)
        for job in [*self._keepers.values(), *self._chores, *self._looking.values()]:
            job.cancel()
        for link in self._links.values():
            link.close()
        self._keepers.clear()
        self._links.clear()

    def link(self, task_id: str) -> Link | None:
        """Return the link to a task's ptyhost, connected or not; None for a task that is not active."""
        return self._links.get(task_id)

    def machine(self, task_id: str) -> str | None:
        """Return the name of the other machine on which an active task runs; None for one that runs on this machine."""
        return self._elsewhere.get(task_id)

    async def connected(self, task_id: str, patience: float = 5.0) -> Link:
        """Return the link of an active task, connected to the ptyhost of its present attempt.

        Raises InvalidState when the task has ended, HostUnreachable after `patience` seconds without either.
        """
        begun = time.monotonic()
        deadline = begun + patience
        while True:
            # Another server may have seen its end, or deleted it.
            await self._store.refresh()
            task = self._store.get(task_id)
            if task is None or not task.active or self._exited.get(task_id) == task.attempt:
                raise InvalidState("the task has ended", field="state")
            link = self._links.get(task_id)
            if link is not None:
                link.want()
            if self._provisioners.queues(task):
                deadline = max(deadline, begun + _PATIENCE_ON_DEMAND)
            # Another server may have begun an attempt whose ptyhost this link does not lead to.
            if link is not None and link.connected and link.status.get("attempt") == task.attempt:
                return link
            if task_id in self._elsewhere:
                raise HostUnreachable(f"the task runs on {self._elsewhere[task_id]} and cannot be reached from here")
            if time.monotonic() > deadline:
                raise HostUnreachable("the task's ptyhost does not respond; the task may still be running")
            await asyncio.sleep(_RETRY / 2)

    def keep(self, task: Task) -> None:
        """Begin to keep a link to an active task's ptyhost, unless that is done already."""
        if task.active and task.id not in self._keepers and task.id not in self._left_alone:
            self._keepers[task.id] = asyncio.create_task(self._keep(task.id))

    @contextmanager
    def left_alone(self, task_id: str) -> Iterator[None]:
        """Keep no link to a task within the block, which starts its ptyhost."""
        self._left_alone.add(task_id)
        try:
            yield
        finally:
            self._left_alone.discard(task_id)
            task = self._store.get(task_id)
            if task is not None:
                self.keep(task)

    def _on_change(self, change: Change) -> None:
        if change.new is not None and change.new.active:
            self.keep(change.new)
        elif change.old is not None and change.old.active:
            self._drop(change.task_id)
        if change.new is not None and self._may_start(change.new):
            self._expect(change.task_id)

    def _drop(self, task_id: str) -> None:
        self._exited.pop(task_id, None)
        self._elsewhere.pop(task_id, None)
        self._failures.pop(task_id, None)
        keeper = self._keepers.pop(task_id, None)
        if keeper is not None and keeper is not asyncio.current_task():
            keeper.cancel()
        link = self._links.pop(task_id, None)
        if link is not None:
            link.close()
        self.on_update(task_id)

    async def _keep(self, task_id: str) -> None:
        """Connect, wait until the connection is lost, settle what that means, and so on until the task has ended."""
        lost = asyncio.Event()
        link = self._links[task_id] = Link(
            on_head=lambda: self.on_output(task_id),
            on_status=lambda status: self._chore(self._take_status(task_id, link, status)),
            on_exit=lambda record: self._chore(self._take_exit(task_id, record)),
            on_lost=lost.set,
        )
        retry = _RETRY
        me = asyncio.current_task()
        while (task := self._store.get(task_id)) is not None and task.active:
            if self._provisioners.queues(task) and not link.is_wanted:
                await link.until_wanted()
                continue
            try:
                if await self._connect(task, link):
                    retry = _RETRY
                    await self._until_lost(task, link, lost)
                    self.on_update(task_id)
            except Exception as error:  # noqa: BLE001  whatever it is, the next try may do better
                self._log_failure(task_id, error)
            try:
                await self._settle(task_id)
            except Exception as error:  # noqa: BLE001  such as a full disk: there may be room later
                self._log_failure(task_id, error)
            if self._keepers.get(task_id) is not me:
                return  # it has ended, and nothing is to be kept any more
            await asyncio.sleep(retry)
            retry = min(retry * 2, _RETRY_ELSEWHERE if task_id in self._elsewhere else _RETRY_MAX)

    async def _connect(self, task: Task, link: Link) -> bool:
        """Connect a link, or return False, when what can be done about a ptyhost that does not answer has been done."""
        provisioner = self._provisioners.of(task)
        self._locate(task.id, await asyncio.to_thread(provisioner.machine, task))
        try:
            await link.connect(lambda protocol: provisioner.connect(task, protocol), task.id)
        except HostUnreachable:
            await asyncio.to_thread(provisioner.wake, task)
            return False
        self._elsewhere.pop(task.id, None)
        self._failures.pop(task.id, None)
        return True

    async def _until_lost(self, task: Task, link: Link, lost: asyncio.Event) -> None:
        """Wait until a link is lost; close one that is of no use, where it is not kept without that."""
        while not lost.is_set():
            try:
                await asyncio.wait_for(lost.wait(), _USELESS if self._provisioners.queues(task) else None)
            except asyncio.TimeoutError:
                if not link.is_wanted:
                    link.close()
                    return
        lost.clear()

    def _log_failure(self, task_id: str, error: Exception) -> None:
        """Log once why a task cannot be reached; known errors in one line."""
        if self._failures.get(task_id) == str(error):
            return
        self._failures[task_id] = str(error)
        if shortage(error) is not None:
            self._log.debug("task %s: %s", task_id, error)  # requests fail with it, too
        elif isinstance(error, PtyTasksError):
            self._log.warning("task %s: %s", task_id, error)
        else:
            self._log.error("task %s: the link to its ptyhost failed", task_id, exc_info=error)

    def _locate(self, task_id: str, machine: str | None) -> None:
        """Note on which other machine a task runs."""
        if machine is None:
            self._elsewhere.pop(task_id, None)
        elif task_id not in self._elsewhere:
            self._elsewhere[task_id] = machine
            self.on_update(task_id)

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        chore = asyncio.create_task(work)
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    # -- reports of a ptyhost ---------------------------------------------------------------------------------------

    async def _take_status(self, task_id: str, link: Link, status: dict[str, Any]) -> None:
        """Announce and store a status; if the disk is full, try again until there is a newer one."""
        self.on_update(task_id)
        while self._links.get(task_id) is link and link.status is status:
            try:
                await self._note_status(task_id, status)
                return
            except PtyTasksError as error:
                self._log.warning("task %s: %s", task_id, error)
                await asyncio.sleep(_RETRY_MAX)

    async def _note_status(self, task_id: str, status: dict[str, Any]) -> None:
        """Update the store from a status: the ptyhost knows best."""
        task = self._store.get(task_id)
        if task is None or not task.active or status.get("attempt") != task.attempt or task_id in self._left_alone:
            return
        state, reason = state_of(status)
        if task.pid is None or task.started is None or is_news(task.state, state):
            facts = {"pid": status["pid"], "started": status["started"], "state_reason": reason}
            await self._observe(task, state, **facts)

    async def _take_exit(self, task_id: str, record: dict[str, Any]) -> None:
        task = self._store.get(task_id)
        if task is not None and task.active and record.get("attempt") == task.attempt:
            self._exited[task_id] = task.attempt
            try:
                if self._provisioners.queues(task):
                    await self._settle(task_id)  # what it means is up to the place
                else:
                    await self._end(task, changes_from_exit(record))
            except PtyTasksError as error:
                self._log.warning("task %s: %s", task_id, error)  # the keeper tries again

    async def _end(self, task: Task, changes: dict[str, Any]) -> None:
        more = await asyncio.gather(*(hook(task, changes) for hook in self.end_hooks))
        await self._observe(task, **{name: value for facts in (changes, *more) for name, value in facts.items()})

    async def _observe(self, task: Task, state: State, **facts: Any) -> None:
        try:
            await self._store.observe(task.id, task.attempt, state, **facts)
        except TaskNotFound:
            pass  # it has been deleted

    # -- what silence means -----------------------------------------------------------------------------------------

    async def _settle(self, task_id: str) -> None:
        """Find out what became of a task whose ptyhost does not answer; if it has ended, write that down."""
        task = self._store.get(task_id)
        if task is None or not task.active:
            return
        news = (await asyncio.to_thread(self._provisioners.of(task).poll, [task])).get(task_id)
        if news is not None:
            await self._take_news(task, news)

    async def _take_news(self, task: Task, news: dict[str, Any]) -> None:
        """Write down what a place says of a task."""
        state = news["state"]
        if task.state is State.STARTING and state.pending and await asyncio.to_thread(self._task_dirs.is_hosted, task):
            return  # it is being started again since then
        attempt = news.pop("attempt", task.attempt)
        if attempt != task.attempt:
            await self._store.run_again(task.id, attempt, self._task_dirs.specs.respec, **news)
        elif state is task.state:
            changed = {name: value for name, value in news.items() if getattr(task, name) != value}
            if changed:
                await self._store.move(task.id, {state}, **{"state": state, **changed})
        else:
            if task.pending and not (state.pending or state is State.STARTING):
                await self._observe(task, State.STARTING)
            if state.live:
                await self._observe(task, **news)
            else:
                await self._end(task, news)

    def look(self) -> None:
        """Ask the places where tasks wait about them, each unless that is being done: one may take long to answer."""
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
        """Ask a place about tasks that wait or run there, and write down what it says of those that are still as they
        were when it was asked.
        """
        asked = {task.id: (task.attempt, task.state) for task in tasks}
        try:
            found = await asyncio.to_thread(self._provisioners.of(tasks[0]).poll, tasks)
        except Exception as error:  # noqa: BLE001  it must not keep the others from being looked at
            self._log_failure(tasks[0].id, error)
            return
        for task_id, news in found.items():
            task = self._store.get(task_id)
            if task is None or (task.attempt, task.state) != asked[task_id] or task_id in self._left_alone:
                continue
            try:
                await self._take_news(task, news)
            except (PtyTasksError, OSError) as error:
                self._log_failure(task_id, error)

    def _may_start(self, task: Task) -> bool:
        """Return whether a task waits that its place, and none of us, is to start."""
        return task.state in (State.QUEUED, State.STARTING) and self._provisioners.queues(task)

    def _expect(self, task_id: str) -> None:
        """Look at a task more often for a while: somebody who has just submitted it waits for its first output."""
        if task_id not in self._expected and len(self._expected) < _EXPECTED:
            self._expected.add(task_id)
            self._chore(self._look_until_started(task_id))

    async def _look_until_started(self, task_id: str) -> None:
        """Look until a task has started and there is output, or for a while."""
        deadline = time.monotonic() + _EXPECTED_FOR
        try:
            while time.monotonic() < deadline:
                await asyncio.sleep(_EXPECTED_EVERY)
                task, link = self._store.get(task_id), self._links.get(task_id)
                if task is not None and self._may_start(task):
                    await self._look_at([task])
                elif link is not None and not link.connected and not link.output.end:
                    # Before the connection is made: whoever waits for it sees it in its file.
                    await self._look_at_outputs(task_id)
                else:
                    return
        finally:
            self._expected.discard(task_id)

    async def _look_at_outputs(self, *task_ids: str) -> None:
        """Find out how far the outputs have grown of tasks to whose ptyhosts there is no link: of these, or of all."""
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

    async def _find_started(self) -> None:
        """Write down what became of tasks that a server was just starting: it may have been killed after it had
        answered that they run.
        """
        for task in self._store.active:
            if task.state is State.STARTING and not self._provisioners.queues(task):
                try:
                    await self._settle(task.id)
                except (PtyTasksError, OSError) as error:
                    self._log_failure(task.id, error)  # its link will tell

    async def correct(self, task: Task) -> None:
        """Apply the exit record of a task that was marked as lost, if there is one after all."""
        if task.exit != Exit():
            return  # it is known, and a batch system has said what it means
        found = await asyncio.to_thread(self._task_dirs.read_exit, task)
        if found is not None:
            await self._end(task, found)


def state_of(status: dict[str, Any]) -> tuple[State, str]:
    """Return the state that a ptyhost reports, and the reason of a stop."""
    if status.get("stopping"):
        return State.STOPPING, str(status["stopping"])
    return (State.PAUSED if status.get("paused") else State.RUNNING), ""
