"""Metrics in what programs have printed (tests/data): how many are found, how many invented, and what that costs."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from benchmarks.results import Must, Row, Series
from jupyter_ptytasks.core.metrics import MetricsReader
from tests.core.recorded_metrics import ALSO, OTHERS, TRAININGS, data_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.plan import Plan

_SIZE = 4096
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[^\[\]])")

#: Katib's and guild's own expressions, and that of most examples for SageMaker, with any name in place of one that is
#: listed beforehand.
_PEERS = {
    "Katib's expression": re.compile(r"([\w|-]+)\s*=\s*([+-]?\d*(?:\.\d+)?(?:[Ee][+-]?\d+)?)"),
    "guild's": re.compile(r"^([^ \t]+):\s+([0-9.e-]+)$"),
    "SageMaker's usual": re.compile(r"([\w-]+): ([0-9.]+)"),
}


def captures(plan: Plan) -> Iterator[Row]:
    """The recorded trainings, and what is none."""
    plan.say("metrics in what programs have printed")
    others = [*(f"metrics/{name}" for name in OTHERS), *ALSO]
    finders: dict[str, Callable[[bytes], set[str]]] = {"ours": _ours}
    finders.update({name: _finder(expression) for name, expression in _PEERS.items()})
    shares, false = {}, {}
    for name, find in finders.items():
        told = [_found(told.split(), find(data_of(training))) for training, told in TRAININGS.items()]
        shares[name] = Series((sum(map(sum, told)) / sum(map(len, told)),), "ratio")
        false[name] = Series((float(sum(len(find(data_of(other))) for other in others)),), "series")
    for what, measured, must in (
        (f"metrics found, of those in {len(TRAININGS)} recorded trainings", shares, Must(0.9, "ratio", at_least=True)),
        (f"metrics found in {len(others)} recordings of other programs", false, Must(1, "series")),
    ):
        mine = measured.pop("ours")
        yield Row(what, mine, mine, measured, must)
    costs = {training: _cost(data_of(training)) for training in TRAININGS}
    slowest = max(costs, key=lambda training: costs[training].median)
    every = Series(tuple(value for cost in costs.values() for value in cost.values), "s")
    note = f"CPU time, in the slowest recording: {slowest.partition('/')[2]}"
    yield Row("reading metrics in 4 KiB", costs[slowest], costs[slowest], {"all": every}, Must(0.01, "s"), note)


def _ours(data: bytes) -> set[str]:
    reader = MetricsReader()
    reader.feed(data, 1.0)
    reader.end(True, 2.0)
    return {one.name for one in reader.series}


def _finder(expression: re.Pattern[str]) -> Callable[[bytes], set[str]]:
    """Return what finds names by an expression: as here, those that come back with another value."""

    def find(data: bytes) -> set[str]:
        values = defaultdict(list)
        for line in re.split(r"[\r\n]+", _ESCAPES.sub("", data.decode("utf-8", "replace"))):
            for name, value in expression.findall(line):
                values[name].append(value)
        return {name for name, seen in values.items() if len(seen) > 2 and len(set(seen)) > 1}

    return find


def _found(wanted: list[str], names: set[str]) -> list[bool]:
    """Return which of the wanted names are among others; those need not say of what a loss is one."""
    known = {_key(name) for name in names}
    return [any(f"_{_key(name)}".endswith(f"_{one}") for one in known) for name in wanted]


def _key(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_").lower()


def _cost(data: bytes) -> Series:
    """Return the CPU time for each 4 KiB of a recording, which is repeated if it is shorter."""
    data = data * (4 * _SIZE // len(data) + 1)
    reader = MetricsReader()
    took = []
    for at in range(0, len(data) - _SIZE, _SIZE):
        began = time.thread_time()
        reader.feed(data[at : at + _SIZE], float(at))
        took.append(time.thread_time() - began)
    return Series(tuple(took), "s")
