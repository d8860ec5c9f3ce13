"""Details of a task in Python: notes, attempts, and the previous run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks import clean_up, import_task, run
from jupyter_ptytasks.client import RequestFailed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.live import LiveServer


def test_notes_and_attempts(here: LiveServer) -> None:
    task = run("true", name="train", cwd="/").wait()
    assert (task.notes, task.git) == ("", None)
    task.notes = "The **best** so far."
    assert task.note("And again.").notes == "The **best** so far.\n\nAnd again."
    task.restart().wait()
    assert [one["state"] for one in task.attempts] == ["succeeded", "succeeded"]
    with pytest.raises(RequestFailed, match="the limit is"):
        task.notes = "é" * 40_000


def test_again_with_a_change(here: LiveServer) -> None:
    task = run("echo $SEED", name="train", env={"SEED": "1"}).wait()
    again = task.again(env={"SEED": "2"}, timeout=60).wait()
    assert again.output() == "2\n"
    told = again.diff()
    assert told["with"] == {"id": task.id, "name": "train"}
    assert [change["field"] for change in told["changes"]] == ["timeout"]
    assert told["environment"]["changed"] == ["SEED"]
    assert again.diff(task) == told


def test_a_task_as_a_file_and_cleaning_up(here: LiveServer, tmp_path: Path) -> None:
    task = run("echo $SECRET", name="moved", env={"SECRET": "hunter2"}, group="moved").wait()
    path = tmp_path / "moved.tar.gz"
    task.export(path)
    again = import_task(path)
    assert (again.name, again.output()) == ("moved (2)", "hunter2\n")
    assert again.details()["environment"] == []
    path.write_bytes(b"no archive")
    with pytest.raises(RequestFailed, match="not a valid archive of a task"):
        import_task(path)

    with pytest.raises(ValueError, match="a filter is required"):
        clean_up()
    assert clean_up(group="moved", older_than="1h")["tasks"] == []
    told = clean_up(group="moved", dry_run=True)
    assert [one["id"] for one in told["tasks"]] == [task.id]
    assert clean_up(group="moved", state="succeeded")["size"] == told["size"]
    assert again.refresh().name == "moved (2)"
