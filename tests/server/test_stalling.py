"""Stalled tasks get a warning, which is withdrawn when they continue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jupyter_ptytasks.core import sentinels

if TYPE_CHECKING:
    import pytest

    from tests.server.conftest import Rest
    from tests.server.serving import Served

#: Makes steps, then one for each file that comes.
STEPS = (
    "for n in 1 2 3 4; do echo step $n loss 0.$n; sleep 0.6; done; "
    'until [ -e "$PTYTASK_ID.go" ]; do sleep 0.02; done; '
    "for n in 5 6 7; do echo step $n loss nan; done; sleep 600"
)


def kinds(task: Any) -> list[str]:
    """What is wrong with a task."""
    return [one["kind"] for one in task["warnings"]]


async def test_a_silent_task_has_stalled_until_it_continues(
    rest: Rest, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentinels, "_LEAST", 1.0)
    monkeypatch.setattr(sentinels, "_STEPS", 2)
    task = await rest.create(STEPS, name="train")
    # It prints, but has no steps.
    await rest.create("while echo busy; do sleep 0.1; done", name="prints")
    await rest.create("echo nothing; sleep 600", name="serves")
    found = await rest.until("train", lambda task: kinds(task) == ["stalled"])
    assert found["warnings"][0]["since"] >= found["started"]
    assert found["warnings"][0]["message"].startswith("no output and no new step for more than")

    (served.root_dir / f"{task['id']}.go").touch()
    await rest.until("train", lambda task: "stalled" not in kinds(task))
    found = await rest.until("train", lambda task: task["metrics"]["loss"]["step"] == 7)
    [warning] = [one for one in found["warnings"] if one["metric"]]
    assert (warning["metric"], warning["message"]) == ("loss", "loss is NaN (since step 5)")
    # What is wrong with the numbers is still known when it has ended; silence is no fault then.
    await rest("POST", "tasks", "train", "stop", body={"signals": ["SIGKILL"]})
    assert kinds(await rest.wait("train")) == ["not_a_number"]
    for name in ("prints", "serves"):
        assert kinds(await rest.get(name)) == []

    async def warned(kind: str) -> list[str]:
        return [one["name"] for one in (await rest("GET", "tasks", warning=kind)).json["tasks"]]

    assert (await warned("stalled"), await warned("stalled,not_a_number")) == ([], ["train"])
    lines = (await rest("GET", "search", q="step", warning="not_a_number")).body.splitlines()
    assert {json.loads(line).get("name") for line in lines} == {"train", None}
    assert (await rest("GET", "tasks", warning="slow")).json["field"] == "warning.0"
