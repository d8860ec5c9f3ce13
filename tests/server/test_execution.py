"""Starting tasks over REST: invalid commands are refused immediately, and valid ones start."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.server.extension import PtyTasksApp
from jupyter_ptytasks.server.settings import _usable_shell

if TYPE_CHECKING:
    from tests.server.conftest import Rest
    from tests.server.serving import Served

#: The longest argument that Linux takes, with its end.
SINGLE = 32 * os.sysconf("SC_PAGE_SIZE")
#: What Jupyter, a hub and a gateway know and tasks must not.
SECRETS = (
    "JUPYTER_PTYTASKS_TOKEN",
    "JUPYTERHUB_CRYPT_KEY",
    "JUPYTERHUB_COOKIE_SECRET",
    "JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES",
    "JUPYTER_GATEWAY_HTTP_PWD",
    "JUPYTER_GATEWAY_AUTH_TOKEN",
    "JUPYTER_PASSWORD",
)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"command": [""]}, "command"),
        ({"command": ["true", "\ud800"]}, "command"),
        ({"command": "echo \ud800"}, "command"),
        ({"command": ["true", "x" * SINGLE]}, "command"),
        ({"command": ["true", *["x" * 1000] * 3000]}, "command"),
        ({"command": "true", "env": {"A": "\ud800"}}, "env"),
        ({"command": "true", "env": {"A": "x" * SINGLE}}, "env"),
        ({"command": "true", "env": {f"A{number}": "x" * 1000 for number in range(3000)}}, "env"),
        ({"command": ["/dev/null"]}, "command"),
    ],
)
async def test_what_cannot_be_started_is_refused_at_once(
    rest: Rest, served: Served, body: dict[str, Any], field: str
) -> None:
    began = time.monotonic()
    answer = await rest("POST", "tasks", body=body)
    assert answer.code == 400
    assert answer.json["code"] in ("spawn_failed", "bad_request")
    assert answer.json["field"].partition(".")[0] == field
    assert time.monotonic() - began < 5
    assert (await rest("GET", "tasks")).json["tasks"] == []
    assert list(served.data_dir.glob("ptytasks/tasks/*")) == []


async def test_no_ptyhost_can_be_started(rest: Rest, jp_data_dir: Any, jp_runtime_dir: Any) -> None:
    ran = jp_data_dir / "ran"
    directory = jp_runtime_dir / "ptytasks"
    directory.rename(jp_runtime_dir / "kept")
    directory.touch()
    answer = await rest("POST", "tasks", body={"command": f"touch {ran}"})
    assert (answer.code, answer.json["code"]) == (500, "internal_error")
    assert answer.json["message"].startswith("the ptyhost could not be started: ")
    assert (await rest("GET", "tasks")).json["tasks"] == []
    directory.unlink()
    (jp_runtime_dir / "kept").rename(directory)
    await rest.create(f"echo ran > {ran}", name="now")
    assert (await rest.wait("now"))["state"] == "succeeded"
    assert ran.read_text() == "ran\n"


async def test_a_line_of_any_length_runs(rest: Rest) -> None:
    line = f'echo $#; read word; echo "<$word>"; : {"x" * (2 * SINGLE)}; exit 3'
    await rest.create(line, name="long")
    await rest("POST", "tasks", "long", "input", body={"data": "hello", "newline": True})
    task = await rest.wait("long")
    assert (task["exit"]["code"], task["command"]) == (3, line)
    assert (await rest.output("long"))["output"].replace("hello\n", "", 1).split() == ["0", "<hello>"]
    await rest("POST", "tasks", "long", "restart")
    await rest("POST", "tasks", "long", "input", body={"data": "again", "newline": True})
    assert (await rest.wait("long"))["attempt"] == 2
    assert "<again>" in (await rest.output("long"))["output"]


async def test_a_restart_that_cannot_be_started_says_so_and_stops_nothing(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's own environment has grown."""
    await rest.create("true", name="task")
    await rest.wait("task")
    await rest.create("sleep 1000", name="nap")
    for number in range(3000):
        monkeypatch.setenv(f"A{number}", "x" * 1000)
    for name, state in (("task", "succeeded"), ("nap", "running")):
        answer = await rest("POST", "tasks", name, "restart")
        assert (answer.code, answer.json["field"]) == (400, "env")
        assert (await rest.get(name))["state"] == state


