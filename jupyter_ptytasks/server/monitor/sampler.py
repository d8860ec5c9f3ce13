"""Samples the resource usage of active tasks, more often while a client is watching."""

from __future__ import annotations

import asyncio
import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ...core.states import STARTED
from ..listeners import Listeners
from . import processes
from .gpu import Gpus
from .samples import History, of_ended

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from ...core.model import Task
    from ...provision.base import Provisioners
    from ..changes import Change
    from ..hosts.supervisor import Supervisor
    from ..store import Store
    from .gpu import GpuUse
    from .processes import Tree

    Measured = tuple[Tree, int | None, GpuUse | None]

#: Seconds between two samples of a task; the same while a client is watching; and how long a request counts as
#: watching.
_EVERY = 10.0
_EVERY_WATCHED = 2.0
_WATCHED = 10.0
#: Seconds until the first sample of a task.
_FIRST = 1.0
#: Samples that are due within this many seconds are taken together: all tasks cost little more than one.
_TOGETHER = 1.0
#: Seconds between two measurements of a task's proportional memory size, and trees that are measured at a time.
_PSS_EVERY = 30.0
_PSS_TREES = 20


class Sampler:
    """Samples the usage of every active task on this machine. `stop` it.

    The process table is read in a thread, once for all tasks of a sample; without live tasks nothing is done. Peak
    values are sent to the ptyhosts as notes, which put them into the exit records; a restarted server continues from
    there. `listeners` are called on the loop with the id of a task that was sampled.
    """

    def __init__(self, store: Store, supervisor: Supervisor, provisioners: Provisioners, log: logging.Logger) -> None:
        self._store = store
        self._supervisor = supervisor
        self._provisioners = provisioners
        self._log = log
        self._gpus = Gpus()
        self._thread = ThreadPoolExecutor(1, "ptytasks-usage")
        self._histories: dict[str, History] = {}
        self._changed = asyncio.Event()
        self._job: asyncio.Task[None] | None = None
        self.listeners: Listeners[str] = Listeners()
        store.listeners.append(self._on_change)

    async def stop(self) -> None:
        """Stop sampling; returns when nothing is being measured."""
        self._store.listeners.remove(self._on_change)
        if self._job is not None:
            self._job.cancel()
            await asyncio.gather(self._job, return_exceptions=True)
        await self._in_thread(self._gpus.close)
        self._thread.shutdown(wait=False)

    def usage(self, task: Task) -> dict[str, Any] | None:
        """Return the usage of a task, or the total if it has ended, as JSON; None if unknown."""
        if not task.active:
            return of_ended(task.usage)
        history = self._history(task)
        return history.to_json() if history is not None else None

    def look(self, task: Task) -> dict[str, Any]:
        """Return the last samples of a task as JSON (docs/rest.md), and sample it more often for a while."""
        history = self._history(task) if task.active else None
        if history is None:
            return {"usage": self.usage(task), "interval": _EVERY, "samples": []}
        now = time.monotonic()
        history.asked = now
        history.due = min(history.due, math.ceil(now / _EVERY_WATCHED) * _EVERY_WATCHED)
        self._changed.set()
        return {"usage": history.to_json(), "interval": _EVERY_WATCHED, "samples": history.samples_to_json()}

    async def _in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *args)

    # -- sampled tasks ------------------------------------------------------------------------------------------------

    def _history(self, task: Task) -> History | None:
        history = self._histories.get(task.id)
        return history if history is not None and history.attempt == task.attempt else None

    def _on_change(self, change: Change) -> None:
        if change.new is not None and change.new.active:
            self._begin(change.new)
        elif change.task_id in self._histories:
            del self._histories[change.task_id]
            self._changed.set()

    def _begin(self, task: Task) -> None:
        if self._history(task) is None:
            now = time.monotonic()
            history = self._histories[task.id] = History(task.attempt, now + _FIRST)
            if task.started is None or time.time() - task.started < _FIRST:
                history.begin(now)
            self._changed.set()
            if self._job is None:
                self._job = asyncio.create_task(self._run())

    # -- sampling -----------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        """Sample as long as there is a live task."""
        try:
            while self._histories:
                await self._step()
        finally:
            self._job = None

    async def _step(self) -> None:
        """Take the due samples, or wait until one is due."""
        self._changed.clear()
        now = time.monotonic()
        first = min(history.due for history in self._histories.values())
        if first <= now:
            await self._sample([one for one, history in self._histories.items() if history.due <= now + _TOGETHER])
            return
        try:
            await asyncio.wait_for(self._changed.wait(), first - now)
        except asyncio.TimeoutError:
            pass

    async def _sample(self, task_ids: list[str]) -> None:
        now = time.monotonic()
        roots: dict[str, int] = {}
        stale: set[str] = set()
        chosen = {task_id: self._histories[task_id] for task_id in task_ids}
        for task_id, history in chosen.items():
            root = self._root(task_id)
            often = root is None or now - history.asked < _WATCHED
            history.due = _after(now, _EVERY_WATCHED if often else _EVERY)
            if root is not None:
                roots[task_id] = root
                if now - history.pss_at >= _PSS_EVERY and len(stale) < _PSS_TREES:
                    history.pss_at = now
                    stale.add(task_id)
        if not roots:
            return
        try:
            moment, measured = await self._in_thread(self._measure, roots, stale)
        except OSError as error:
            self._log.warning("resource usage cannot be measured right now: %s", error)
            return
        for task_id, about in measured.items():
            sampled = chosen[task_id]
            if self._histories.get(task_id) is sampled:  # it may have ended or been restarted since
                sampled.add(moment, time.time(), *about)
                self._note_peak(task_id, sampled)
                self.listeners(task_id)

    def _root(self, task_id: str) -> int | None:
        """Return the pid of the ptyhost of a task on this machine; None if it cannot be reached, since the pid may
        belong to another process.
        """
        task, link = self._store.get(task_id), self._supervisor.link(task_id)
        if task is None or task.state not in STARTED or not self._provisioners.is_here(task):
            return None
        return link.host_pid if link is not None and link.status.get("attempt") == task.attempt else None

    def _measure(self, roots: Mapping[str, int], stale: set[str]) -> tuple[float, dict[str, Measured]]:
        """Measure trees, given their roots; for `stale` ones also the proportional size. Runs in the thread."""
        moment = time.monotonic()
        by_root, present = processes.trees(roots.values())
        trees = {task_id: by_root[root] for task_id, root in roots.items() if root in by_root}
        gpus = self._gpus.use(trees, present)
        return moment, {
            task_id: (tree, tree.pss() if task_id in stale else None, gpus.get(task_id))
            for task_id, tree in trees.items()
        }

    def _note_peak(self, task_id: str, history: History) -> None:
        link = self._supervisor.link(task_id)
        if link is None or link.status.get("attempt") != history.attempt:
            return
        notes = link.status.get("notes")
        noted = notes.get("peak") if isinstance(notes, dict) else None
        history.learn(noted)
        if history.is_news(noted):
            link.note({"peak": history.peak})


def _after(now: float, every: float) -> float:
    """Return when the next sample is due: at the same times for all tasks, no matter when they were started."""
    return math.ceil(now / every + 0.5) * every
