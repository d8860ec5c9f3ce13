"""The command line with any text and any output encoding: no traceback, and no truncated output."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.cli import listing
from jupyter_ptytasks.client import Client, RequestFailed, caller_env
from jupyter_ptytasks.client import format as formats
from tests.client.live import CLI, LiveServer, ended

if TYPE_CHECKING:
    from collections.abc import Callable

#: Latin-1 for é: no UTF-8, and so a surrogate in Python.
LATIN = os.fsdecode(b"caf\xe9")
SAMPLE = Path(__file__).parents[1] / "contract" / "task.json"

#: In Python's own words: a locale that knows ASCII only.
ASCII_ONLY = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture(scope="module")
def greek(live: LiveServer) -> str:
    """Return a task whose name and output are neither ASCII nor Latin-1."""
    with live.client() as client:
        task = client.create("echo Ω; exit 3", name="café Ω")
        return ended(client, task["id"])["id"]


@pytest.mark.parametrize(
    ("arguments", "code", "about"),
    [
        (["run", "-n", LATIN, "--", "true"], 1, "name: the text is not valid UTF-8"),
        (["run", "--", "echo", LATIN], 1, "command: the text is not valid UTF-8"),
        (["run", "-e", f"X={LATIN}", "true"], 1, "env: the text is not valid UTF-8"),
        (["run", "-e", f"{LATIN}=1", "true"], 1, "env: the text is not valid UTF-8"),
        (["run", "--cwd", LATIN, "true"], 1, "cwd: the text is not valid UTF-8"),
        (["run", "-t", LATIN, "true"], 1, "tags: the text is not valid UTF-8"),
        (["ls", "-g", LATIN], 1, "group: the text is not valid UTF-8"),
        (["logs", LATIN], 4, "no task"),
        (["delete", LATIN], 4, "no task"),
    ],
)
def test_what_no_request_can_carry_is_refused(live: LiveServer, arguments: list[str], code: int, about: str) -> None:
    done = live.cli(*arguments)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert about in done.stderr
    assert "Traceback" not in done.stderr


def test_standard_input_that_is_not_utf8_is_refused(live: LiveServer, client: Client) -> None:
    task = client.create(["cat"])["id"]
    with subprocess.Popen(["printf", r"caf\351"], stdout=subprocess.PIPE) as printing:
        done = live.cli("input", task, "-", stdin=printing.stdout)
    assert (done.returncode, "data: the text is not valid UTF-8" in done.stderr) == (1, True), done.stderr
    client.stop(task, signals=["SIGKILL"])


def test_directories_that_are_not_utf8_do_not_keep_tasks_from_running(live: LiveServer, client: Client) -> None:
    env = {**live.environ, "PATH": f"/mine:/{LATIN}:{live.environ['PATH']}", "CONDA_PREFIX": f"/{LATIN}"}
    done = live.cli("run", "--wait", "echo $PATH, $CONDA_PREFIX", env=env)
    assert done.returncode == 0, done.stderr
    output = client.output(done.stdout.split()[0])["output"]
    assert output.startswith("/mine:")
    assert "caf" not in output


def test_utf8_in_a_locale_that_knows_none_of_it(live: LiveServer, client: Client) -> None:
    done = live.cli("run", "-n", "né Ω", "--", "echo", "Ω", env={**live.environ, **ASCII_ONLY}, encoding="utf-8")
    task = ended(client, done.stdout.split()[0])
    assert (task["name"], task["command"]) == ("né Ω", ["echo", "Ω"])


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp437"])
@pytest.mark.parametrize("command", ["ls", "show", "logs", "wait", "delete"])
def test_any_encoding_of_the_output_will_do(live: LiveServer, greek: str, command: str, encoding: str) -> None:
    refs = {"ls": [], "delete": ["no such Ω"]}.get(command, [greek])
    env = {**live.environ, "PYTHONIOENCODING": encoding}
    done = live.cli(command, *refs, env=env, encoding="utf-8", errors="replace")
    assert "Traceback" not in done.stderr
    assert done.returncode == {"wait": 3, "delete": 4}.get(command, 0)
    told = live.cli(command, "--json", *refs, env=env, encoding=encoding)
    values = [json.loads(line) for line in (told.stdout or told.stderr).splitlines()]
    assert values
    if command in ("show", "wait"):
        assert values[0]["name"] == "café Ω"


def broken(live: LiveServer, streams: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command with the streams as a shell has them."""
    line = f'"$@" {streams}'
    return subprocess.run(
        ["/bin/sh", "-c", line, "sh", *CLI, *arguments],
        cwd=live.home,
        env=live.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


COMMANDS: list[Callable[[str], list[str]]] = [
    lambda _: ["ls"],
    lambda _: ["ls", "--json"],
    lambda _: ["status"],
    lambda _: ["--help"],
    lambda task: ["show", task],
    lambda task: ["logs", task],
    lambda task: ["logs", "-f", "--ansi", task],
    lambda task: ["wait", task],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command("TASK")))
