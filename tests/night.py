"""The runs of a night, as docs/runs.md has them: three hundred short trainings in a queue, of which twelve fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.client.live import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_ptytasks.client.literals import StateName
    from tests.client.live import LiveServer

_PAGE = (Path(__file__).parents[1] / "docs" / "runs.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the code of this language in the page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL)


def steps(session: str) -> list[tuple[str, str]]:
    """Return the commands of a session in a terminal, each with what it prints."""
    halves = (step.partition("\n") for step in session.removeprefix("$ ").split("\n$ "))
    return [(command, shown) for command, _, shown in halves]


def shell(server: LiveServer, command: str, directory: Path) -> str:
    """Run a line in a shell of the server's user, and return what it prints."""
    path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=directory,
        env={**server.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def pass_in(server: LiveServer, directory: Path) -> None:
    """Run the trainings in a directory of the server, and return when all have ended and their metrics are known."""
    (directory / "train.py").write_text(blocks("python")[0], encoding="utf-8")
    for command, _ in steps(blocks("console")[0]):
        shell(server, command, directory)
    with server.client() as client:
        until(lambda: _is_over(client.sweep("sine")["states"]), "the end of the night", timeout=5 * PATIENCE)
        until(lambda: len(client.list(state=["succeeded"], sort="min.val_loss", limit=1)["tasks"][0]["metrics"]) == 2)


def _is_over(states: Mapping[StateName, int]) -> bool:
    return states["succeeded"] + states["failed"] == sum(states.values())
