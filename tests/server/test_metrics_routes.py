"""Metrics of tasks: reported while they run, kept across server restarts, and stored at their end."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import yaml

from jupyter_ptytasks.server.events import SCHEMA_FILES, TASK_PROGRESS
from jupyter_ptytasks.server.monitor.metrics import MetricsBook, Recorder
from tests.client.live import LiveServer, ended, until

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.server.conftest import Rest
    from tests.server.serving import Served

SCHEMA = yaml.safe_load(Path(SCHEMA_FILES[1]).read_text(encoding="utf-8"))
#: Shell lines: tell steps, and wait for a file.
TELL = 'tell() { for n in $(seq $1 $2); do echo "step $n loss 0.$n acc=$n.5"; done; }; '
WAIT = 'until [ -e "$PTYTASK_ID.go" ]; do sleep 0.02; done; '


def last(task: Any, name: str = "loss") -> tuple[Any, Any] | None:
    """The last step and value of a metric."""
    told = task["metrics"].get(name)
    return told and (told["step"], told["value"])


async def test_they_move_while_the_task_runs_and_stay_when_it_has_ended(rest: Rest, served: Served) -> None:
    task = await rest.create(f"{TELL}tell 11 15; {WAIT}tell 16 19; exit 3", name="train")
    await rest.until("train", lambda task: last(task) == (15, 0.15))
    (served.root_dir / f"{task['id']}.go").touch()
    ended = await rest.wait("train")
    assert ended["metrics"]["loss"].items() >= {"value": 0.19, "step": 19, "min": 0.11, "max": 0.19}.items()
    assert ended["metrics"]["loss"]["trend"] == [n / 100 for n in range(11, 20)]
    assert list(ended["metrics"]) == ["loss", "acc"]
    [one] = (await rest("GET", "tasks", "train", "metrics", names="loss", since=16)).json["metrics"]
    assert (one["name"], one["count"], one["steps"], one["values"]) == ("loss", 9, [17, 18, 19], [0.17, 0.18, 0.19])


async def test_settings_control_how_they_are_read(rest: Rest) -> None:
    lines = 'for n in 1 2 3; do echo "step $n loss $n.5 quality is $n.25%"; done'
    chosen = {"pattern": r"step (?P<step>\d+).*quality is (?P<quality>\S+)%"}
    for name, how, found in (("pattern", chosen, {"quality"}), ("off", {"off": True}, set())):
        await rest.create(lines, name=name, metrics=how)
        assert set((await rest.wait(name))["metrics"]) == found
    again = (await rest("POST", "tasks", "pattern", "again", body={"name": "again"})).json
    assert set((await rest.wait(again["id"]))["metrics"]) == {"quality"}
    for wrong in ("loss", "(?P<loss>", "(?P<a>x)" * 999):
        answer = await rest("POST", "tasks", body={"command": "true", "metrics": {"pattern": wrong}})
        assert (answer.code, answer.json["field"]) == (400, "metrics.pattern")


async def test_a_slow_pattern_delays_no_other_search(rest: Rest) -> None:
    await rest.create(
        f"for n in 1 2 3 4; do printf '%0500d!\\n' 0; done; {TELL}tell 1 3",
        name="astray",
        metrics={"pattern": r"(?P<x>(0+)+)$|loss (?P<loss>\S+)"},
    )
    assert last(await rest.wait("astray")) == (2, 0.3)


async def test_what_is_logged_counts_and_an_attempt_is_not_another(rest: Rest, served: Served) -> None:
    script = served.root_dir / "train.py"
    script.write_text(
        "import os\nfrom jupyter_ptytasks import log\n"
        "for n in range(3): log({'val/acc': n / 4}, loss=float('nan') if n == 1 else 1 / (n + 1), step=n * 10)\n"
        "print('step 1 other=0.5'); open('second', 'a').close()\n"
    )
    await rest.create(f"[ -e second ] && {{ {TELL}tell 1 4; exit; }}; exec $PTYTASK_PYTHON {script.name}", name="logs")
    first = await rest.wait("logs")
    assert first["metrics"]["loss"].items() >= {"step": 20, "min": 1 / 3, "max": 1}.items()
    [_, loss] = (await rest("GET", "tasks", "logs", "metrics")).json["metrics"]
    assert loss["values"] == [1, "NaN", 1 / 3]
    await rest("POST", "tasks", "logs", "restart")
    second = await rest.until("logs", lambda task: task["attempt"] == 2 and task["ended"])
    assert set(second["metrics"]) == {"loss", "acc"}
    told = (await rest("GET", "tasks", "logs", "metrics", points=4)).json
    assert (told["attempt"], told["attempts"], told["metrics"][0]["steps"]) == (2, [1, 2], [1, 2, 3, 4])
    earlier = (await rest("GET", "tasks", "logs", "metrics", attempt=1)).json
    assert [one["name"] for one in earlier["metrics"]] == ["val/acc", "loss"]


async def test_a_shell_has_none(rest: Rest) -> None:
    await rest.create(name="sh")
    await rest("POST", "tasks", "sh", "input", body={"data": f"{TELL}tell 1 5; echo do''ne", "newline": True})
    await rest.until_output("sh", "done")
    assert (await rest.get("sh"))["metrics"] == {}
    assert (await rest("GET", "tasks", "sh", "metrics")).json["metrics"] == []


async def test_events_have_them_as_their_schema_says(rest: Rest, jp_serverapp: Any) -> None:
    heard: list[dict[str, Any]] = []

    async def hear(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        heard.append(data)

    jp_serverapp.event_logger.add_listener(schema_id=TASK_PROGRESS, listener=hear)
    await rest.create(f"{TELL}tell 1 3; echo step 4 loss nan; exec sleep 1000", name="train")
    await rest.until("train", lambda task: last(task) == (4, "NaN"))
    deadline = time.monotonic() + 60
    while not any(data["metrics"].get("loss", {}).get("value") == "NaN" for data in heard):
        assert time.monotonic() < deadline, heard
        await asyncio.sleep(0.01)
    for data in heard:
        jsonschema.validate(data, {**SCHEMA, "additionalProperties": False})


# -- without a server -------------------------------------------------------------------------------------------------


def test_a_restarted_server_continues_where_it_stopped(
    start_server: Callable[..., LiveServer],
) -> None:
    live = start_server()
    with live.client() as client:
        task = client.create(f"{TELL}tell 10 13; {WAIT}tell 14 17; rm $PTYTASK_ID.go; {WAIT}", name="train")
        until(lambda: last(client.get("train")) == (13, 0.13))
    live.kill9()
    (live.home / f"{task['id']}.go").touch()
    until(lambda: not (live.home / f"{task['id']}.go").exists())
    live.start()
    with live.client() as client:
        until(lambda: last(client.get("train")) == (17, 0.17))
        told = client.metrics("train", names=["loss"])
        assert (told["metrics"][0]["steps"], told["gaps"]) == (list(range(10, 18)), [])
        lines = live.cli("metrics", "train", "--csv", "-n", "loss").stdout.splitlines()
        assert [line.split(",")[::3] for line in lines] == [
            ["name", "value"],
            *(["loss", str(n / 100)] for n in range(10, 18)),
        ]
        assert live.cli("metrics", "train").stdout.splitlines()[1].split() == [
            "loss",
            "0.17",
            "17",
            "0.1",
            "0.17",
            "▁▂▃▄▅▆▇█",
        ]
        assert "loss 0.17 ▁" in live.cli("ls").stdout
        (live.home / f"{task['id']}.go").touch()
        assert last(ended(client, "train")) == (17, 0.17)


def test_tasks_that_ended_without_a_server_are_read_by_the_next_one(start_server: Callable[..., LiveServer]) -> None:
    live = start_server()
    with live.client() as client:
        task = client.create(f"{WAIT}{TELL}tell 1 5", name="train")
    live.kill9()
    (live.home / f"{task['id']}.go").touch()
    live.start()
    with live.client() as client:
        until(lambda: last(client.get("train")) == (5, 0.5))
        [loss, _] = client.metrics("train")["metrics"]
        assert [float(value) for value in loss["values"]] == [0.1, 0.2, 0.3, 0.4, 0.5]


async def test_points_are_complete_as_soon_as_the_end_is_known(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if they were not read when the end was recorded, such as by another process."""
    end, read = Recorder.end, MetricsBook._read_end
    first = iter([True])

    def fail_once(*args: Any) -> None:
        if next(first, False):
            raise OSError("not now")
        end(*args)

    def read_slowly(*args: Any) -> Any:
        time.sleep(0.5)
        return read(*args)

    monkeypatch.setattr(Recorder, "end", fail_once)
    monkeypatch.setattr(MetricsBook, "_read_end", read_slowly)
    await rest.create(f"{TELL}tell 1 5", name="train")
    await rest.wait("train")
    found = (await rest("GET", "tasks", "train", "metrics")).json["metrics"]
    assert [(one["name"], one["count"]) for one in found] == [("loss", 5), ("acc", 5)]
