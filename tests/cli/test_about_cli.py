"""Details of a task on the command line: `show`, `note`, `again` with changes, and `diff`."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.cli import verbs
from jupyter_ptytasks.client import resources
from tests.client.live import ended
from tests.repository import run

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_ptytasks.client import Client
    from tests.client.live import LiveServer


def test_a_task_is_run_again_with_a_change_that_diff_shows(live: LiveServer, client: Client) -> None:
    first = client.create("echo $SEED $LR", name="train", env={"SEED": "one", "LR": "3"})
    assert "there is no previous run" in live.cli("diff", "train").stderr
    options = ("-e", "SEED=two", "--without", "LR", "-n", "longer", "-t", "gpu")
    name = live.cli("again", "train", *options, "--", "echo again $SEED $LR").stdout.split()[1]
    assert name == "longer"
    ended(client, "longer")
    assert live.cli("logs", "longer").stdout == "again two\n"
    told = live.cli("diff", "longer").stdout.splitlines()
    assert told[:7] == [
        f"compared with {first['id']} train", "name", "  - train", "  + longer", "command", "  - echo $SEED $LR",
        "  + echo again $SEED $LR",
    ]  # fmt: skip
    assert told[-3:] == ["environment", "  - LR", "  ~ SEED"]
    assert live.cli("diff", "longer", "longer").stdout.splitlines()[1:] == ["no difference"]
    assert json.loads(live.cli("diff", "longer", "train", "--json").stdout)["with"]["id"] == first["id"]
    assert live.cli("diff", "nobody").returncode == 4


def test_tags_are_added_and_removed(live: LiveServer, client: Client) -> None:
    for name in ("one", "two"):
        client.create("true", name=name, tags=["new", name])
    told = live.cli("tag", "one", "two", "nobody", "--add", "best", "-r", "new")
    assert told.returncode == 4
    assert [line.split()[1:] for line in told.stdout.splitlines()] == [["one", "tagged"], ["two", "tagged"]]
    assert [client.get(name)["tags"] for name in ("one", "two")] == [["one", "best"], ["two", "best"]]
    assert "--add" in live.cli("tag", "one").stderr
    for name in ("one", "two"):
        ended(client, name)
        client.delete(name)


def test_a_task_is_run_again_with_other_metrics_and_gpus(live: LiveServer, client: Client) -> None:
    first = client.create("echo loss is 7", name="train")["id"]
    options = ("--metric-pattern", r"loss is (?P<loss>\S+)", "--gpus", "0.5", "--place", "local", "--json")
    again = json.loads(live.cli("again", "train", *options).stdout)
    assert (again["again_of"], again["gpus"], again["place"]) == (first, 0.5, "local")
    for wrong, said in (
        (("--cpus", "2"), "--cpus needs --place"),
        (("--gpus", "a100:2"), "a type of GPU needs another place"),
        (("--place", "ssh:"), "place"),
    ):
        refused = live.cli("again", "train", *wrong)
        assert refused.returncode != 0
        assert said in refused.stderr
    client.delete(again["id"], stop=True)


def test_a_copy_requests_the_same_at_the_same_place_but_for_what_is_given() -> None:
    like: Any = {"place": "slurm", "resources": {"cpus": 4, "memory": "8G"}}
    given = {**dict.fromkeys(resources.OPTIONS), "place": None, "gpus": 2.0, "cpus": "8"}
    told = {"resources": {"cpus": 8, "memory": "8G", "gpus": "2"}}
    assert verbs._where(given, "slurm", like) == told
    del told["resources"]["memory"]
    assert verbs._where({**given, "place": "far"}, "far", like) == {"place": "far", **told}
    assert verbs._where({**given, "gpus": None, "cpus": None}, "slurm", like) == {}


def test_notes_are_written_added_to_and_shown(live: LiveServer, client: Client) -> None:
    client.create("true", name="train", env={"SEED": "1"})
    ended(client, "train")
    client.restart("train")
    ended(client, "train")
    assert live.cli("note", "train").stdout == ""
    assert live.cli("note", "train", "The **best** so far.").returncode == 0
    assert live.cli("note", "train", "Worse on \x1b[31mred.", "--append").returncode == 0
    assert live.cli("note", "train").stdout == "The **best** so far.\n\nWorse on \\x1b[31mred.\n"
    shown = {line[:11].strip(): line[12:].strip() for line in live.cli("show", "train").stdout.splitlines()}
    assert shown["earlier"] == "1 succeeded"
    assert shown["environment"] == "SEED"
    assert shown["notes"].startswith("The **best** so far.")
    assert shown["disk"]
    assert live.cli("note", "train", "--append").returncode == 2


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_show_has_the_commit(live: LiveServer, client: Client, tmp_path: Path) -> None:
    run(tmp_path, "init", "-q")
    run(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    task = client.create("true", name="train", cwd=str(tmp_path))
    if task["git"] is not None:  # on a busy machine git may take longer than it may
        commit = run(tmp_path, "rev-parse", "HEAD")
        assert f"{commit[:12]} (main)" in live.cli("show", "train").stdout
