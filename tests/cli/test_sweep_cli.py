"""`sweep`, `retry` and `cancel` on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_ptytasks.client import Client
    from tests.client.live import LiveServer


def test_options_are_parameters(live: LiveServer, client: Client, tmp_path: Path) -> None:
    done = live.cli(
        *("sweep", "--lr", "1e-3,1e-4", "-n", "train", "--seed=0:2", "-p", "name=a", "-t", "x", "--wait", "-e", "A=b"),
        *("--max-failures", "5", "--", "echo", "-n", "{lr}", "{seed}", "{name}"),
        cwd=tmp_path,
    )
    made = client.sweep("train")
    assert (done.returncode, done.stdout) == (0, f"{made['id']} train  4 tasks\n4 succeeded\n"), done.stderr
    tasks = list(client.all(sweep="train"))[::-1]
    assert [task["command"] for task in tasks] == [
        ["echo", "-n", lr, seed, "a"] for lr in ("1e-3", "1e-4") for seed in ("0", "1")
    ]
    assert {(task["cwd"], *task["tags"]) for task in tasks} == {(str(tmp_path), "x")}
    assert made["max_failures"] == 5
    about = live.cli("show", tasks[0]["id"]).stdout
    assert ("train\n" in about, "lr=1e-3, seed=0, name=a" in about) == (True, True)
    shown = live.cli("sweep", "train").stdout.splitlines()
    assert shown[0].split() == ["lr", "seed", "name", "STATE", "PROGRESS", "EXIT", "RAN", "ID"]
    assert shown[1].split()[:4] == ["1e-3", "0", "a", "succeeded"]
    assert len(shown) == 5
    assert f"{made['id']} train  4 succeeded" in live.cli("sweep").stdout.splitlines()
    assert json.loads(live.cli("sweep", made["id"], "--json").stdout) == made


def test_a_line_for_the_shell_and_modes(live: LiveServer, client: Client) -> None:
    live.cli("sweep", "-n", "zip", "--zip", "--a", "1,2", "--b", "x,y", "--hold", "--", "echo {a} | cat {b}")
    assert [task["command"] for task in client.all(sweep="zip")] == ["echo 2 | cat y", "echo 1 | cat x"]
    drawn = live.cli("sweep", "--random", "3", "--a", "0:100", "--hold", "--json", "--", "true", "{a}")
    made = json.loads(drawn.stdout)
    assert (made["mode"], made["size"], made["name"]) == ("random", 3, "true '{a}'")
    for name in ("zip", made["id"]):
        assert live.cli("cancel", name).returncode == 0
        assert set(client.sweep(name)["states"].items()) >= {("held", 0)}


def test_retry_runs_what_failed(live: LiveServer, client: Client, tmp_path: Path) -> None:
    done = live.cli("sweep", "-n", "flaky", "--x", "0:3", "--wait", "--", f"[ {{x}} = 0 ] || [ -e {tmp_path}/go ]")
    assert (done.returncode, done.stdout.splitlines()[1]) == (1, "1 succeeded, 2 failed")
    (tmp_path / "go").touch()
    again = live.cli("retry", "flaky")
    assert again.stdout == f"{client.sweep('flaky')['id']} flaky  2 tasks queued again\n"
    assert live.cli("sweep", "flaky", "--wait").stdout == "3 succeeded\n"
    assert json.loads(live.cli("retry", "flaky", "--state", "lost", "--json").stdout)["changed"] == []
    assert live.cli("retry", "nobody").returncode == 4


def test_a_whole_sweep_is_released_and_deleted(live: LiveServer, client: Client) -> None:
    live.cli("sweep", "-n", "whole", "--x", "0:2", "--hold", "--", "[ {x} = 0 ]")
    made = client.sweep("whole")["id"]
    refused = live.cli("delete", "--sweep", "whole")
    assert (refused.returncode, "Use `delete --sweep --stop`" in refused.stderr) == (1, True)
    assert live.cli("release", "--sweep", "whole").stdout == f"{made} whole  2 tasks released\n"
    assert live.cli("sweep", "whole", "--wait").stdout == "1 succeeded, 1 failed\n"
    gone = live.cli("delete", "--sweep", "whole", "nobody")
    assert (gone.returncode, gone.stdout) == (4, f"{made} whole deleted\n")
    assert live.cli("sweep", "whole").returncode == 4
    live.cli("sweep", "-n", "whole", "--x", "0:2", "--", "sleep", "1000", "{x}")
    assert live.cli("delete", "--sweep", "--stop", "whole").returncode == 0
    assert list(client.all(sweep="whole")) == []


def test_a_group_is_retried(live: LiveServer, client: Client, tmp_path: Path) -> None:
    for name in ("a", "b"):
        client.create(f"[ -e {tmp_path}/go ]", name=name, group="shaky")
        client.wait(name)
    (tmp_path / "go").touch()
    assert live.cli("retry", "--group", "shaky").stdout == "shaky  2 tasks queued again\n"
    assert {client.wait(name)["state"] for name in ("a", "b")} == {"succeeded"}
    assert json.loads(live.cli("retry", "-g", "shaky", "--json").stdout) == {"changed": []}
    assert live.cli("retry", "-g", "nobody").returncode == 4
    for words in ((), ("s", "-g", "shaky")):
        assert "which sweep, or which --group?" in live.cli("retry", *words).stderr


def test_waiting_continues_during_automatic_retries(live: LiveServer) -> None:
    line = "[ $PTYTASK_ATTEMPT = 3 ] # {x}"
    done = live.cli("sweep", "--x", "1,2", "--retry", "2", "--retry-delay", "0", "--wait", "--", line)
    assert (done.returncode, done.stdout.splitlines()[1]) == (0, "2 succeeded")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--lr", "1,2", "python", "train.py"], "Put `--` before it"),
        (["--lr", "1", "python", "--", "true"], "'python' belongs to no parameter"),
        (["--lr", "--", "true"], "--lr needs values"),
        (["-p", "lr", "--", "true"], "expected PARAM=VALUES"),
        (["--lr", "1", "-p", "lr=2", "--", "true"], "given once"),
        (["--", "true"], "which parameters?"),
        (["--zip", "--random", "2", "--lr", "1", "--", "true"], "exclude each other"),
    ],
)
def test_invalid_sweeps(live: LiveServer, words: list[str], message: str) -> None:
    done = live.cli("sweep", *words)
    assert done.returncode == 2
    assert message in done.stderr


def test_the_server_says_what_is_wrong(live: LiveServer) -> None:
    done = live.cli("sweep", "--lr", "1,2", "--", "true", "{rl}")
    assert (done.returncode, "{rl} is not a parameter (there are lr)" in done.stderr) == (1, True)
