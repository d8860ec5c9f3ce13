"""Tags are added to what a task has by then, to one or to many: all or none."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core.labels import TAGS_MAX

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Rest

FULL = [f"tag {number}" for number in range(TAGS_MAX)]


async def test_tags_that_are_added_at_the_same_time_are_all_kept(rest: Rest) -> None:
    ids = [(await rest.create("sleep 100", name=name, tags=["new"]))["id"] for name in ("one", "two", "three")]

    async def one_by_one(writer: str) -> None:
        for number in range(4):
            for task_id in ids:
                answer = await rest("PATCH", "tasks", task_id, body={"add_tags": [f"{writer} {number}"]})
                assert answer.code == 200

    async def together() -> None:
        for number in range(4):
            answer = await rest("PATCH", "tasks", body={"tasks": ids, "add_tags": [f"all {number}"]})
            assert sorted(answer.json["changed"]) == sorted(ids)
        answer = await rest("PATCH", "tasks", body={"tasks": ids, "remove_tags": ["new", "nothing"]})
        assert sorted(answer.json["changed"]) == sorted(ids)

    await asyncio.gather(one_by_one("first"), one_by_one("second"), together())
    wanted = {f"{writer} {number}" for writer in ("first", "second", "all") for number in range(4)}
    for task_id in ids:
        assert sorted((await rest.get(task_id))["tags"]) == sorted(wanted)


async def test_many_are_changed_all_or_none(rest: Rest, jp_data_dir: Path) -> None:
    def spec(task_id: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((jp_data_dir / "ptytasks" / "tasks" / task_id / "spec.json").read_bytes())
        return found

    one = (await rest.create("sleep 100", name="one", tags=["a"]))["id"]
    full = (await rest.create("sleep 100", name="full", tags=FULL))["id"]
    before = spec(one)
    answer = await rest("PATCH", "tasks", body={"tasks": [one, full], "add_tags": ["b"]})
    assert (answer.code, answer.json["field"]) == (400, "add_tags")
    assert "'full' would have 33 tags" in answer.json["message"]
    assert (await rest.get("one"))["tags"] == ["a"]
    assert spec(one) == before

    change = {"tasks": [one, full, one, "gone"], "remove_tags": [FULL[0]], "add_tags": ["b", "b"], "pinned": True}
    assert (await rest("PATCH", "tasks", body=change)).json == {"changed": [one, full]}
    assert (await rest("PATCH", "tasks", body=change)).json == {"changed": []}
    assert ((await rest.get("one"))["tags"], (await rest.get("one"))["pinned"]) == (["a", "b"], True)
    assert (await rest.get("full"))["tags"] == [*FULL[1:], "b"]
    # A database that is rebuilt from the directories knows it, too; nothing else is said there.
    assert spec(one) == {**before, "tags": ["a", "b"], "pinned": True}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"add_tags": [""]}, "add_tags.0"),
        ({"add_tags": ["fine", "x" * 129]}, "add_tags.1"),
        ({"remove_tags": ["\n"]}, "remove_tags.0"),
        ({"add_tags": FULL, "remove_tags": [FULL[3]]}, "remove_tags"),
        ({"add_tags": [*FULL, "b"]}, "add_tags"),
        ({"add_tags": FULL}, "add_tags"),
        ({"add_tags": "b"}, "add_tags"),
    ],
)
async def test_a_wrong_tag_is_named(rest: Rest, change: dict[str, Any], field: str) -> None:
    task = await rest.create("true", name="one", tags=["a"])
    for answer in (
        await rest("PATCH", "tasks", "one", body=change),
        await rest("PATCH", "tasks", body={"tasks": [task["id"]], **change}),
    ):
        assert (answer.code, answer.json["field"]) == (400, field)
    assert (await rest.get("one"))["tags"] == ["a"]


async def test_tags_are_replaced_or_changed(rest: Rest) -> None:
    await rest.create("sleep 100", name="one", tags=["a"], hold=True)
    change = {"tags": ["b"], "add_tags": ["c"], "command": "true"}
    answer = await rest("PATCH", "tasks", "one", body=change)
    assert (answer.code, answer.json["field"]) == (400, "add_tags")
    assert (await rest.get("one"))["command"] == "sleep 100"
    change = {"add_tags": ["c"], "remove_tags": ["a"], "command": "true"}
    answer = await rest("PATCH", "tasks", "one", body=change)
    assert (answer.json["command"], answer.json["tags"]) == ("true", ["c"])
    assert (await rest("PATCH", "tasks", body={"add_tags": ["c"]})).json["field"] == "tasks"
    assert (await rest("PATCH", "tasks", body={"tasks": [], "name": "x"})).json["field"] == "name"
