"""The batch systems to which the scheduler submits tasks, and what they say of them: in threads, because they may take
long to answer, and nothing else is to wait for that.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from dataclasses import replace

from ..core.errors import InternalError, PlaceUnreachable, PtyTasksError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ..core.model import Task
    from ..core.queue.gates import Gate
    from ..provision.base import Launched, Provisioner, Submitted
    from ..storage.locks import Lock

    _Start = tuple[Task, Lock, Mapping[str, str]]
    _Outcome = tuple[Task, Lock, Launched | Submitted | PtyTasksError]

#: Seconds between two questions about all tasks of a place: what it says is shared by all processes, its files are not.
_ASK_EVERY = 2.0
#: Seconds until a place is tried again that has not answered; doubled up to the second number.
_RETRY, _RETRY_MAX = 5.0, 300.0


class Places:
    """The places, by name: `find` returns their provisioners as they are configured now."""

    def __init__(self, find: Callable[[], Mapping[str, Provisioner]]) -> None:
        self._find = find
        self._starts: queue.SimpleQueue[_Start] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[_Outcome] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[tuple[Task, dict[str, Any]]] = queue.SimpleQueue()
        self._submitter: threading.Thread | None = None
        #: How many tasks are being submitted.
        self._count = 0
        self._asker: threading.Thread | None = None
        self._asked = -_ASK_EVERY
        #: Of the places that have not answered: how often in a row, until when they are left alone, and why.
        self._failures: dict[str, tuple[int, float, str]] = {}

    @property
    def is_busy(self) -> bool:
        """Whether tasks are being submitted."""
        return self._count > 0

    def gates(self) -> dict[str, Gate]:
        """Return the ways to the places."""
        found = {}
        for name, provisioner in self._find().items():
            gate = provisioner.gate()
            if gate is not None:
                _, closed, problem = self._failures.get(name, (0, 0.0, ""))
                found[name] = replace(gate, closed=closed, problem=problem)
        return found

    def submit(self, task: Task, lock: Lock, env: Mapping[str, str]) -> None:
        """Begin to submit a task; its lock, which is held, goes with it to `outcomes`."""
        self._count += 1
        self._starts.put((task, lock, env))
        if self._submitter is None:
            self._submitter = threading.Thread(target=self._submit_all, daemon=True)
            self._submitter.start()

    def _submit_all(self) -> None:
        while True:
            task, lock, env = self._starts.get()
            try:
                outcome: Launched | Submitted | PtyTasksError = self._find()[task.provisioner].launch(task, lock, env)
            except PtyTasksError as error:
                outcome = error
            except Exception as error:  # noqa: BLE001  whatever it is, the next one may do better
                outcome = InternalError(f"the task could not be submitted: {error!r}")
            self._outcomes.put((task, lock, outcome))

    def outcomes(self) -> list[_Outcome]:
        """Return what has become of submissions since the last call. The caller closes the locks when that is noted."""
        found = []
        while not self._outcomes.empty():
            task, lock, outcome = self._outcomes.get()
            self._count -= 1
            found.append((task, lock, outcome))
            if isinstance(outcome, PlaceUnreachable):
                count = self._failures.get(task.provisioner, (0, 0.0, ""))[0] + 1
                closed = time.time() + min(_RETRY * 2 ** (count - 1), _RETRY_MAX)
                self._failures[task.provisioner] = (count, closed, outcome.message)
            else:
                self._failures.pop(task.provisioner, None)
        return found

    def ask(self, tasks: Iterable[Task]) -> None:
        """Begin to ask what has become of tasks at the places, unless that is being done, or has just been."""
        asked = list(tasks)
        is_asking = self._asker is not None and self._asker.is_alive()
        if not asked or is_asking or time.monotonic() - self._asked < _ASK_EVERY:
            return
        self._asked = time.monotonic()
        self._asker = threading.Thread(target=self._ask, args=(asked,), daemon=True)
        self._asker.start()

    def _ask(self, tasks: list[Task]) -> None:
        try:
            for name, provisioner in self._find().items():
                news = provisioner.poll([task for task in tasks if task.provisioner == name])
                for task in tasks:
                    if task.id in news:
                        self._news.put((task, news[task.id]))
        except Exception as error:  # noqa: BLE001  whatever it is, the next question may be answered
            print(f"what has become of tasks cannot be found out: {error!r}", file=sys.stderr, flush=True)

    def news(self) -> list[tuple[Task, dict[str, Any]]]:
        """Return what was said since the last call: tasks as they were then, and how they change (Provisioner.poll)."""
        found = []
        while not self._news.empty():
            found.append(self._news.get())
        return found
