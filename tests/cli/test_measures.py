"""Progress and resource usage of tasks on the command line."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from jupyter_ptytasks.cli import measures, values
from jupyter_ptytasks.client import format as formats
from tests.client.live import LiveServer, ended, until

if TYPE_CHECKING:
    from jupyter_ptytasks.client import Client, Task

MOMENT = "2026-11-21T06:00:00.000Z"
TELL = r"""printf '\033]7784;{"done":3,"total":7,"text":"third of seven"}\007'"""


def test_ls_has_a_column_where_there_is_something_in_it(live: LiveServer, client: Client) -> None:
    quiet = client.create("exec sleep 1000", name="quiet", group="measures")
    assert "PROGRESS" not in live.cli("ls", "-g", "measures").stdout
    client.create(f"{TELL}; exec sleep 1000", name="tells", group="measures")
    until(lambda: client.get("tells")["progress"])
    head, *rows = live.cli("ls", "-g", "measures").stdout.splitlines()
    assert head.split()[:4] == ["ID", "NAME", "STATE", "PROGRESS"]
    assert [" 42% " in row for row in rows] == [True, False]
    listed = json.loads(live.cli("ls", "-g", "measures", "--json").stdout)
    assert [task["progress"] and task["progress"]["text"] for task in listed["tasks"]] == ["third of seven", None]
    for ref in ("tells", quiet["id"]):
        client.stop(ref, signals=["SIGKILL"])


def test_ls_finds_tasks_by_their_warnings(live: LiveServer, client: Client) -> None:
    client.create("for step in 1 2 3 4 5; do echo step $step loss 0.$step; done", name="good")
    client.create("for step in 1 2 3 4 5; do echo step $step loss nan; done", name="bad")
    until(lambda: [task["name"] for task in client.all(warning=["not_a_number"])] == ["bad"])
    shown = live.cli("ls", "--warning", "stalled", "--warning", "not_a_number").stdout
    assert "bad" in shown
    assert "good" not in shown
    assert live.cli("ls", "--warning", "stalled").stdout == ""
    assert {hit.get("name") for hit in client.search("loss", warning=["not_a_number"])} == {"bad", None}


def test_ls_and_show_tell_what_a_task_waits_for(live: LiveServer, client: Client) -> None:
    client.create("printf 'Proceed? [y/N] '; read answer", name="asks", group="asking")
    client.wait_for("asks", ["waiting"])
    head, row = live.cli("ls", "-g", "asking").stdout.splitlines()
    assert "WAITS FOR" in head
    assert "line: Proceed? [y/N]" in row
    assert re.search(r"^waits for +line: Proceed\? \[y/N\]$", live.cli("show", "asks").stdout, re.MULTILINE)
    client.send_input("asks", "y")
    ended(client, "asks")
    assert "WAITS FOR" not in live.cli("ls", "-g", "asking").stdout


@pytest.mark.parametrize(
    ("waiting", "text"),
    [
        (None, ""),
        ({"kind": "shell", "prompt": "$ "}, ""),
        ({"kind": "keys", "prompt": ""}, "keys"),
        ({"kind": "password", "prompt": "Password: "}, "password: Password:"),
        ({"kind": "line", "prompt": "\u202eName: "}, "line: \\u202eName:"),
    ],
)
def test_a_question_in_words(waiting: dict[str, Any] | None, text: str) -> None:
    assert formats.question(cast("Task", {**told(), "waiting": waiting})) == text


def test_show_prints_progress_and_usage(live: LiveServer, client: Client) -> None:
    client.create(f"{TELL}; exec sleep 1000", name="shown")
    until(lambda: client.stats("shown")["usage"])
    shown = live.cli("show", "shown").stdout
    rows = {line.split()[0]: line for line in shown.splitlines()}
    assert rows["progress"].split(maxsplit=1)[1] == "42% · third of seven (from helper)"
    assert "iB (peak " in rows["memory"]
    assert rows["cpu"].split(maxsplit=1)[1].startswith("0% (peak 0%)")
    assert rows["processes"].split(maxsplit=1)[1] == "1 (peak 1)"
    assert "gpu" not in rows
    told = json.loads(live.cli("show", "shown", "--json").stdout)
    assert told["usage"]["processes"] == 1
    client.stop("shown", signals=["SIGKILL"])
    ended(client, "shown")
    rows = {line.split()[0]: line for line in live.cli("show", "shown").stdout.splitlines()}
    assert "peak" in rows["memory"]
    assert "largest process" in rows["memory"]


def told(ended: str | None = None, **about: Any) -> Task:
    """Return a task with this progress."""
    usual = {"fraction": None, "done": None, "unit": "", "text": "", "state": "normal", "source": "text", "eta": None}
    progress = {**usual, "tracks": [], "updated": MOMENT, **about}
    state = "running" if ended is None else "failed"
    return cast("Task", {"progress": progress, "state": state, "ended": ended, "last_activity": MOMENT})


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"fraction": 0.429}, "42%"),
        ({"fraction": 0.29}, "29%"),
        ({"fraction": 0.999}, "99%"),
        ({"fraction": 1.0}, "100%"),
        ({"fraction": 0.5, "state": "error"}, "50% error"),
        ({"fraction": 0.5, "eta": 200.0}, "50% 3m 20s left"),
        ({"done": 1234.0, "unit": "it", "state": "indeterminate"}, "1,234 it indeterminate"),
        ({"done": 1234.0, "unit": "it", "state": "indeterminate", "ended": MOMENT}, "1,234 it"),
        ({"state": "indeterminate"}, "indeterminate"),
        ({"state": "indeterminate", "ended": MOMENT}, ""),
        ({"fraction": 0.5, "state": "error", "ended": MOMENT}, "50% error"),
        ({"fraction": 0.5, "eta": 200.0, "ended": MOMENT}, "50%"),
    ],
)
def test_progress_in_words(monkeypatch: pytest.MonkeyPatch, about: dict[str, Any], words: str) -> None:
    monkeypatch.setattr(values, "now", lambda: values.moment(MOMENT))
    assert measures.progress(told(**about)) == words


def test_silence_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "now", lambda: values.moment(MOMENT) + timedelta(seconds=100))
    assert measures.progress(told(fraction=0.5, eta=6.0)) == "50% silent for 1m 40s"


CASES = json.loads((Path(__file__).parents[1] / "contract" / "remaining.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["what"] for case in CASES])
def test_what_is_left_is_that_of_jupyterlab(case: dict[str, Any]) -> None:
    task = cast("Task", {**case["task"], "progress": case["progress"], "ended": None})
    rest = measures.remaining(task, values.moment(case["now"]))
    assert (dict([rest]) if rest else None) == (case["remaining"] and pytest.approx(case["remaining"]))


def test_a_gpu_that_others_use_too_is_named_so() -> None:
    values = {"cpu": 1.0, "rss": 1, "pss": None, "processes": 1, "gpu_memory": 8 << 30, "gpu_load": 97.0}
    usage = {**values, "gpu_scope": "device", "cpu_time": 1.0, "peak": values, "max_rss": None}
    shown = measures.usage(cast("Task", {"usage": usage}))
    assert shown["gpu"] == "8.0 GiB (peak 8.0 GiB), 97% (peak 97%), whole device, all processes"


@pytest.mark.parametrize(
    ("sort", "text"),
    [
        ("", "val_loss 0.4 ▁█"),
        ("-started", "val_loss 0.4 ▁█"),
        ("metrics.loss", "loss 0.2"),
        ("min.loss", "min loss 0.1"),
        ("max.loss", "max loss"),
        ("min.acc", ""),
    ],
)
def test_a_metric_is_the_one_that_tasks_are_sorted_by(sort: str, text: str) -> None:
    told = {
        "val_loss": {"value": 0.4, "step": 2, "min": 0.3, "max": 0.4, "trend": [0.3, 0.4]},
        "loss": {"value": 0.2, "step": 2, "min": 0.1, "max": None, "trend": []},
    }
    assert measures.metric(cast("Task", {"metrics": told}), sort) == text
    assert measures.metric(cast("Task", {}), sort) == ""
