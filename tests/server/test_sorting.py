"""Sorted and paginated lists of tasks, and lists with only some fields."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.errors import BadRequest
from jupyter_ptytasks.core.model import Exit, Kind, Task
from jupyter_ptytasks.core.states import State
from jupyter_ptytasks.server.rest.order import Order
from jupyter_ptytasks.server.serialize import FIELDS
from tests.server.test_contract import sample

if TYPE_CHECKING:
    from tests.server.conftest import Rest

NOW = 1.8e9
FIELDS_TO_SORT_BY = [
    "name",
    "state",
    "why",
    "group",
    "tags",
    "command",
    "memory",
    "git",
    "created",
    "started",
    "ended",
    "duration",
    "params.lr",
    "metrics.loss",
    "min.loss",
    "max.a.b",
]
moments = st.none() | st.sampled_from([NOW - 30, NOW - 20, NOW - 10, NOW - 0.5]) | st.just("of another version")
numbers = st.sampled_from([0.5, 1, -2.5, "NaN", "Infinity", None])
abouts = st.fixed_dictionaries({
    "name": st.sampled_from(["a", "A", "b", "é", "日本", "a\udcff"]),
    "state": st.sampled_from(State),
    "state_message": st.sampled_from(["", "ValueError: x", "disk full"]),
    "exit": st.sampled_from([Exit(), Exit(code=0), Exit(code=2), Exit(signal="SIGKILL")]),
    "group": st.sampled_from(["default", "gpu"]),
    "tags": st.sampled_from([(), ("b",), ("A", "b")]),
    "command": st.sampled_from(["true", ("a", "b"), "x" * 999 + "1", "x" * 999 + "0"]),
    "usage": st.sampled_from([{}, {"peak": {"rss": None}}, {"peak": {"rss": 5}}, {"peak": {"rss": 7.5}}]),
    "git": st.sampled_from([None, {"commit": "abc", "dirty": True}, {"commit": "012"}]),
    "started": moments,
    "ended": moments,
    "params": st.dictionaries(st.just("lr"), st.sampled_from([0.1, 2, True, "auto", "0.1"])),
    "metrics": st.none() | st.dictionaries(
        st.sampled_from(["loss", "a.b"]), st.fixed_dictionaries({"value": numbers, "min": numbers, "max": numbers})
    ),
})  # fmt: skip


def made(number: int, **about: Any) -> Task:
    task = Task(
        id=f"{number:08}", name="t", command="true", kind=Kind.COMMAND, cwd="/", state=State.RUNNING,
        created=NOW - number, provisioner="local",
    )  # fmt: skip
    return task.with_(**about)


def order_of(sort: str, cursor: str | None = None, now: float = NOW) -> Order:
    return Order(sort, cursor, now=now, metrics=lambda task: task.metrics or {}, usage=lambda task: task.usage)


@given(
    tasks=st.lists(abouts, max_size=20),
    sort=st.sampled_from(FIELDS_TO_SORT_BY),
    size=st.integers(1, 5),
    minus=st.booleans(),
)
def test_pages_are_the_list_and_no_task_is_lost(tasks: list[dict[str, Any]], sort: str, size: int, minus: bool) -> None:
    newest_first = [made(number, **about) for number, about in enumerate(tasks)][::-1]
    sort = f"-{sort}" if minus else sort
    whole = order_of(sort).arrange(newest_first)
    assert {task.id for task in whole} == {task.id for task in newest_first}
    assert len(whole) == len(newest_first)
    paged: list[Task] = []
    cursor = None
    for page in range(len(tasks) + 1):
        # What still runs has run longer when the next page is asked for.
        order = order_of(sort, cursor, NOW + page * 7.5)
        found = order.arrange(newest_first)[:size]
        if not found:
            break
        paged += found
        cursor = order.cursor(found[-1])
    assert [task.id for task in paged] == [task.id for task in whole]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", "dbcea"),
        ("-name", "aecbd"),
        ("created", "edcba"),
        ("started", "abdce"),
        ("-ended", "dbaec"),
        ("duration", "bdcae"),
        ("-duration", "acdbe"),
        ("metrics.loss", "cbaed"),
        ("-metrics.loss", "abced"),
        ("min.loss", "abced"),
        ("max.loss", "edcba"),
    ],
)
def test_the_order_of_some_tasks(sort: str, expected: str) -> None:
    tasks = [
        made(1, name="Zeta", started=NOW - 40, ended=NOW - 30, metrics={"loss": {"value": 3, "min": 0.1, "max": None}}),
        made(2, name="beta", started=NOW - 30, ended=NOW - 28, metrics={"loss": {"value": 2, "min": 0.2, "max": None}}),
        made(3, name="Beta 2", started=NOW - 9, metrics={"loss": {"value": 1, "min": 0.3, "max": None}}),
        made(
            4,
            name="alpha",
            started=NOW - 20,
            ended=NOW - 15,
            metrics={"loss": {"value": "NaN", "min": None, "max": None}},
        ),
        made(5, name="yes"),
    ]
    found = order_of(sort).arrange(tasks[::-1])
    assert "".join("_abcde"[int(task.id)] for task in found) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("state", "dacb"),
        ("-state", "cbad"),
        ("why", "bcda"),
        ("-why", "cbda"),
        ("group", "adcb"),
        ("tags", "bacd"),
        ("command", "dacb"),
        ("memory", "bcda"),
        ("-memory", "cbda"),
        ("git", "abdc"),
    ],
)
def test_more_sort_keys_of_tasks(sort: str, expected: str) -> None:
    small, large, none = ({"peak": {"rss": rss}} for rss in (5, 7, None))
    long, reason = "c" * 300, "ValueError: x"
    tasks = [
        made(1, state=State.SUCCEEDED, exit=Exit(code=0), group="a", tags=("b",), command="b", git={"commit": "01"}),
        made(2, state=State.FAILED, exit=Exit(code=2), tags=("a", "c"), command=f"{long}2", usage=small,
             git={"commit": "ab"}),
        made(3, state=State.FAILED, state_message=reason, tags=("B", "c"), command=f"{long}1", usage=large),
        made(4, group="b", command=("A", "b"), usage=none),
    ]  # fmt: skip
    found = order_of(sort).arrange(tasks[::-1])
    assert "".join("_abcd"[int(task.id)] for task in found) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("params.lr", [0.001, 0.01, 1, "auto", None]), ("-params.lr", ["auto", 1, 0.01, 0.001, None])],
)
def test_numbers_of_a_parameter_come_before_texts(sort: str, expected: list[Any]) -> None:
    given = ["auto", 0.01, None, 1, 0.001]
    tasks = [made(number, params={} if lr is None else {"lr": lr}) for number, lr in enumerate(given)]
    assert [task.params.get("lr") for task in order_of(sort).arrange(tasks)] == expected


def test_a_cursor_of_another_order_is_refused() -> None:
    cursor = order_of("name").cursor(made(1))
    order_of("name", cursor)
    for sort, wrong in (("-name", cursor), ("started", cursor), ("name", "é"), ("name", "W10"), ("name", cursor[:-3])):
        with pytest.raises(BadRequest) as refused:
            order_of(sort, wrong)
        assert refused.value.field == "cursor"


def test_the_fields_are_those_of_the_samples() -> None:
    assert sample("task").keys() == FIELDS.keys()


async def test_the_route(rest: Rest) -> None:
    names = [f"run {number}" for number in range(6)]
    random.Random(1).shuffle(names)
    for name in names:
        number = name[-1]
        await rest.create(f"for n in 1 2 3; do echo step $n loss {number}.$n; done", name=name, group="sorted")
        await rest.wait(name)
    said: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = (
            await rest("GET", "tasks", group="sorted", sort="-metrics.loss", fields="name,state", limit=4, **cursor)
        ).json
        assert all(task.keys() == {"id", "name", "state"} for task in page["tasks"])
        said += [task["name"] for task in page["tasks"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert said == [f"run {number}" for number in (5, 4, 3, 2, 1, 0)]
    third = await rest.get(names[2])
    later = (await rest("GET", "tasks", group="sorted", sort="name", since=third["ended"])).json["tasks"]
    assert [task["name"] for task in later] == sorted(names[2:])
    for wrong in ({"sort": "color"}, {"fields": "id,color"}, {"sort": "name", "cursor": third["id"]}, {"since": "now"}):
        answer = await rest("GET", "tasks", **wrong)
        assert (answer.code, answer.json["field"]) == (400, list(wrong)[-1])
    refused = (await rest("GET", "tasks", sort="color")).json["message"]
    assert refused.startswith("sort: must be name, state, why, ")
    assert json.loads((await rest("GET", "tasks", sort="ended", limit=1)).body)["tasks"][0].keys() == FIELDS.keys()
