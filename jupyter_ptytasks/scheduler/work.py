"""One step of the scheduler: record ends, requeue retries, start tasks."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from types import MappingProxyType

from ..core.errors import InternalError, InvalidState, PtyTasksError, TaskNotFound, TooManyTasks
from ..core.queue.decisions import left_to_place, plan, waits_here
from ..core.queue.failures import consequences
from ..core.queue.gpus import Given
from ..core.queue.turn import FAILURES, runs_again
from ..core.states import PENDING, State
from ..storage.database import next_attempt
from .at_once import at_once
from .mirror import Mirror
from .reports import Reports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from ..core.model import Task
    from ..core.queue.gpus import Gpu
    from ..provision.base import Launched
    from ..provision.local import LocalProvisioner
    from ..storage.database import Database
    from ..storage.groups import Groups
    from ..storage.locks import Lock
    from ..storage.task_dirs import TaskDirs
    from .mirror import Entry
    from .places import Places

    _Claim = tuple[Task, Lock | InternalError]

#: Retry delay in seconds for a task whose last ptyhost has not exited yet.
_LEAVING = 0.05
#: Seconds until it is stored that a task runs, unless something else is stored before. Meanwhile servers learn it from
#: the ptyhost, and the next scheduler from the host record if this one is killed.
_UNREPORTED = 0.05
#: Maximum number of tasks started in one step, which waits until all of them have started.
_AT_A_TIME = 8
#: Polling interval while tasks are being submitted to other places, in seconds.
_SUBMITTING = 0.2
#: Maximum seconds between two decisions while tasks wait, even if nothing seems to have changed.
_LONG = 60.0
#: The GPUs of a task that needs none.
_NONE = Given((), 1.0)


class Work:
    """Starts tasks, and records how they end. `provisioner` starts them on this machine, `places` elsewhere.

    `limit` returns the maximum number of active tasks, `gpus` the GPUs of this machine, None while they are not known.
    """

    def __init__(
        self,
        *,
        database: Database,
        task_dirs: TaskDirs,
        groups: Groups,
        provisioner: LocalProvisioner,
        places: Places,
        limit: Callable[[], int],
        gpus: Callable[[], Sequence[Gpu] | None],
    ) -> None:
        self._database = database
        self._task_dirs = task_dirs
        self._groups = groups
        self._provisioner = provisioner
        self._places = places
        self._limit = limit
        self._gpus = gpus
        self._tasks = Mirror(database)
        self._reports = Reports(database, task_dirs, self._tasks)
        #: The groups and the limit at the last decisions, their time, and when to decide again without changes.
        self._seen: object = None
        self._decided = 0.0
        self._look: float | None = None
        #: Whether a task waits for a time.
        self.waits_for_time = False
        #: Whether the last step has left tasks that could be started now.
        self.is_behind = True
        #: The last started tasks, which are stored with the next changes: id, attempt, and changes.
        self._started: list[tuple[str, int, dict[str, Any]]] = []

    def step(self, now: float) -> float | None:
        """Do what is due at `now` (Unix seconds); return the latest time of the next step, None if nothing waits.

        Raises PtyTasksError or OSError; what was not done is done by the next step.
        """
        changed = self._tasks.refresh()
        changed |= self._reports.follow(self._places, self._provisioner.name, now)
        self._provisioner.reap()
        ends = self._find_ends()
        seen = (self._groups.all(), self._limit())
        # A clock that was set back must not delay the next step.
        is_early = self._look is None or self._decided <= now < self._look
        if not (changed or ends or self._started) and seen == self._seen and is_early:
            return now + _SUBMITTING if self._places.is_busy else self._look
        # If something fails, everything is done again.
        self._seen = None
        try:
            self._look = self._advance(ends, now)
        except BaseException:
            self._tasks.distrust()
            raise
        self._decided = now
        self._seen = seen
        return self._look

    def settle(self, ends: Mapping[str, dict[str, Any]] = MappingProxyType({})) -> None:
        """Store pending changes: that the last started tasks are running. Raises PtyTasksError."""
        with self._database.together():
            self._report(ends)
        self._started.clear()

    def _advance(self, ends: Mapping[str, dict[str, Any]], now: float) -> float | None:
        """Store news and start tasks in one transaction, since each transaction flushes the disk."""
        ended = [self._tasks.note(self._tasks.underway[task_id].with_(**changes)) for task_id, changes in ends.items()]
        if any(task.state in FAILURES or task.turn.retry is not None for task in ended):
            self.settle(ends)  # before retries and reactions to failures
            ends = {}
        self._run_again(now)
        self._respond_to_failures(now)
        limit = self._limit()
        planned = plan(self._tasks, self._groups.all(), now, limit, self._gpus, self._places.gates, explain=False)
        for task_id, wait in planned.cancel.items():
            self._cancel(task_id, wait.reason, wait.text, now)
        next_ones = planned.start[:_AT_A_TIME]
        as_expected, claimed = True, 0
        if ends or self._started or next_ones:
            given = {task_id: planned.gpus.get(task_id, _NONE) for task_id in next_ones}
            as_expected, claimed = self._write_and_start(ends, given, limit, now)
        looks = [now + _UNREPORTED] if self._started else []
        if not as_expected:
            looks.append(now)
        if self._places.is_busy:
            looks.append(now + _SUBMITTING)
        elif any(task.turn.retry is not None and self._is_elsewhere(task) for task in self._tasks.underway.values()):
            looks.append(now + _LONG)  # their ptyhosts cannot wake this scheduler
        held_up = claimed < len(next_ones) or planned.is_counting or bool(planned.cancel)
        self.waits_for_time = planned.look is not None
        self.is_behind = not as_expected or len(next_ones) < len(planned.start) or held_up
        if any(task.state is State.QUEUED and waits_here(task) for task in self._tasks):
            looks.append(now + _LONG if planned.look is None else planned.look)
            if len(next_ones) < len(planned.start):
                looks.append(now)
            elif held_up:
                looks.append(now + _LEAVING)
            elif planned.needs_gpus:
                looks.append(now + 1.0)  # other users may start or stop using GPUs
        return min(looks, default=None)  # releasing a held task wakes the scheduler

    def _write_and_start(
        self, ends: Mapping[str, dict[str, Any]], next_ones: Mapping[str, Given], limit: int, now: float
    ) -> tuple[bool, int]:
        """Store `ends` and pending changes, and start tasks on these GPUs.

        Return whether everything went as expected, so that there is nothing else to decide (no other process has
        changed these tasks, and no start has failed), and the number of tasks that were claimed.
        """
        claimed = []
        with ExitStack() as locks:
            with self._database.together():
                as_expected = self._report(ends)
                if as_expected:
                    claims = [self._claim(task_id, given, limit, locks) for task_id, given in next_ones.items()]
                    claimed = [claim for claim in claims if claim is not None]
            self._started.clear()
            for (task, _), outcome in zip(claimed, at_once(self._launch, claimed), strict=True):
                as_expected &= self._note_start(task, outcome, now)
        return as_expected, len(claimed)

    @property
    def hosts(self) -> list[int | None]:
        """The pids of the ptyhosts whose end matters; None for one that is being started, or is on another machine."""
        return [None if self._is_elsewhere(task) else task.host_pid for task in self._tasks.underway.values()]

    @property
    def may_run_again(self) -> bool:
        """Whether a running task will be retried if it fails: then the end of its ptyhost must wake a scheduler."""
        return any(task.turn.retry is not None for task in self._tasks.underway.values())

    def _is_elsewhere(self, task: Task) -> bool:
        return task.provisioner != self._provisioner.name

    def _find_ends(self) -> dict[str, dict[str, Any]]:
        """Return the outcomes of active tasks that are not in the database yet, by id, as changes."""
        ends = self._provisioner.poll(task for task in self._tasks.underway.values() if not self._is_elsewhere(task))
        for task_id, changes in ends.items():
            if not changes["state"].live:
                self._reports.complete(self._tasks.underway[task_id], changes)
        return ends

    def _report(self, ends: Mapping[str, dict[str, Any]]) -> bool:
        """Store, within a transaction, that tasks were started and have ended; return whether no other process has
        changed these tasks.
        """
        as_expected = True
        attempts = [(task_id, self._tasks.entries[task_id].attempt, changes) for task_id, changes in ends.items()]
        for task_id, attempt, changes in [*self._started, *attempts]:
            try:
                task = self._tasks.note(self._database.observe(task_id, attempt, **changes))
            except TaskNotFound:
                self._tasks.forget(task_id)
            except InvalidState:
                as_expected = False
                self._tasks.distrust()
            else:
                as_expected &= task.active is changes["state"].active or not task.active
        return as_expected

    def _run_again(self, now: float) -> None:
        """Queue the next attempts of failed tasks; delete the environment of those that have ended for good."""

        def retried(task: Task) -> Task | None:
            """Return the task in its next attempt; None if a server has canceled the retry meanwhile."""
            retry = task.turn.retry
            if retry is None or not runs_again(task):
                return None
            # A later end than now means that the clock was set back.
            ended = min(task.ended or 0.0, now)
            turn = replace(task.turn, not_before=ended + retry.delay_after(task.attempt))
            return next_attempt(task, task.attempt + 1, State.QUEUED, turn=turn)

        for task in self._tasks:
            if task.live or task.turn.retry is None or task.state_reason == "restarting":
                continue
            if not runs_again(task):
                self._forget_environment(task)
                continue
            try:
                queued = self._database.change_all([task.id], retried, self._respec)
            except (InvalidState, InternalError):
                continue
            for one in queued:
                self._tasks.note(one)

    def _respec(self, tasks: Sequence[Task]) -> AbstractContextManager[None]:
        """Update the spec of one task, or of none."""
        return self._task_dirs.specs.respec(tasks[0]) if tasks else nullcontext()

    def _forget_environment(self, task: Entry) -> None:
        """Delete the saved environment of a task that will not be retried, unless it is just being run again."""
        if not self._task_dirs.specs.keeps_environment(task.id):
            return
        try:
            self._tasks.note(self._database.change(task.id, self._forgotten))
        except (TaskNotFound, InternalError):
            pass  # the next step tries again

    @contextmanager
    def _forgotten(self, task: Task) -> Iterator[None]:
        if not task.live:
            self._task_dirs.specs.forget_environment(task.id)
        yield

    def _respond_to_failures(self, now: float) -> None:
        """Pause groups, or cancel their pending tasks, as configured."""
        result = consequences(self._tasks, self._groups.all())
        for name, reason in result.pause.items():
            self._groups.change(name, paused=True, reason=reason)
        for task_id, text in result.cancel.items():
            self._cancel(task_id, "group", text, now)

    def _cancel(self, task_id: str, reason: str, text: str, now: float) -> None:
        facts: dict[str, Any] = {"state_reason": reason, "state_message": text, "ended": now}
        also = self._task_dirs.specs.respec if self._task_dirs.exists(task_id) else None
        task, moved = self._database.move(task_id, PENDING, State.CANCELLED, also=also, **facts)
        self._tasks.note(task)
        if moved:
            self._task_dirs.specs.forget_environment(task_id)

    def _claim(self, task_id: str, given: Given, limit: int, locks: ExitStack) -> _Claim | None:
        """Store, within a transaction, that a task is being started on these GPUs, and return it with its lock.

        The lock is released with `locks`. If the task's directory was removed, the error with which it fails is
        returned instead of the lock. Returns None if `limit` tasks are active, or if the lock is held by its last
        ptyhost or by another process that starts it.
        """
        lock: Lock | InternalError | None
        try:
            lock = self._task_dirs.lock(task_id)
        except InternalError as error:
            if self._task_dirs.exists(task_id):
                raise
            lock = error
        else:
            if lock is None:
                return None
            locks.enter_context(lock)
        try:
            # The host record shows that it was started, but not its GPUs.
            entry = self._tasks.entries.get(task_id)
            has_gpus = bool(given.uuids or (entry is not None and entry.gpus)) and not isinstance(lock, InternalError)
            task, moved = self._database.move(
                task_id, {State.QUEUED}, State.STARTING, max_live=limit,
                also=self._task_dirs.specs.respec if has_gpus else None, gpus=given.uuids, gpu_share=given.share,
            )  # fmt: skip
        except TooManyTasks:
            return None
        except TaskNotFound:
            self._tasks.forget(task_id)
            return None
        self._tasks.note(task)
        return (task, lock) if moved else None

    def _launch(self, task: Task, lock: Lock | InternalError) -> Launched | PtyTasksError | None:
        """Start the ptyhost of a task; return it, or the error if nothing runs; None if the task is being submitted to
        another place.
        """
        if isinstance(lock, InternalError):
            return lock
        # After a failure the lock is kept until the failure is stored: otherwise other processes would assume that the
        # task still waits.
        try:
            # Not read earlier: it could be changed until the task was claimed.
            env = self._task_dirs.specs.read_environment(task.id)
            if env is None:
                return InternalError("the saved environment of the task is missing; restart it")
            if self._is_elsewhere(task):
                left = left_to_place(task, self._tasks.entries, self._places.gates({task.provisioner}))
                there = task.with_(turn=replace(task.turn, after=tuple(left)))
                self._places.submit(there, lock.handed_on(), env)
                return None
            launched = self._provisioner.launch(task, lock, env)
        except PtyTasksError as error:
            return error
        lock.close()
        return launched

    def _note_start(self, task: Task, outcome: Launched | PtyTasksError | None, now: float) -> bool:
        """Record the result of a start; return whether the task is running, or the result is not known yet."""
        if outcome is None:
            return True
        if isinstance(outcome, PtyTasksError):
            self._reports.fail_start(task, outcome, now)
            return False
        if task.turn.retry is None:
            self._task_dirs.specs.forget_environment(task.id)
        facts = outcome.facts()
        self._started.append((task.id, task.attempt, {"state": State.RUNNING, **facts}))
        self._tasks.note(task.with_(state=State.RUNNING, **facts))
        return True
