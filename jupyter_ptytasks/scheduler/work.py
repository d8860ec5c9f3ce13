"""One step of the scheduler: take in what has ended, run again what is to be, start what may start."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

from ..core.errors import InternalError, InvalidState, PtyTasksError, SpawnFailed, TaskNotFound, TooManyTasks
from ..core.failures import consequences
from ..core.gpus import Given
from ..core.queue import plan
from ..core.states import PENDING, State
from ..core.turn import runs_again
from .mirror import Mirror

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from ..core.gpus import Gpu
    from ..core.model import Task
    from ..provision.local import LocalProvisioner
    from ..storage.database import Database
    from ..storage.groups import Groups
    from ..storage.locks import Lock
    from ..storage.task_dirs import TaskDirs
    from .mirror import Entry

#: Seconds after which a task is tried again whose last ptyhost has not left yet.
_LEAVING = 0.05
#: Seconds after which all is looked at again, even if nothing seems to have changed.
_LONG = 60.0
#: What a task is given that needs no GPU.
_NONE = Given((), 1.0)


class Work:
    """What the scheduler does with tasks. `limit` returns how many may be active, `gpus` the GPUs of the machine, None
    while that is being found out.
    """

    def __init__(
        self,
        *,
        database: Database,
        task_dirs: TaskDirs,
        groups: Groups,
        provisioner: LocalProvisioner,
        limit: Callable[[], int],
        gpus: Callable[[], Sequence[Gpu] | None],
    ) -> None:
        self._database = database
        self._task_dirs = task_dirs
        self._groups = groups
        self._provisioner = provisioner
        self._limit = limit
        self._gpus = gpus
        self._tasks = Mirror(database)
        #: What the last decisions were made from and when, and when they are made again without anything else.
        self._seen: object = None
        self._decided = 0.0
        self._look: float | None = None

    def step(self, now: float) -> float | None:
        """Do what is due at `now` (Unix seconds); return when to look again at the latest, None if nothing waits.

        Raises PtyTasksError or OSError; what was not done is done by the next step.
        """
        changed = self._tasks.refresh()
        self._provisioner.reap()
        changed |= self._take_in_ends()
        seen = (self._groups.all(), self._limit())
        # A clock that was set back does not put off what was to be looked at again.
        is_early = self._look is None or self._decided <= now < self._look
        if not changed and seen == self._seen and is_early:
            return self._look
        # If something fails, it is all done once more.
        self._seen = None
        self._look = self._decide(now)
        self._decided = now
        self._seen = seen
        return self._look

    def _decide(self, now: float) -> float | None:
        self._run_again(now)
        self._respond_to_failures(now)
        limit = self._limit()
        planned = plan(self._tasks, self._groups.all(), now, limit, self._gpus, explain=False)
        for task_id, wait in planned.cancel.items():
            self._cancel(task_id, wait.reason, wait.text, now)
        given = {task_id: planned.gpus.get(task_id, _NONE) for task_id in planned.start}
        blocked = [task_id for task_id in planned.start if not self._start(task_id, given[task_id], limit, now)]
        if not any(task.state is State.QUEUED for task in self._tasks):
            return None  # a release wakes the scheduler
        looks = [now + _LONG] if planned.look is None else [planned.look]
        if blocked or planned.is_counting or planned.cancel:
            looks.append(now + _LEAVING)
        elif planned.needs_gpus:
            looks.append(now + 1.0)  # others may come and go
        return min(looks)

    @property
    def may_run_again(self) -> bool:
        """Whether a task that runs is to be run again if it fails: the end of its ptyhost must wake a scheduler."""
        return any(task.turn.retry is not None for task in self._tasks.active.values())

    def _take_in_ends(self) -> bool:
        """Note the ends that no server has noted; return whether there were any."""
        active = [task for task in self._tasks.active.values() if task.provisioner == self._provisioner.name]
        ends = self._provisioner.poll(active)
        for task_id, changes in ends.items():
            task = self._tasks.active[task_id]
            if changes["state"] not in PENDING:
                changes["progress"] = self._task_dirs.final_progress(task, changes["state"])
            try:
                self._tasks.note(self._database.observe(task.id, task.attempt, **changes))
            except TaskNotFound:
                self._tasks.forget(task_id)
        return bool(ends)

    def _run_again(self, now: float) -> None:
        """Queue the next attempts of tasks that failed; forget the environment of those that have ended for good."""
        for task in self._tasks:
            retry = task.turn.retry
            if task.live or retry is None or task.state_reason == "restarting":
                continue
            if not runs_again(task):
                self._forget_environment(task)
                continue
            # It cannot have ended later than now: the clock was set back since.
            ended = min(task.ended or 0.0, now)
            turn = replace(task.turn, not_before=ended + retry.delay_after(task.attempt))
            try:
                queued, _ = self._database.begin_attempt(
                    task.id, task.attempt + 1, 0, self._task_dirs.specs.respec, state=State.QUEUED, turn=turn
                )
            except (TaskNotFound, InvalidState, InternalError):
                continue
            self._tasks.note(queued)

    def _forget_environment(self, task: Entry) -> None:
        """Forget the environment of a task that has ended for good, unless it is being run again at this moment, which
        needs what was kept for it.
        """
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
        """Pause groups, or cancel what waits in them, as they are configured."""
        result = consequences(self._tasks, self._groups.all())
        for name, reason in result.pause.items():
            self._groups.change(name, paused=True, reason=reason)
        for task_id, text in result.cancel.items():
            self._cancel(task_id, "group", text, now)

    def _cancel(self, task_id: str, reason: str, text: str, now: float) -> None:
        facts: dict[str, Any] = {"state_reason": reason, "state_message": text, "ended": now}
        task, moved = self._database.move(task_id, PENDING, State.CANCELLED, also=self._task_dirs.specs.respec, **facts)
        self._tasks.note(task)
        if moved:
            self._task_dirs.specs.forget_environment(task_id)

    def _start(self, task_id: str, given: Given, limit: int, now: float) -> bool:
        """Start a task on these GPUs, unless `limit` tasks are active; False if its last ptyhost, or another process
        that starts it, holds its lock.
        """
        try:
            lock = self._task_dirs.lock(task_id)
            if lock is None:
                return False
            with lock:
                task, moved = self._database.move(
                    task_id, PENDING, State.STARTING, max_live=limit, also=self._task_dirs.specs.respec,
                    gpus=given.uuids, gpu_share=given.share,
                )  # fmt: skip
                self._tasks.note(task)
                if moved:
                    # Not before: until then it can be changed.
                    env = self._task_dirs.specs.read_environment(task_id)
                    self._tasks.note(self._launch(task, lock, env, now))
        except TooManyTasks:
            return False
        except TaskNotFound:
            self._tasks.forget(task_id)
        return True

    def _launch(self, task: Task, lock: Lock, env: dict[str, str] | None, now: float) -> Task:
        """Start the ptyhost of a task, and return the task, which runs or has failed."""
        try:
            if env is None:
                raise InternalError("the environment that was kept for the task is gone; restart it")
            started = self._provisioner.launch(task, lock, env)
        except PtyTasksError as error:
            reason = "spawn_error" if isinstance(error, SpawnFailed) else error.code
            facts = {"state_reason": reason, "state_message": error.message, "ended": now}
            return self._database.observe(task.id, task.attempt, State.FAILED, **facts)
        if task.turn.retry is None:
            self._task_dirs.specs.forget_environment(task.id)
        facts = {"pid": started.pid, "host_pid": started.host_pid, "started": started.started}
        return self._database.observe(task.id, task.attempt, State.RUNNING, **facts)
