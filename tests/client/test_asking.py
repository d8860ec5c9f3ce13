"""Resources that users request at a place, and the text about a task that is pending there."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

import pytest

from jupyter_ptytasks.client import format as formats
from jupyter_ptytasks.client import resources
from jupyter_ptytasks.core.resources import check

if TYPE_CHECKING:
    from jupyter_ptytasks.client import Task
    from tests.client.live import LiveServer

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("place", "gpus", "found"),
    [
        (None, None, {}),
        (None, 0.5, {"gpus": 0.5}),
        ("local", 2.0, {"place": "local", "gpus": 2.0}),
        ("slurm", 2.0, {"place": "slurm", "resources": {"gpus": "2"}}),
        ("slurm", "a100:2", {"place": "slurm", "resources": {"gpus": "a100:2"}}),
    ],
)
def test_gpus_are_one_word(place: str | None, gpus: float | str | None, found: dict[str, Any]) -> None:
    assert resources.placed(place, None, gpus) == found
    check(found.get("resources", {}))


def test_a_kind_of_gpu_is_for_another_place() -> None:
    with pytest.raises(ValueError, match="a100"):
        resources.placed(None, None, resources.gpus("a100:2"))


def test_options_are_fields() -> None:
    options: dict[str, Any] = {**dict.fromkeys(resources.OPTIONS), "cpus": "4", "mem": "16G", "time": "90"}
    found = resources.from_options({**options, "account": "123"})
    assert found == {"cpus": 4, "memory": "16G", "time": 90, "account": "123"}
    assert check(found) == {"cpus": 4, "memory": "16384M", "time": 90, "account": "123"}


@pytest.mark.parametrize(
    ("about", "text"),
    [
        ({"state_message": "waits for resources"}, "queued: waits for resources"),
        ({"job": {"reason": "Priority", "starts": None}}, "queued: Priority"),
        ({"job": {"reason": "Priority", "starts": "2026-11-23T14:20:00.000Z"}}, "queued: Priority, ~%Y-%m-%d %H:%M"),
        ({"job": {"reason": "Priority", "starts": "2026-11-21T14:20:00.000Z"}}, "queued: Priority, ~%H:%M"),
        ({"job": {"reason": None, "starts": "2026-11-21T14:20:00.000Z"}, "state": "running"}, "running"),
        ({"queue": {"position": 1, "text": "not of this queue", "starts": None}}, "queued"),
        ({"place": "local", "queue": {"position": 2, "text": "no slot", "starts": None}}, "no slot (1 before it)"),
    ],
)
def test_why_it_waits(monkeypatch: pytest.MonkeyPatch, about: dict[str, Any], text: str) -> None:
    monkeypatch.setattr(formats, "now", lambda: NOW)
    task = {"place": "slurm", "state": "queued", "state_message": "", "queue": None, "job": None, **about}
    job = task["job"] or {"starts": None}
    said = text if job["starts"] is None else formats.moment(job["starts"]).astimezone().strftime(text)
    assert formats.why(cast("Task", task)) == said


def test_the_command_line_asks_only_at_a_place(live: LiveServer) -> None:
    for arguments, said in (
        (["--mem", "1G"], "--mem needs --place"),
        (["--gpus", "a100:2"], "a type of GPU needs another place"),
        (["--place", "ssh:nowhere.invalid", "--cpus", "2"], "ssh:nowhere.invalid does not accept it"),
        (["--place", "ssh:nowhere.invalid", "--gpus", "1"], "resources.gpus"),
    ):
        done = live.cli("run", *arguments, "true")
        assert done.returncode in (1, 2)
        assert said in done.stderr
    with live.client() as client:
        assert not client.list()["tasks"]
