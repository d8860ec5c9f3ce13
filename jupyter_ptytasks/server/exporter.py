"""Metrics of tasks on Jupyter Server's `/metrics` (Prometheus): numbers, no names.

A scrape computes nothing: the numbers are updated on changes.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ..core.states import ENDED, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client import Metric

    from .changes import Change
    from .hosts.supervisor import Supervisor
    from .housekeeping import Housekeeping
    from .queueing import Queue
    from .store import Store


class Exporter(Collector):
    """The metrics of one server. `close` it: the registry belongs to the whole process."""

    def __init__(self, store: Store, queue: Queue, supervisor: Supervisor, housekeeping: Housekeeping) -> None:
        self._store = store
        self._queue = queue
        self._supervisor = supervisor
        self._housekeeping = housekeeping
        #: How many tasks have ended in each state since the server started, and how many bytes they have written.
        self._ends: Counter[State] = Counter()
        self._output = 0
        #: The offset up to which the output of each active task was counted.
        self._counted: dict[str, int] = {}
        store.listeners.append(self._on_change)
        supervisor.on_output.append(self._on_output)
        REGISTRY.register(self)

    def close(self) -> None:
        """Stop exporting."""
        REGISTRY.unregister(self)
        self._supervisor.on_output.remove(self._on_output)
        self._store.listeners.remove(self._on_change)

    def collect(self) -> Iterator[Metric]:
        """Return all metrics, as they are now."""
        tasks = GaugeMetricFamily("ptytasks_tasks", "Tasks in each state.", labels=["state"])
        for state, count in self._store.counts.items():
            tasks.add_metric([state.value], count)
        yield tasks
        ends = CounterMetricFamily("ptytasks_ends", "Tasks that have ended, by final state.", labels=["state"])
        for state in sorted(ENDED):
            ends.add_metric([state.value], self._ends[state])
        yield ends
        waiting = self._queue.waiting
        yield GaugeMetricFamily("ptytasks_queue_waiting", "Tasks that wait for the scheduler.", value=waiting)
        yield CounterMetricFamily("ptytasks_output_bytes", "Bytes that tasks have written.", value=self._output)
        used = self._housekeeping.used
        yield GaugeMetricFamily("ptytasks_storage_bytes", "Bytes on disk of finished tasks.", value=used)

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the registry must not collect all metrics just to learn their names."""
        return ()

    def _on_change(self, change: Change) -> None:
        old, new = change.old, change.new
        if new is None:
            self._counted.pop(change.task_id, None)
            return
        if new.state is State.STARTING:
            self._counted.setdefault(new.id, new.output.end)
        elif not new.active and new.id in self._counted:
            self._count(new.id, new.output.end)
            del self._counted[new.id]
        if old is not None and old.live and not new.live:
            self._ends[new.state] += 1

    def _on_output(self, task_id: str) -> None:
        link = self._supervisor.link(task_id)
        if link is not None:
            self._count(task_id, link.output.end)

    def _count(self, task_id: str, end: int) -> None:
        """Count the output of a task, except what it wrote before this server saw it."""
        self._output += max(end - self._counted.get(task_id, end), 0)
        self._counted[task_id] = end
