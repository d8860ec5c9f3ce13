"""The other places where the scheduler starts and polls tasks. This is done in threads, since places may be slow."""

from __future__ import annotations

import queue
import sys
import threading
import time
from dataclasses import replace

from ..core.errors import InternalError, PlaceUnreachable, PtyTasksError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any

    from ..core.model import Task
    from ..core.queue.gates import Gate
    from ..provision.base import Launched, Provisioner, Submitted
    from ..storage.locks import Lock

    _Start = tuple[Task, Lock, Mapping[str, str]]
    _Outcome = tuple[Task, Lock, Launched | Submitted | PtyTasksError]

#: Seconds between two polls of a place. All processes share its answers, but each reads the files itself.
_ASK_EVERY = 2.0
#: Retry delay for a place that does not respond, in seconds; doubled up to the second number.
_RETRY, _RETRY_MAX = 5.0, 300.0


class Places:
    """The places, by name: `find` returns the currently configured provisioner, None if there is none."""

    def __init__(self, find: Callable[[str], Provisioner | None]) -> None:
        self._find = find
        #: The tasks to start at each place, one after the other.
        self._starts: dict[str, queue.SimpleQueue[_Start]] = {}
        self._outcomes: queue.SimpleQueue[_Outcome] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[tuple[Task, dict[str, Any]]] = queue.SimpleQueue()
        #: How many tasks are being started.
        self._count = 0
        #: The last poll of each place, and its time.
        self._askers: dict[str, tuple[threading.Thread, float]] = {}
        #: The places that do not respond: number of failures in a row, when to try again (Unix seconds), and the error.
        self._failures: dict[str, tuple[int, float, str]] = {}

    @property
    def is_busy(self) -> bool:
        """Whether tasks are being started."""
        return self._count > 0

    def gates(self, names: Collection[str]) -> dict[str, Gate]:
        """Return the gates of the places with these names."""
        found = {}
        for name in names:
            provisioner = self._find(name)
            gate = provisioner.gate() if provisioner is not None else None
            if gate is not None:
                _, closed, problem = self._failures.get(name, (0, 0.0, ""))
                found[name] = replace(gate, closed=closed, problem=problem)
        return found

    def submit(self, task: Task, lock: Lock, env: Mapping[str, str]) -> None:
        """Begin to start a task; its lock stays held, and is returned by `outcomes`."""
        self._count += 1
        name = task.provisioner
        if name not in self._starts:
            self._starts[name] = queue.SimpleQueue()
            threading.Thread(target=self._start_all, args=(self._starts[name],), daemon=True).start()
        self._starts[name].put((task, lock, env))

    def _start_all(self, starts: queue.SimpleQueue[_Start]) -> None:
        while True:
            task, lock, env = starts.get()
            try:
                outcome = self._start(task, lock, env)
            except PtyTasksError as error:
                outcome = error
            except Exception as error:  # noqa: BLE001  it must not affect other tasks
                outcome = InternalError(f"the task could not be started at its place: {error!r}")
            self._outcomes.put((task, lock, outcome))

    def _start(self, task: Task, lock: Lock, env: Mapping[str, str]) -> Launched | Submitted | PtyTasksError:
        provisioner = self._find(task.provisioner)
        if provisioner is None:
            return PlaceUnreachable(f"no server has the place {task.provisioner}")
        return provisioner.launch(task, lock, env)

    def outcomes(self) -> list[_Outcome]:
        """Return the results of starts since the last call. The caller closes the locks after recording them."""
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
        """Start polling places about their tasks, except places that are being polled or have just been polled."""
        asked: dict[str, list[Task]] = {}
        for task in tasks:
            asked.setdefault(task.provisioner, []).append(task)
        now = time.monotonic()
        for name, those in asked.items():
            last, begun = self._askers.get(name, (None, -_ASK_EVERY))
            if (last is None or not last.is_alive()) and now - begun >= _ASK_EVERY:
                asker = threading.Thread(target=self._ask, args=(name, those), daemon=True)
                self._askers[name] = asker, now
                asker.start()

    def _ask(self, name: str, tasks: list[Task]) -> None:
        try:
            provisioner = self._find(name)
            if provisioner is None:
                return
            provisioner.reach()
            news = provisioner.poll(tasks)
            for task in tasks:
                if task.id in news:
                    self._news.put((task, news[task.id]))
        except PlaceUnreachable:
            pass  # their states are unknown
        except Exception as error:  # noqa: BLE001  the next poll may succeed
            print(f"the place {name} cannot be polled about its tasks: {error!r}", file=sys.stderr, flush=True)

    def news(self) -> list[tuple[Task, dict[str, Any]]]:
        """Return the news since the last call: tasks as they were when polled, and their changes (Provisioner.poll)."""
        found = []
        while not self._news.empty():
            found.append(self._news.get())
        return found
