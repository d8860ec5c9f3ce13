"""The command line as users and scripts see it: output and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, cast

import click
import pytest

from jupyter_ptytasks.cli import values
from jupyter_ptytasks.client import exit_status
from tests.client.live import LiveServer, ended, until

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_ptytasks.client import Client, Task


def start(live: LiveServer, *arguments: str) -> str:
    """Run `run`, and give the id."""
    done = live.cli("run", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[0]


def texts(output: str) -> str:
    """Return the text in the output of `logs --json`."""
    return "".join(json.loads(line)["output"] for line in output.splitlines())


# -- run --------------------------------------------------------------------------------------------------------------


def test_run_prints_id_and_name_and_runs_it_here(live: LiveServer, client: Client, tmp_path: Path) -> None:
    done = live.cli("run", "-n", "of mine", "-g", "g", "-t", "x", "-t", "y", "--", "pwd", cwd=tmp_path)
    task = ended(client, "of mine")
    assert done.stdout == f"{task['id']} of mine\n"
    assert (task["command"], task["cwd"], task["group"], task["tags"]) == (["pwd"], str(tmp_path), "g", ["x", "y"])
    assert live.cli("logs", task["id"]).stdout == f"{tmp_path}\n"


def test_grep_searches_all_tasks_and_says_where(live: LiveServer, client: Client) -> None:
    first, second = start(live, "-n", "one", "seq 20; echo loss=nan"), start(live, "-n", "two", "echo loss=nan; exit 1")
    ended(client, "one")
    ended(client, "two")
    done = live.cli("grep", "loss=n.n", "--since", "1h")
    assert (done.returncode, done.stdout) == (0, "two:0:loss=nan\none:20:loss=nan\n")
    done = live.cli("grep", "-iF", "LOSS=", "one", "--links", "-m", "1")
    assert done.stdout.splitlines() == ["one:20:loss=nan", f"  {client.server.url}lab?ptytask={first}&line=20"]
    *hits, searched = map(json.loads, live.cli("grep", "--json", "^[12]$", "--limit", "1").stdout.splitlines())
    assert (hits[0]["task"], hits[0]["spans"], searched["reason"]) == (first, [[0, 1]], "limit")
    assert live.cli("grep", "nothing like it", second).returncode == 1
    assert "regular expression" in live.cli("grep", "(").stderr


def test_run_takes_words_lines_and_options_of_the_command(live: LiveServer, client: Client) -> None:
    assert client.get(start(live, "echo", "-n", "a b"))["command"] == ["echo", "-n", "a b"]
    assert client.get(start(live, "echo a | cat"))["command"] == "echo a | cat"
    assert client.get(start(live, "--", "true"))["command"] == ["true"]
    assert client.get(start(live))["kind"] == "shell"
    client.stop("shell-1", signals=["SIGKILL"])


def test_run_passes_our_programs_on_and_nothing_else(live: LiveServer) -> None:
    env = {**live.environ, "PATH": f"/mine:{live.environ['PATH']}", "CONDA_PREFIX": "/c", "SECRET": "s", "PASSED": "p"}
    line = "echo $PATH, $CONDA_PREFIX, $SECRET, $PASSED, $SAID"
    done = live.cli("run", "--wait", "-e", "PASSED", "-e", "SAID=x=y", line, env=env)
    told = live.cli("logs", done.stdout.split()[0]).stdout
    assert told.startswith("/mine:")
    assert told.endswith(", /c, , p, x=y\n")


def test_run_says_how_long_and_how_it_is_stopped(live: LiveServer, client: Client) -> None:
    line = "trap 'echo warned' USR1; trap '' INT; while :; do sleep 0.05; done"
    done = live.cli("run", "--wait", "--timeout", "1s", "--warn", "usr1@500ms", "--grace", "100ms", "--json", line)
    task = json.loads(done.stdout)
    assert (task["state"], task["timeout"]) == ("timed_out", 1.0)
    assert done.returncode == 128 + 15
    # The shell may tell too what has become of its `sleep`.
    assert "warned" in live.cli("logs", task["id"]).stdout.splitlines()


@pytest.mark.parametrize(("line", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137)])
def test_run_wait_exits_with_the_tasks_code(live: LiveServer, line: str, code: int) -> None:
    assert live.cli("run", "--wait", line).returncode == code


def test_run_reports_what_is_not_possible(live: LiveServer, tmp_path: Path) -> None:
    done = live.cli("run", "--", "no-such-program")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no-such-program" in done.stderr
    assert live.cli("run", "--cwd", str(tmp_path / "gone"), "true").returncode == 1
    for arguments in (["--attach", "true"], ["--warn", "USR1@1s", "true"], ["--timeout", "soon", "true"]):
        done = live.cli("run", *arguments)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert live.cli("run", "-e", "NOT_SET_ANYWHERE", "true").returncode == 2


def test_run_if_exists(live: LiveServer, client: Client) -> None:
    first = start(live, "-n", "single", "sleep", "1000")
    assert start(live, "-n", "single", "--if-exists", "return", "sleep", "1000") == first
    done = live.cli("run", "-n", "single", "--if-exists", "fail", "sleep", "1000")
    assert done.returncode == 1
    assert "--if-exists" in done.stderr
    client.stop(first, signals=["SIGKILL"])


# -- what there is ----------------------------------------------------------------------------------------------------


def test_ls_is_a_table(live: LiveServer, client: Client) -> None:
    long = "x" * 300
    ref = start(live, "-n", "[red]not markup[/]", "-g", "table", "-t", "tagged", "--", "sh", "-c", "exit 7", long)
    ended(client, ref)
    done = live.cli("ls", "-g", "table")
    head, row = done.stdout.splitlines()
    assert head.split() == ["ID", "NAME", "STATE", "EXIT", "RAN", "STARTED", "GROUP", "TAGS", "COMMAND"]
    assert [word in row for word in (ref, "[red]not markup[/]", "failed", " 7 ", "tagged", long)] == [True] * 6
    assert "\x1b" not in done.stdout
    assert live.cli("ls", "-g", "table", "--state", "running").stdout == ""
    listed = json.loads(live.cli("ls", "-g", "table", "--json").stdout)
    assert [task["id"] for task in listed["tasks"]] == [ref]
    with live.terminal("ls", "-g", "table") as terminal:
        terminal.end()
        assert b"\x1b[31mfailed" in terminal.seen
        lines = click.unstyle(terminal.seen.decode()).splitlines()
        assert all(len(line) <= 100 for line in lines)
        assert [word in lines[1] for word in (ref, "failed", " 7 ", "…")] == [True] * 4
    with live.terminal("ls", "-g", "table", env={**live.environ, "NO_COLOR": "1"}) as terminal:
        terminal.end()
        assert b"\x1b[31m" not in terminal.seen


def test_ls_is_sorted(live: LiveServer, client: Client) -> None:
    for name in ("middle", "last", "First"):
        client.create("true", name=name, group="sorting")
    for options, names in (
        (["--sort", "name"], ["First", "last", "middle"]),
        (["--sort", "name", "-r"], ["middle", "last", "First"]),
        (["--sort", "created"], ["middle", "last", "First"]),
    ):
        _, *rows = live.cli("ls", "-g", "sorting", *options).stdout.splitlines()
        assert [row.split()[1] for row in rows] == names
    assert live.cli("ls", "-r").returncode == 2
    done = live.cli("ls", "--sort", "color")
    assert done.returncode == 1
    assert "sort" in done.stderr


def test_show_and_status(live: LiveServer, client: Client) -> None:
    ref = start(live, "-n", "shown", "--timeout", "2h", "sleep", "1000")
    shown = live.cli("show", "shown").stdout
    assert [word in shown for word in (ref, "sleep 1000", "running", "in the background", "2h 00m")] == [True] * 5
    assert json.loads(live.cli("show", "shown", "--json").stdout)["id"] == ref
    status = live.cli("status").stdout
    assert live.url in status
    assert "1 running" in status
    assert json.loads(live.cli("status", "--json").stdout)["tasks"]["running"] == 1
    client.stop(ref, signals=["SIGKILL"])


# -- logs -------------------------------------------------------------------------------------------------------------


def test_logs_are_text_or_bytes(live: LiveServer, client: Client) -> None:
    ref = start(live, r"printf '\033[31mred\033[m\nhalf\rdone\n'; seq 1 20; printf 'end'")
    ended(client, ref)
    numbers = "".join(f"{i}\n" for i in range(1, 21))
    assert live.cli("logs", ref).stdout == f"red\ndone\n{numbers}end\n"
    assert live.cli("logs", "-n", "3", ref).stdout == "19\n20\nend\n"
    assert live.cli("logs", "--grep", "^1.$", "-n", "2", ref).stdout == "18\n19\n"
    assert live.cli("logs", "--since", "20", ref).stdout == "19\n20\nend\n"
    assert live.cli("logs", "-f", ref).stdout == f"red\ndone\n{numbers}end\n"
    assert texts(live.cli("logs", "--json", ref).stdout) == f"red\ndone\n{numbers}end"
    raw = live.cli("logs", "--ansi", ref, text=False).stdout
    assert cast("Any", raw) == client.raw(ref).data
    assert cast("Any", live.cli("logs", "--ansi", "-n", "2", ref, text=False).stdout) == b"20\r\nend"


def test_logs_follow_until_the_end(live: LiveServer) -> None:
    ref = start(live, "for i in $(seq 1 20); do echo line $i; sleep 0.05; done")
    done = live.cli("logs", "-f", ref)
    assert done.stdout == "".join(f"line {i}\n" for i in range(1, 21))
    ref = start(live, r"printf '\033[?1049h\033[?25l'; for i in $(seq 1 20); do echo line $i; sleep 0.05; done")
    with live.terminal("logs", "-f", ref) as terminal:
        assert terminal.end() == 0
        # Our terminal has put another carriage return before each line feed.
        shown, _, after = terminal.seen.replace(b"\r\r\n", b"\r\n").partition(b"line 20\r\n")
        assert shown.startswith(b"\x1b[?1049h\x1b[?25lline 1\r\n")
        # What the task has set is taken back.
        assert b"\x1b[?1049l" in after
        assert b"\x1b[?25h" in after


def test_record_writes_what_a_player_plays(live: LiveServer, client: Client) -> None:
    ref = start(live, "printf 'one\\ntwo\\n'; exit 7")
    ended(client, ref)
    done = live.cli("record", ref)
    header, *events = map(json.loads, done.stdout.splitlines())
    assert (header["version"], "".join(text for _, code, text in events if code == "o")) == (3, "one\r\ntwo\r\n")
    assert events[-1][1:] == ["x", "7"]
    assert done.stdout.encode() == b"".join(client.record(ref))
    assert json.loads(live.cli("record", "--version", "2", "--idle", "0", ref).stdout.splitlines()[0])["version"] == 2
    assert live.cli("record", "nobody").returncode == 4


# -- verbs ------------------------------------------------------------------------------------------------------------


def test_wait_exits_with_the_first_code_that_is_not_0(live: LiveServer) -> None:
    good, bad, worse = start(live, "true"), start(live, "exit 5"), start(live, "exit 6")
    assert live.cli("wait", good).returncode == 0
    done = live.cli("wait", good, bad, worse)
    assert done.returncode == 5
    assert [line.split()[0] for line in done.stdout.splitlines()] == [good, bad, worse]
    assert "(exit 6)" in done.stdout
    lines = live.cli("wait", "--json", good, bad).stdout.splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["succeeded", "failed"]


def test_wait_gives_up_in_time_and_knows_names_at_once(live: LiveServer, client: Client) -> None:
    ref = start(live, "sleep", "1000")
    assert live.cli("wait", "--timeout", "100ms", ref).returncode == 124
    began = time.monotonic()
    assert live.cli("wait", ref, "misspelt").returncode == 4
    assert time.monotonic() - began < 30
    client.stop(ref, signals=["SIGKILL"])


def test_a_task_is_led_through_its_life(live: LiveServer, client: Client) -> None:
    ref = start(live, "-n", "led", "echo ready; read line; echo got $line; sleep 1000")
    until(lambda: "ready" in client.output(ref)["output"])
    for verb, state in (("pause", "paused"), ("resume", "running")):
        assert live.cli(verb, "led").stdout == f"{ref} led {state}\n"
    assert live.cli("input", "led", "some text").returncode == 0
    until(lambda: "got some text" in client.output(ref)["output"])
    assert live.cli("restart", "--grace", "0", "led").returncode == 0
    until(lambda: client.get(ref)["attempt"] == 2 and client.get(ref)["state"] == "running")
    done = live.cli("rm", "led")
    assert done.returncode == 1
    assert "delete --stop" in done.stderr
    assert json.loads(live.cli("stop", "--now", "--wait", "--json", "led").stdout)["exit"]["signal"] == "SIGKILL"
    done = live.cli("delete", "misspelt", "led", "wrong")
    assert done.stdout == f"{ref} led deleted\n"
    assert done.returncode == 4
    assert "misspelt" in done.stderr
    assert "wrong" in done.stderr


def test_metrics_are_read_by_a_pattern(live: LiveServer, client: Client) -> None:
    pattern = r"quality is (?P<quality>\S+)"
    task = start(live, "--metric-pattern", pattern, "echo quality is 7; echo quality is 8")
    assert ended(client, task)["metrics"]["quality"]["value"] == 8
    # A step has all of its digits, and a name that is none is told with those that are.
    task = start(live, "for n in 0 1 2; do echo step 12345$n loss 0.$n; done")
    ended(client, task)
    done = live.cli("metrics", task, "--name", "lost")
    assert (done.stdout, done.stderr) == ("", "no lost; there are: loss\n")
    assert live.cli("metrics", task).stdout.splitlines()[1].split()[:3] == ["loss", "0.2", "123452"]


def test_a_queue_is_filled_asked_and_let_go(live: LiveServer, client: Client) -> None:
    assert live.cli("group", "gpu", "--slots", "1").stdout == "gpu: 0 of 1 slots used, 0 running, 0 waiting\n"
    first = start(live, "-n", "first", "-g", "gpu", "--hold", "--", "sleep", "1000")
    second = start(live, "-n", "second", "--after", "first:any", "--retry", "3", "--priority", "7", "--", "true")
    third = start(live, "-n", "third", "--delay", "1h", "true")
    assert live.cli("why", "first").stdout == "held until it is released\n"
    lines = live.cli("queue").stdout.splitlines()
    assert lines[0] == f"{second} second  default  waits for first, which is held"
    assert lines[1].startswith(f"{third} third  default  waits for its time (")
    assert lines[2] == f"{first} first  gpu  held until it is released"
    task = client.get("second")
    assert (task["priority"], task["after"], task["retry"] and task["retry"]["max"]) == (
        7, [{"ref": first, "when": "any"}], 3,
    )  # fmt: skip
    assert live.cli("hold", "third").stdout == f"{third} third held\n"
    assert live.cli("release", "first").returncode == 0
    until(lambda: client.get("first")["state"] == "running")
    assert live.cli("group").stdout.splitlines()[-1] == "gpu: 1 of 1 slots used, 1 running, 0 waiting"
    live.cli("stop", "first", "third")
    assert ended(client, "second")["state"] == "succeeded"
    assert live.cli("why", "third").stdout == "cancelled: canceled before it started\n"
    done = live.cli("queue")
    assert (done.stdout, done.stderr) == ("", "jupyter ptytasks: no task is waiting\n")


def test_pending_tasks_are_moved(live: LiveServer, client: Client) -> None:
    def order() -> list[str]:
        return [line.split()[1] for line in live.cli("queue", "-g", "line").stdout.splitlines()]

    for name in ("a", "b", "c", "d"):
        start(live, "-n", name, "-g", "line", "--hold", "true")
    assert live.cli("queue", "move", "d", "--first").stdout == f"{client.get('d')['id']} d moved\n"
    assert order() == ["d", "a", "b", "c"]
    live.cli("queue", "move", "b", "c", "--before", "a")
    assert order() == ["d", "b", "c", "a"]
    live.cli("queue", "move", "a", "--after", "d")
    assert order() == ["d", "a", "b", "c"]
    moved = live.cli("queue", "move", "--last", "d", "a", "--json")
    assert [json.loads(line)["name"] for line in moved.stdout.splitlines()] == ["d", "a"]
    assert order() == ["b", "c", "d", "a"]
    for words, code, message in [
        (("a",), 2, "one of --before, --after, --first and --last is needed, or --group"),
        (("a", "--first", "--last"), 2, "one of --before"),
        (("a", "--before", "nobody"), 1, "before: no task has the id or name 'nobody'"),
        (("nobody", "--first"), 4, "nobody"),
    ]:
        done = live.cli("queue", "move", *words)
        assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert live.cli("queue", "-g", "line", "move", "a", "--first").returncode == 2
    assert live.cli("queue", "move", "c", "a", "--group", "other").returncode == 0
    assert order() == ["b", "d"]
    live.cli("queue", "move", "b", "-g", "other", "--before", "a")
    assert [line.split()[1] for line in live.cli("queue", "-g", "other").stdout.splitlines()] == ["c", "b", "a"]
    live.cli("delete", "--stop", "a", "b", "c", "d")


def test_the_queue_refuses_what_cannot_be(live: LiveServer) -> None:
    for arguments, message in [
        (("run", "--at", "soon", "true"), "'soon' is not a time"),
        (("run", "--at", "22:00", "--delay", "1h", "true"), "--at and --delay exclude each other"),
        (("run", "--retry-delay", "5m", "true"), "--retry-delay needs --retry"),
        (("run", "--after", "nobody", "true"), "no task has the id or name 'nobody'"),
        (("group", "--slots", "2"), "which group?"),
        (("group", "g", "--slots", "many"), "'many' is not a number"),
        (("group", "g", "--pause", "--resume"), "exclude each other"),
    ]:
        done = live.cli(*arguments)
        assert done.returncode != 0
        assert message in done.stderr, done.stderr


def test_names_that_are_wrong_or_taken(live: LiveServer, client: Client) -> None:
    for wrong, meant in (("runx", "run"), ("exportx", "export")):
        done = live.cli(wrong)
        assert done.returncode == 2
        assert f"No such command '{wrong}'; did you mean '{meant}'?" in done.stderr
    assert "did you mean" not in live.cli("xyz").stderr
    first = start(live, "-n", "taken", "--", "sleep", "1000")
    for verb in ("show", "stop", "logs"):
        done = live.cli(verb, "takn")
        assert done.returncode == 4
        assert "no task has the id or name 'takn'; did you mean 'taken'?" in done.stderr
    for line in ("run -n taken -- sleep 1000", "again taken"):
        done = live.cli(*line.split())
        assert done.returncode == 0
        new = done.stdout.split()[0]
        assert f"another live task has the name 'taken': {first}; the name now means {new}" in done.stderr
        client.delete(new, stop=True)
    assert live.cli("run", "-n", "taken", "--if-exists", "return", "--", "true").stderr == ""
    client.delete(first, stop=True)
    assert live.cli("run", "-n", "taken", "--", "true").stderr == ""


def test_a_task_is_exported_and_imported(live: LiveServer, client: Client, tmp_path: Path) -> None:
    ref = start(live, "-n", "moved", "-e", "SECRET=hunter2", "--", "echo", "hello")
    ended(client, ref)
    path = tmp_path / "moved.tar.gz"
    path.write_bytes(live.cli("export", "moved", text=False).stdout)  # type: ignore[arg-type]  # bytes
    done = live.cli("import", str(path))
    new, name = done.stdout.split(maxsplit=1)
    assert (done.returncode, name) == (0, "moved (2)\n")
    assert client.output(new)["output"] == "hello\n"
    assert f"task {ref} of " in live.cli("show", new).stdout
    path.write_bytes(path.read_bytes()[:-20])
    done = live.cli("import", str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert "not a valid archive of a task" in done.stderr
    assert live.cli("export", "nobody").returncode == 4


def test_input_as_it_is(live: LiveServer, client: Client) -> None:
    ref = start(live, "stty raw -echo; echo ready; head -c 5 | od -An -c")
    until(lambda: "ready" in client.output(ref)["output"])
    assert live.cli("input", "--no-newline", ref, "a").returncode == 0
    assert live.cli("input", ref, "\x1b").returncode == 0  # no Enter after a control character
    read, write = os.pipe()
    os.write(write, b"c\td")
    os.close(write)
    assert json.loads(live.cli("input", "--json", ref, "-", stdin=read).stdout)["id"] == ref
    os.close(read)
    ended(client, ref)
    assert "a 033   c  \\t   d" in client.output(ref)["output"]


def test_input_is_an_answer(live: LiveServer, client: Client) -> None:
    ref = start(live, "echo ready; read -r answer; echo got $answer")
    until(lambda: "ready" in client.output(ref)["output"])
    assert live.cli("input", ref, "y").returncode == 0
    ended(client, ref)
    assert "got y" in client.output(ref)["output"]


def test_delete_stop_and_its_alias(live: LiveServer) -> None:
    for verb in ("delete", "rm"):
        ref = start(live, "-n", "short-lived", "sleep", "1000")
        assert live.cli(verb, "--stop", ref).returncode == 0
        assert live.cli("show", ref).returncode == 4


def test_again_is_another_task(live: LiveServer, client: Client) -> None:
    ref = start(live, "-n", "first", "-e", "SEED=3", "echo seed $SEED")
    second = live.cli("again", "first")
    assert (second.returncode, second.stdout.split()[1]) == (0, "first")
    third = json.loads(live.cli("again", "--name", "third", "--json", ref).stdout)
    assert (third["name"], len({ref, second.stdout.split()[0], third["id"]})) == ("third", 3)
    ended(client, third["id"])
    assert client.output(third["id"])["output"] == "seed 3\n"
    assert live.cli("again", "misspelt").returncode == 4


# -- what goes wrong --------------------------------------------------------------------------------------------------


def test_no_server(live: LiveServer, tmp_path: Path) -> None:
    done = live.cli("ls", env={**live.environ, "JUPYTER_RUNTIME_DIR": str(tmp_path)})
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("jupyter ptytasks: no running Jupyter server found\n")
    assert "jupyter lab" in done.stderr
    assert live.cli("--url", "http://127.0.0.1:9/", "ls").returncode == 3
    done = live.cli("--url", "http://127.0.0.1:9/", "ls", "--json")
    assert (done.returncode, done.stdout) == (3, "")
    assert json.loads(done.stderr)["code"] == "server_not_found"


def test_no_such_task_no_entry_no_command(live: LiveServer) -> None:
    done = live.cli("show", "nobody")
    assert (done.returncode, done.stdout) == (4, "")
    assert "nobody" in done.stderr
    codes = [json.loads(line)["code"] for line in live.cli("stop", "--json", "no", "nobody").stderr.splitlines()]
    assert codes == ["task_not_found"] * 2
    done = live.cli("group", "default-")
    assert done.returncode == 4
    assert "did you mean 'default'?\n`jupyter ptytasks group`" in done.stderr
    done = live.cli("--token", "wrong", "ls")
    assert done.returncode == 1
    assert "--token" in done.stderr
    assert live.cli("nonsense").returncode == 2
    assert "Exit codes" in live.cli("--help").stdout


def test_one_word_is_completed(live: LiveServer, client: Client, tmp_path: Path) -> None:
    ref = start(live, "-n", "completed", "true")
    start(live, "-n", "complete me not", "true")
    words = {
        "_JUPYTER_PTYTASKS_COMPLETE": "bash_complete",
        "COMP_WORDS": "jupyter-ptytasks wait comp",
        "COMP_CWORD": "2",
    }
    done = live.cli(env={**live.environ, **words})
    assert done.stdout == "plain,completed\n"
    client.set_group("completed-group")
    client.create_sweep("true {x}", {"x": [1]}, name="completed-sweep", hold=True)
    client.create("true", name="completed-later", hold=True)
    for line, word in [
        ("retry comp", "completed-sweep"),
        ("sweep comp", "completed-sweep"),
        ("delete --sweep comp", "completed-sweep"),
        ("release completed-l", "completed-later"),
        ("hold completed-l", "completed-later"),
        ("queue move --before completed-l", "completed-later"),
        ("group comp", "completed-group"),
        ("run -g comp", "completed-group"),
        ("ls --group comp", "completed-group"),
    ]:
        asked = {"COMP_WORDS": f"jupyter-ptytasks {line}", "COMP_CWORD": f"{len(line.split())}"}
        assert live.cli(env={**live.environ, **words, **asked}).stdout == f"plain,{word}\n", line
    client.delete_sweep("completed-sweep", stop=True)
    client.delete("completed-later", stop=True)
    words["COMP_WORDS"] = f"jupyter-ptytasks wait {ref[:10]}"
    assert f"plain,{ref}\n" in live.cli(env={**live.environ, **words}).stdout
    done = live.cli(env={**live.environ, **words, "JUPYTER_RUNTIME_DIR": str(tmp_path)})
    assert (done.stdout.strip(), done.stderr) == ("", "")


# -- how people say things --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("2h", 7200), ("1h30m", 5400), ("0.5s", 0.5), ("500ms", 0.5), ("1d", 86400)]
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert values.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5x", "h", "-1", "1h foo"])
def test_invalid_durations_are_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        values.parse_duration(text)


@pytest.mark.parametrize(
    ("state", "ended", "status"),
    [
        ("succeeded", {"code": 0, "signal": None}, 0),
        ("failed", {"code": 7, "signal": None}, 7),
        ("failed", {"code": None, "signal": "SIGSEGV"}, 139),
        ("cancelled", {"code": 0, "signal": None}, 1),
        ("timed_out", {"code": 0, "signal": None}, 124),
        ("timed_out", {"code": None, "signal": "SIGTERM"}, 143),
        ("lost", {"code": None, "signal": None}, 1),
        ("lost", None, 1),
    ],
)
def test_exit_status(state: str, ended: dict[str, Any] | None, status: int) -> None:
    assert exit_status(cast("Task", {"state": state, "exit": ended})) == status


def test_help_takes_no_client() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "jupyter_ptytasks.cli", "logs", "--help"]
    done = subprocess.run(command, text=True, capture_output=True, check=True)
    assert "--follow" in done.stdout
    assert "click.core" in done.stderr
    assert "httpx" not in done.stderr
