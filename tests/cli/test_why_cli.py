"""`why` on the command line, as docs/why.md shows it, and the reason next to exit codes."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tests.client.live import ended

if TYPE_CHECKING:
    from jupyter_ptytasks.client import Client
    from tests.client.live import LiveServer

PAGE = (Path(__file__).parents[2] / "docs" / "why.md").read_text(encoding="utf-8")
REASON = "ValueError: the learning rate must be positive, not -1 (train.py:3)"


def blocks(language: str) -> list[str]:
    """Return the code of this language in the page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_shows_what_is_printed(live: LiveServer, client: Client, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(blocks("python")[0])
    (session,) = blocks("console")
    start, why = session.removeprefix("$ ").split("\n$ ")
    assert live.cli(*shlex.split(start)[2:], cwd=tmp_path).returncode == 0
    ended(client, "train")
    command, _, shown = why.partition("\n")
    assert live.cli(*shlex.split(command)[2:]).stdout.replace(str(tmp_path), "/home/ada") == shown
    told = json.loads(live.cli("why", "train", "--json").stdout.replace(str(tmp_path), "/home/ada"))
    assert {**told, "id": "mwp0c3k9d2ab"} == json.loads(blocks("json")[0])
    assert f"failed: {REASON}" in live.cli("show", "train").stdout
    assert live.cli("wait", "train").stdout.endswith(f": {REASON}\n")
    assert REASON in next(line for line in live.cli("ls").stdout.splitlines() if "train" in line)


def test_of_what_has_not_failed_there_is_little_to_tell(live: LiveServer, client: Client) -> None:
    client.create("true", name="fine")
    client.create("exec sleep 1000", name="runs")
    client.create("printf 'fatal: \\033]0;x\\007odd\\n'; exit 4", name="odd")
    for name in ("fine", "odd"):
        ended(client, name)
    assert live.cli("why", "fine").stdout == "succeeded\n"
    assert live.cli("why", "runs").stdout == "running\n"
    assert live.cli("why", "odd").stdout == "failed: fatal: odd\n0 | fatal: odd\n"
    assert live.cli("why", "nobody").returncode == 4
