"""`prune` removes what was asked for, and nothing else; `run` knows a program when it sees one."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.cli.prune import select
from jupyter_ptytasks.client import format as formats
from tests.client.live import ended

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_ptytasks.client import Client, Task
    from tests.client.live import LiveServer

NOW = datetime(2026, 11, 21, 6, tzinfo=timezone.utc)


def names(live: LiveServer, *arguments: str) -> list[str]:
    """Run `prune`, and give the names of the tasks that it tells of."""
    done = live.cli("prune", *arguments)
    assert done.returncode == 0, done.stderr
    return [line.split()[1] for line in done.stdout.splitlines()]


def test_it_removes_what_all_options_mean(live: LiveServer, client: Client) -> None:
    for name in ("one", "two", "three", "bad"):
        ended(client, client.create("exit 3" if name == "bad" else "echo hello", name=name, group="pruned")["id"])
    client.create("sleep 1000", name="lives", group="pruned")
    here = ["-g", "pruned"]
    assert names(live, *here, "--older", "1h") == []
    assert names(live, *here, "--state", "succeeded", "--keep", "1", "--dry-run") == ["two", "one"]
    assert {task["name"] for task in client.all(group="pruned")} == {"one", "two", "three", "bad", "lives"}
    done = live.cli("prune", *here, "--state", "succeeded", "--keep", "1")
    assert [line.split()[1:] for line in done.stdout.splitlines()] == [["two", "deleted"], ["one", "deleted"]]
    assert "2 tasks with 14 B of output deleted" in done.stderr
    listed = [json.loads(line)["name"] for line in live.cli("prune", *here, "--json").stdout.splitlines()]
    assert listed == ["bad", "three"]
    assert [task["name"] for task in client.all(group="pruned")] == ["lives"]
    client.stop("lives", signals=["SIGKILL"])


def test_it_does_not_guess(live: LiveServer) -> None:
    for arguments in ([], ["--dry-run"], ["--older", "soon"], ["--state", "running"], ["--keep", "-1"]):
        done = live.cli("prune", *arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments


def some(state: str, age: float, *, pinned: bool | None) -> dict[str, Any]:
    """Return a task that ended `age` seconds ago; `pinned` is None as from an older server."""
    at = (NOW - timedelta(seconds=age)).isoformat()
    live = state in ("held", "running", "paused")
    told = {} if pinned is None else {"pinned": pinned}
    return {"state": state, "created": at, "ended": None if live else at, **told}


TASKS = st.builds(
    some,
    st.sampled_from(["held", "running", "paused", "succeeded", "failed", "cancelled", "timed_out", "lost"]),
    st.floats(0, 1e6),
    pinned=st.sampled_from([None, False, True]),
)


@given(st.lists(TASKS), st.none() | st.floats(0, 1e6), st.integers(0, 5))
def test_what_lives_or_is_pinned_stays(tasks: list[dict[str, Any]], older: float | None, keep: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formats, "now", lambda: NOW)
        selected = select(cast("list[Task]", tasks), older=older, keep=keep)
    candidates = [task for task in tasks if task["ended"] and not task.get("pinned")]
    assert all(any(task is one for one in candidates[keep:]) for task in selected)
    if older is None:
        assert len(selected) == len(candidates[keep:])


def test_run_takes_one_word_for_the_program_that_it_names(live: LiveServer, client: Client, tmp_path: Path) -> None:
    program = tmp_path / "my prog.sh"
    program.write_text("#!/bin/sh\necho it ran in $PWD\n")
    program.chmod(0o755)
    for word, options in (
        ("./my prog.sh", {"cwd": tmp_path}),
        (str(program), {}),
    ):
        done = live.cli("run", "--wait", "--", word, **options)
        task = client.get(done.stdout.split()[0])
        assert (done.returncode, task["command"]) == (0, [word]), done.stderr
    done = live.cli("run", "--wait", "--cwd", str(tmp_path), "--", "./my prog.sh")
    assert client.output(done.stdout.split()[0])["output"] == f"it ran in {tmp_path}\n"
    # What is no program, or has no path, is a line for the shell.
    (tmp_path / "not executable.sh").write_text("echo no\n")
    for line in ("./not executable.sh", "my prog.sh", f"{tmp_path}/ ; true"):
        task = client.get(live.cli("run", "--", line, cwd=tmp_path).stdout.split()[0])
        assert task["command"] == line
