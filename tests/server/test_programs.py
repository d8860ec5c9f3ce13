"""Real programs: a viewer that reattaches sees the same screen as one that never left."""

from __future__ import annotations

import asyncio
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.data.record import COLS, PROGRAMS, ROWS, TEXT
from tests.oracle.client import xterm
from tests.server.conftest import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.oracle.client import Snapshot, Xterm
    from tests.server.conftest import Rest, Viewer

__all__ = ["xterm"]

#: More than the ring below holds: what a program writes must be able to push all that came before out of it.
FLOOD = "head -c 150000 /dev/zero | tr '\\0' '.' | fold -w 70; "
#: What is typed to make a program write more than the ring holds, without changing what it shows in the end.
TURNS = {"vim": "\x06\x02", "less": " b", "nano": "\x16\x19"}


@pytest.fixture
def server_options() -> dict[str, dict[str, Any]]:
    return {"PtyTasksApp": {"ring_size": 1 << 16, "segment_size": 1 << 13}}


def shown(snapshot: Snapshot) -> dict[str, Any]:
    """What is to be seen: the screen, its cursor and the terminal's modes."""
    screen = snapshot["alt" if snapshot["alternate"] else "normal"]
    return {
        "lines": screen["lines"][screen["base"] :],
        "cursor": (screen["x"], screen["y"]),
        **{key: snapshot[key] for key in ("alternate", "modes", "title", "pen")},
    }


async def up_to(viewer: Viewer, end: int) -> None:
    """Read until all output before the offset `end` has come."""
    await viewer.until(lambda viewer: viewer.offset >= end)


async def compare(rest: Rest, xterm: Xterm, name: str, stayed: Viewer, back: Viewer) -> None:
    """Until both show the same: the program needs its time to repaint. It stands still while we look."""
    deadline = time.monotonic() + PATIENCE
    while True:
        await rest("POST", "tasks", name, "pause")
        end = (await rest.until(name, lambda task: task["state"] == "paused"))["output"]["end"]
        for viewer in (stayed, back):
            await up_to(viewer, end)
        texts = [viewer.text.encode() for viewer in (stayed, back)]
        expected, found = map(shown, xterm.show(*texts, rows=ROWS, cols=COLS))
        if found == expected:
            return
        if time.monotonic() > deadline:
            assert found == expected
        await rest("POST", "tasks", name, "resume")
        await rest.until(name, lambda task: task["state"] == "running")
        await asyncio.sleep(0.1)


async def typed(rest: Rest, name: str, viewer: Viewer, keys: list[str]) -> None:
    """Type each of `keys` when the program has drawn something since the last one."""
    for key in keys:
        end = (await rest.get(name))["output"]["end"]
        await viewer.type(key)
        await up_to(viewer, end + 1)


NAMES = ["vim", "nano", "less", "top", "htop", "python", "tqdm", "rich"]


@pytest.mark.parametrize(
    ("program", "wrapped"),
    [
        *((name, when) for name in NAMES for when in ("not wrapped", "wrapped before")),
        *((name, "wrapped within") for name in TURNS),
    ],
)
async def test_coming_back(rest: Rest, attach: Any, xterm: Xterm, tmp_path: Path, program: str, wrapped: str) -> None:
    command, keys = PROGRAMS[program]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{program} is not installed")
    tmp_path.joinpath("text").write_text(TEXT)
    line = FLOOD * (wrapped == "wrapped before") + "exec " + " ".join(map(quoted, command))
    if program in ("tqdm", "rich"):
        line = line.replace("exec ", "") + "; exec cat"
    await rest.create(line, name="p", cwd=str(tmp_path), rows=ROWS, cols=COLS, env={"LANG": "C.UTF-8"})
    stayed = await (await attach("p", lines=0)).attached()
    await stayed.send("set_size", ROWS, COLS)
    await rest.until("p", lambda task: task["output"]["end"] > (150_000 if wrapped == "wrapped before" else 0))
    await typed(rest, "p", stayed, keys)
    if wrapped == "wrapped within":
        while (await rest.get("p"))["output"]["start"] == 0:
            await typed(rest, "p", stayed, list(TURNS[program]))
    back = await (await attach("p")).attached()
    await compare(rest, xterm, "p", stayed, back)
    assert xterm.answers(back.text.encode()) == []


def quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
