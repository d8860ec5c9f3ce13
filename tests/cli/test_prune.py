"""`prune` deletes exactly the requested tasks; `run` recognizes paths of programs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.client.live import ended, until

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_ptytasks.client import Client
    from tests.client.live import LiveServer


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
    assert names(live, *here, "--older-than", "1h") == []
    assert names(live, *here, "--state", "succeeded", "--keep", "1", "--dry-run") == ["two", "one"]
    assert {task["name"] for task in client.all(group="pruned")} == {"one", "two", "three", "bad", "lives"}
    done = live.cli("prune", *here, "--state", "succeeded", "--keep", "1")
    assert [line.split()[1:] for line in done.stdout.splitlines()] == [["two", "deleted"], ["one", "deleted"]]
    assert re.search(r"2 tasks with \S+ KiB on disk deleted; kept: 1 running, 1 newest", done.stderr)
    listed = [json.loads(line)["name"] for line in live.cli("prune", *here, "--json").stdout.splitlines()]
    assert listed == ["bad", "three"]
    assert [task["name"] for task in client.all(group="pruned")] == ["lives"]
    client.stop("lives", signals=["SIGKILL"])


def test_the_best_stays(live: LiveServer, client: Client) -> None:
    for loss in (0.5, 0.25, 0.75):
        line = " && ".join(f"echo epoch {epoch} val_loss={loss + 1 / epoch}" for epoch in (1, 2, 3))
        ended(client, client.create(line, name=f"at {loss}", group="best")["id"])
    ended(client, client.create("true", name="of none", group="best")["id"])
    until(lambda: sum(bool(task["metrics"]) for task in client.all(group="best")) == 3)
    told = live.cli("prune", "-g", "best", "--keep-best", "val_loss", "--dry-run", "--json")
    assert [json.loads(line)["name"] for line in told.stdout.splitlines()] == ["at 0.75", "at 0.5"]
    assert "kept: 1 best, 1 without the metric" in told.stderr
    done = live.cli("prune", "-g", "best", "--keep-best", "val_loss:max")
    assert "2 tasks" in done.stderr
    assert [task["name"] for task in client.all(group="best")] == ["of none", "at 0.75"]


def test_it_does_not_guess(live: LiveServer) -> None:
    for arguments in (
        [],
        ["--dry-run"],
        ["--older", "soon"],
        ["--state", "running"],
        ["--keep", "-1"],
        ["--keep-best"],
    ):
        done = live.cli("prune", *arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments


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