def test_a_full_disk_is_reported_and_fails(live: LiveServer, greek: str, command: Callable[[str], list[str]]) -> None:
    done = broken(live, ">/dev/full", *command(greek))
    said = "jupyter ptytasks: cannot write output: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_a_full_disk_does_not_hide_what_was_started(live: LiveServer, client: Client) -> None:
    done = broken(live, ">/dev/full", "run", "-n", "unsaid", "--", "true")
    assert done.returncode == 1
    assert f"started task {ended(client, 'unsaid')['id']} unsaid" in done.stderr


@pytest.mark.parametrize("command", [["ls"], ["logs", "TASK"], ["show", "--json", "TASK"]])
def test_no_one_reads(live: LiveServer, greek: str, command: list[str]) -> None:
    arguments = [greek if word == "TASK" else word for word in command]
    # The pipe has no reader before anything is written to it.
    done = broken(live, "| { exec 0<&-; } ; exit 0", *arguments)
    assert done.stderr == ""
    for streams in (">&-", "<&- >&- 2>&-"):
        done = broken(live, streams, *arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_reader_that_stops_ends_it_quietly(live: LiveServer, client: Client) -> None:
    task = client.create("seq 1 200000")["id"]
    ended(client, task)
    for options in ([], ["-f", "--ansi"], ["--json"]):
        with subprocess.Popen(
            [*CLI, "logs", *options, task], cwd=live.home, env=live.environ, stdout=-1, stderr=-1
        ) as reading:
            assert reading.stdout
            assert reading.stderr
            reading.stdout.read(1)
            reading.stdout.close()
            assert (reading.stderr.read(), reading.wait()) == (b"", 141)


# -- odd text of the server's -----------------------------------------------------------------------------------------

ODD = {"name": "a\ud800b", "command": "printf '\x1b[2J'\n\ttrue", "tags": ["\x9b2J"], "state_message": "\x1b]0;x\x07"}


def test_odd_text_of_a_task_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    task: Any = {**json.loads(SAMPLE.read_text()), **ODD}
    listing._print_table([task])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert all(text in shown for text in (r"a\ud800b", r"printf '\x1b[2J' true", r"\x9b2J"))


def test_one_odd_task_hides_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    good = json.loads(SAMPLE.read_text())
    tomorrow: Any = {**good, "name": "of tomorrow", "state": "dreaming"}
    changes: list[dict[str, Any]] = [
        {"created": None, "started": None},
        {"tags": None},
        {"exit": 7},
        {"command": None},
        {"progress": {}},
    ]
    for change in changes:
        odd: Any = {**good, "name": "odd one", **change}
        listing._print_table([odd, good, tomorrow])
        shown = capsys.readouterr()
        assert [line.split()[1] for line in shown.out.splitlines()] == ["NAME", "train", "of"]
        assert shown.err == "jupyter ptytasks: 1 task could not be shown: odd one\n"
    nothing: Any = {"id": "x"}
    listing._print_table([nothing])
    assert capsys.readouterr().out == ""


def test_what_a_request_cannot_carry_is_our_error(client: Client) -> None:
    nested: Any = []
    for _ in range(100_000):
        nested = [nested]
    for metadata in ({"x": float("nan")}, {"x": float("inf")}, {"\udce9": 1}, {"x": nested}):
        with pytest.raises(RequestFailed) as caught:
            client.create("true", metadata=metadata)
        assert (caught.value.code, caught.value.field) == ("bad_request", "metadata")


@given(st.text())
def test_visible_text_can_be_printed_and_moves_nothing(text: str) -> None:
    assert formats.visible(text).isprintable()
    if text.isprintable():
        assert formats.visible(text) == text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_utf8_is_found_in_what_was_read_as_ascii(text: str) -> None:
    assert caller_env.as_utf8(text.encode().decode("ascii", "surrogateescape")) == text


@given(st.binary())
def test_bytes_from_the_system_survive_the_round_trip(data: bytes) -> None:
    text = caller_env.as_utf8(os.fsdecode(data))
    assert os.fsencode(text) == data
