"""Terminal screens over REST, of live and finished tasks, with and without an emulator."""

from __future__ import annotations

import asyncio
import shutil
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from jupyter_ptytasks.client import RequestFailed
from jupyter_ptytasks.server.terminals import screen
from tests.client.live import LiveServer
from tests.server.conftest import PATIENCE

if TYPE_CHECKING:
    from tests.server.conftest import Rest

pytest.importorskip("pyghostty")

STREAMS = Path(__file__).parents[1] / "data" / "streams"


async def shows(rest: Rest, ref: str, text: str) -> dict[str, Any]:
    """Return the screen of a task as soon as it shows this text."""
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = await rest("GET", "tasks", ref, "screen")
        assert answer.code == 200, answer.body
        found: dict[str, Any] = answer.json
        if text in "\n".join(found["lines"]):
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.05)


async def test_a_prompt_below_what_was_printed(rest: Rest) -> None:
    line = "printf '\\033]2;a title\\007one\\r\\n\\033[31mtwo\\033[0m\\r\\n'; printf 'Go? '; read x"
    await rest.create(line, name="asks", rows=5, cols=20)
    assert await shows(rest, "asks", "Go?") == {
        "rows": 5,
        "cols": 20,
        "cursor": {"row": 2, "col": 4, "visible": True},
        "lines": ["one", "two", "Go?", "", ""],
        "title": "a title",
        "alternate": False,
    }
    plain = await rest("GET", "tasks", "asks", "screen", format="text")
    assert plain.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert plain.body == b"one\ntwo\nGo?\n"
    colored = await rest("GET", "tasks", "asks", "screen", format="ansi")
    assert b"31mtwo" in colored.body.replace(b"38;5;1m", b"31m")
    assert (await rest("GET", "tasks", "asks", "screen", format="svg")).code == 400


async def test_a_size_that_was_changed_is_that_of_the_screen(rest: Rest) -> None:
    await rest.create("printf 'x%.0s' $(seq 30); exec sleep 1000", name="wide", rows=5, cols=40)
    await shows(rest, "wide", "x" * 30)
    assert (await rest("POST", "tasks", "wide", "resize", body={"rows": 6, "cols": 20})).code == 204
    found = await shows(rest, "wide", "x" * 10)
    while found["cols"] != 20:
        found = await shows(rest, "wide", "x" * 10)
    assert found["rows"] == 6
    assert found["lines"][:2] == ["x" * 20, "x" * 10]


async def test_a_recording_of_a_full_screen_program(rest: Rest) -> None:
    """Its screen is shown while the task runs, and what remains after it was killed."""
    await rest.create(f"cat {STREAMS / 'htop'}; exec sleep 1000", name="htop", rows=24, cols=80)
    live = await shows(rest, "htop", "F10Quit")
    assert live["alternate"]
    assert live["lines"][0] == ""
    await rest("POST", "tasks", "htop", "stop", body={"signals": ["SIGKILL"]})
    await rest.wait("htop")
    assert await shows(rest, "htop", "F10Quit") == live


@pytest.mark.skipif(not shutil.which("vi"), reason="needs vi")
async def test_an_editor_that_runs(rest: Rest) -> None:
    await rest.create("echo below; TERM=xterm exec vi -u NONE -i NONE", name="vi", rows=10, cols=40)
    await shows(rest, "vi", "~")
    await rest("POST", "tasks", "vi", "input", body={"data": "ihello", "newline": False})
    found = await shows(rest, "vi", "hello")
    assert found["alternate"]
    assert found["lines"][0] == "hello"
    assert (found["cursor"]["row"], found["cursor"]["col"]) == (0, 5)
    await rest("POST", "tasks", "vi", "input", body={"data": "\x1b:q!\r", "newline": False})
    await rest.wait("vi")
    left = await shows(rest, "vi", "below")
    assert not left["alternate"]


async def test_tasks_without_output_have_an_empty_screen(rest: Rest) -> None:
    await rest.create("true", name="held", hold=True, rows=3)
    found = (await rest("GET", "tasks", "held", "screen")).json
    assert found["lines"] == ["", "", ""]
    assert found["cursor"] == {"row": 0, "col": 0, "visible": True}
    assert (await rest("GET", "tasks", "held", "screen", format="text")).body == b"\n"
    assert (await rest("GET", "tasks", "nobody", "screen")).code == 404


async def test_hostile_output_blocks_no_request(rest: Rest) -> None:
    """During a flood of output that is slow to draw, at the maximum size, other requests get responses."""
    program = r"""
        import sys
        for number in range(200_000):
            place = f"{number % 999 + 1};{number % 777}"
            sys.stdout.write(f"\x1b[{place}H\x1b[3{number % 8}m\u6f22\u0301\x1b[L\x1b[?6h\x1b7")
        sys.stdout.write("\x1b[999;1H\x1b]2;" + "t" * 100_000 + "\x07\x1b_" + "G" * 300_000 + "\x1b\\the end")
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    await rest.create(command, name="flood", rows=1000, cols=1000)
    await rest.wait("flood")
    asked = [asyncio.ensure_future(rest("GET", "tasks", "flood", "screen")) for _ in range(3)]
    slowest = 0.0
    while not all(one.done() for one in asked):
        began = time.monotonic()
        assert (await rest("GET", "tasks", limit=1)).code == 200
        slowest = max(slowest, time.monotonic() - began)
    found = [one.result() for one in asked]
    assert {one.code for one in found} == {200}
    assert len(found[0].json["lines"]) == 1000
    assert slowest < 10.0


async def test_an_emulator_that_is_killed_is_started_again(rest: Rest) -> None:
    await rest.create("echo shown", name="text")
    await rest.wait("text")
    await shows(rest, "text", "shown")
    (process,) = emulators()
    process.kill()
    await shows(rest, "text", "shown")


def emulators() -> list[psutil.Process]:
    """The emulators of the server in this process."""
    return [child for child in psutil.Process().children() if child.cmdline()[-1:] == [screen._PROGRAM]]


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import time\ntime.sleep(1000)", "did not respond within 1 s"),
        ("import os\nos._exit(3)", "ended without a response"),
        ("print('{', flush=True)\nimport time\ntime.sleep(1000)", "its response is invalid"),
    ],
)
async def test_an_emulator_that_fails_is_an_error(
    rest: Rest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jp_data_dir: Path, program: str, said: str
) -> None:
    broken = tmp_path / "emulator.py"
    broken.write_text(program)
    monkeypatch.setattr(screen, "_PROGRAM", str(broken))
    monkeypatch.setattr(screen, "_PATIENCE", 1.0)
    await rest.create("true", name="held", hold=True)
    answer = await rest("GET", "tasks", "held", "screen")
    assert answer.code == 500
    assert answer.json["code"] == "internal_error"
    assert said in answer.json["message"]


def test_without_the_package_the_error_says_what_to_install(tmp_path: Path) -> None:
    """The server does not import it, so only requests for screens fail."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "pyghostty.py").write_text("raise ModuleNotFoundError('No module named pyghostty')")
    server = LiveServer(tmp_path / "home")
    server.extra_path = str(hidden)
    try:
        with server.start().client() as client:
            client.create("echo hello", name="text")
            with pytest.raises(RequestFailed) as caught:
                client.screen("text")
    finally:
        server.stop()
    assert (caught.value.http_status, caught.value.code) == (501, "extra_missing")
    assert "pip install 'jupyter_ptytasks[screen]'" in caught.value.message
