"""The far end for tests: a relay in its own process with its own home directory, over a byte stream."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from jupyter_ptytasks.core.paths import TaskFiles
from jupyter_ptytasks.core.ring.format import index_path, list_bases, log_path
from jupyter_ptytasks.provision.program import LOADER, Program, program
from jupyter_ptytasks.provision.remote import Relay
from tests.ptyhost.hosting import PATIENCE, is_alive, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


class Far:
    """Another machine, as far as a home is one."""

    def __init__(self, root: Path, python: str = sys.executable) -> None:
        self.home = root / "far"
        self.home.mkdir(exist_ok=True)
        self.tmp = root / "tmp"
        self.tmp.mkdir(exist_ok=True)
        self.python = python
        self.near = root / "near"
        self.noise = ""

    def argv(self) -> list[str]:
        """Return what leads there."""
        line = f"{self.noise} exec {self.python} -I -S -X utf8 -c '{LOADER}'"
        path = "PATH=/usr/bin:/bin"
        return ["env", "-i", f"HOME={self.home}", f"TMPDIR={self.tmp}", path, "SHELL=/bin/sh", "sh", "-c", line]

    def files(self, task_id: str) -> TaskFiles:
        """Return a task's files there."""
        return TaskFiles(str(self.home / ".local/share/ptytasks/tasks" / task_id))

    def here(self, task_id: str) -> TaskFiles:
        """Return the copies of a task's files."""
        directory = self.near / task_id
        directory.mkdir(parents=True, exist_ok=True)
        return TaskFiles(str(directory))

    @contextlib.asynccontextmanager
    async def relay(self, what: Program | None = None) -> AsyncIterator[Relay]:
        """Run a relay."""
        near = await Relay.start(self.argv(), what or program())
        try:
            yield near
        finally:
            near.close()
            await near.ended()

    def is_same(self, task_id: str) -> bool:
        """Return whether the copy of a ring is that ring, byte for byte."""
        there, here = self.files(task_id).output, self.here(task_id).output
        return bool(list_bases(there)) and _content(there) == _content(here)

    def end(self, task_id: str) -> None:
        """Wait until nothing is left of a task's ptyhost, killing it if need be."""
        with contextlib.suppress(OSError, ValueError):
            with open(self.files(task_id).host, encoding="utf-8") as file:
                host = json.load(file)
            for name in ("pid", "host_pid"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(host[name], 9)
            wait_until(lambda: not is_alive(host["host_pid"]))


def _content(output: str) -> list[tuple[int, bytes, bytes]]:
    found = []
    for base in list_bases(output):
        with open(log_path(output, base), "rb") as log, open(index_path(output, base), "rb") as index:
            found.append((base, log.read(), index.read()))
    return found


def spec(task_id: str, command: str | list[str], **about: Any) -> dict[str, Any]:
    """Return the spec of a task."""
    return {
        "id": task_id,
        "attempt": 1,
        "kind": "command",
        "command": command,
        "argv": [],
        "cwd": "",
        "rows": 24,
        "cols": 80,
        "ladder": [["SIGINT", 0.5], ["SIGTERM", 0.5], ["SIGKILL", 0]],
        "timeout": None,
        "ring": {"size": 64 << 20, "segment": 4 << 20},
        **about,
    }


async def until(condition: Callable[[], Any]) -> Any:
    """Return the value of `condition` as soon as it is true."""
    return await asyncio.to_thread(wait_until, condition, PATIENCE)
