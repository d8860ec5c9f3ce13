"""Stores the outcomes of tasks: states at other places, failed starts, and how tasks ended."""

from __future__ import annotations

import sys

from ..core.errors import InvalidState, PlaceUnreachable, PtyTasksError, SpawnFailed, StartUnknown, TaskNotFound
from ..core.queue.decisions import awaited
from ..core.states import State
from ..provision.base import Launched, Submitted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..core.model import Task
    from ..storage.database import Database
    from ..storage.task_dirs import TaskDirs
    from .mirror import Mirror
    from .places import Places


class Reports:
    """Writes to `database`, and updates `tasks`. Methods raise PtyTasksError; updates that are lost are found again."""

    def __init__(self, database: Database, task_dirs: TaskDirs, tasks: Mirror) -> None:
        self._database = database
        self._task_dirs = task_dirs
        self._tasks = tasks

    def follow(self, places: Places, local: str, now: float) -> bool:
        """Store the news of tasks at `places`, which are all places except `local`, and poll these about tasks that
        others may depend on; return whether there were news.
        """
        elsewhere = [task for task in self._tasks.underway.values() if task.provisioner != local]
        if elsewhere:
            wanted = awaited(self._tasks, elsewhere)
            places.ask(task for task in elsewhere if task.id in wanted)
        outcomes, news = places.outcomes(), places.news()
        for task, lock, outcome in outcomes:
            with lock:
                self._note_start(task, outcome, now)
        for task, changes in news:
            known = self._tasks.underway.get(task.id)
            if known is None or (known.state, known.attempt) != (task.state, task.attempt):
                continue  # it has changed since the poll
            if task.state is State.STARTING and changes["state"].pending and self._task_dirs.is_hosted(task):
                continue  # it has been started again since the poll
            try:
                self._take_news(task, changes)
            except (TaskNotFound, InvalidState):
                self._tasks.distrust()  # another process has changed the task
        return bool(outcomes or news)

    def _note_start(self, task: Task, outcome: Launched | Submitted | PtyTasksError, now: float) -> None:
        """Record the result of a start at another place. If it is unknown, the place is polled."""
        if isinstance(outcome, StartUnknown):
            return
        if isinstance(outcome, Submitted):
            self._tasks.note(self._database.observe(task.id, task.attempt, **outcome.changes))
        elif isinstance(outcome, Launched):
            self._tasks.note(self._database.observe(task.id, task.attempt, State.RUNNING, **outcome.facts()))
            if task.turn.retry is None:
                self._task_dirs.specs.forget_environment(task.id)
        elif isinstance(outcome, PlaceUnreachable):
            facts = {"state_reason": outcome.code, "state_message": outcome.message}
            self._tasks.note(self._database.observe(task.id, task.attempt, State.QUEUED, **facts))
        elif isinstance(outcome, PtyTasksError):
            self.fail_start(task, outcome, now)

    def fail_start(self, task: Task, error: PtyTasksError, now: float) -> None:
        """Store that a task could not be started."""
        reason = "spawn_error" if isinstance(error, SpawnFailed) else error.code
        facts = {"state_reason": reason, "state_message": error.message, "ended": now}
        self._tasks.note(self._database.observe(task.id, task.attempt, State.FAILED, **facts))
        if task.turn.retry is None:
            self._task_dirs.specs.forget_environment(task.id)

    def _take_news(self, task: Task, news: dict[str, Any]) -> None:
        """Store the news of a place about a task (Provisioner.poll), like the supervisors of servers."""
        state = news["state"]
        attempt = news.pop("attempt", task.attempt)
        if attempt != task.attempt:
            again = self._database.run_again(task.id, attempt, also=self._task_dirs.specs.respec, **news)
            self._tasks.note(again)
            return
        if state is task.state:
            changed = {name: value for name, value in news.items() if getattr(task, name) != value}
            if changed:
                self._tasks.note(self._database.move(task.id, {state}, **{"state": state, **changed})[0])
            return
        if task.pending and not (state.pending or state is State.STARTING):
            self._database.observe(task.id, task.attempt, State.STARTING)
        if not state.live:
            self.complete(task, news)
        self._tasks.note(self._database.observe(task.id, task.attempt, **news))

    def complete(self, task: Task, changes: dict[str, Any]) -> None:
        """Add the reason from the output to the changes with which a task ends."""
        changes["progress"] = self._task_dirs.final_progress(task, changes["state"])
        changes.update(self._explained(task, changes))

    def _explained(self, task: Task, changes: dict[str, Any]) -> dict[str, Any]:
        """Return why a task failed, as changes; none if its output cannot be read, in which case a server retries."""
        if changes["state"] not in (State.FAILED, State.TIMED_OUT):
            return {}
        from ..storage.endings import explained  # noqa: PLC0415  it imports the terminal, and few tasks fail

        try:
            return explained(self._task_dirs, task, changes)
        except Exception as error:  # noqa: BLE001  the end must be stored in any case
            print(f"task {task.id}: the end of its output cannot be read: {error!r}", file=sys.stderr, flush=True)
            return {}