async def test_the_task_is_where_its_variables_say(rest: Rest, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PWD", "/nowhere")
    monkeypatch.setenv("OLDPWD", "/nowhere")
    for name in SECRETS:
        monkeypatch.setenv(name, "hush")
    monkeypatch.setenv("JUPYTER_PATH", "/kept")
    (served.root_dir / "sub").mkdir()
    # Not by a shell: it sets both by itself.
    await rest.create(["env"], name="env", cwd="sub")
    await rest.wait("env")
    lines = (await rest.output("env"))["output"].splitlines()
    assert f"PWD={served.root_dir / 'sub'}" in lines
    assert "JUPYTER_PATH=/kept" in lines
    assert not [line for line in lines if "hush" in line or "nowhere" in line]


async def test_the_servers_environment_is_on_no_disk(
    rest: Rest, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUD_KEY", "hush-hush")
    task = await rest.create('echo "$CLOUD_KEY $MINE"; sleep 100', name="task", env={"MINE": "mine"})
    await rest.until_output("task", "hush-hush mine")
    directory = served.data_dir / "ptytasks" / "tasks" / task["id"]
    for path in directory.glob("*.*"):
        assert "hush-hush" not in path.read_text()
    spec = json.loads((directory / "spec.json").read_text())
    assert spec["given_env"] == {"MINE": "mine"}
    await rest("POST", "tasks", "task", "stop", body={"signals": ["KILL"]})
    await rest.wait("task")
    # Older versions kept all of it.
    (directory / "spec.json").write_text(json.dumps({**spec, "env": {"CLOUD_KEY": "older"}}))
    await rest("POST", "tasks", "task", "restart")
    await rest.until_output("task", "attempt 2 ──\nhush-hush mine")
    assert "env" not in json.loads((directory / "spec.json").read_text())


async def test_a_line_that_the_terminal_would_cut_is_refused(rest: Rest, attach: Any) -> None:
    await rest.create('stty -echo; echo ready; while read line; do echo "${#line}"; done', name="cat")
    await rest.until_output("cat", "ready")

    async def type_(data: str) -> Any:
        return await rest("POST", "tasks", "cat", "input", body={"data": data, "newline": False})

    answer = await type_("x" * 4096 + "\n")
    assert (answer.code, answer.json["code"]) == (409, "input_refused")
    assert "longer than the 4095 bytes" in answer.json["message"]
    assert "nothing was typed" in answer.json["message"]
    assert (await type_("one\n" + "x" * 5000)).code == 409
    assert (await type_("y" * 4095 + "\n" + "two\n")).code == 200
    assert (await rest.until_output("cat", "4095\n3\n")).endswith("ready\n4095\n3\n")
    viewer = await (await attach("cat")).attached()
    await viewer.type("p" * 5000 + "\r")
    refused = (await viewer.until(lambda viewer: viewer.event("refused"))).event("refused")
    assert (refused["reason"], refused["bytes"], refused["limit"]) == ("line_too_long", 5001, 4095)
    assert "longer than the 4095 bytes" in refused["message"]
    await viewer.type("short\r")
    await viewer.shows("5\r\n")


async def test_of_what_is_longer_than_a_frame_the_first_may_have_been_typed(rest: Rest) -> None:
    await rest.create("stty -echo; echo ready; exec cat >/dev/null", name="cat")
    await rest.until_output("cat", "ready")
    data = ("z" * 1023 + "\n") * 1024 + "x" * 5000
    answer = await rest("POST", "tasks", "cat", "input", body={"data": data, "newline": False})
    assert answer.code == 409
    assert "only the first 1048576 bytes were typed" in answer.json["message"]


@pytest.mark.parametrize(
    ("shell", "usable"),
    [
        ("/bin/bash", "/bin/bash"),
        ("bash", None),
        ("/no/such/shell", None),
        ("/etc/passwd", None),
        ("/", None),
        ("/usr/sbin/nologin", None),
        ("/bin/false", None),
        ("/bin/true", None),
        ("", None),
        (None, None),
    ],
)
def test_a_shell_that_runs_nothing_is_not_used(
    monkeypatch: pytest.MonkeyPatch, jp_serverapp: Any, shell: str | None, usable: str | None
) -> None:
    if shell is None:
        monkeypatch.delenv("SHELL", raising=False)
    else:
        monkeypatch.setenv("SHELL", shell)
    if shell != "bash":
        assert _usable_shell(shell) == usable
    app = PtyTasksApp(serverapp=jp_serverapp)
    chosen, login = app.shell_command
    assert login == "-l"
    assert os.access(chosen, os.X_OK)
    assert os.path.basename(chosen) == (os.path.basename(shell) if usable and shell else chosen.rpartition("/")[2])
    assert os.path.basename(chosen) in ("sh", "bash")
