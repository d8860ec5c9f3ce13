"""Screens of terminals on the command line, in Python and for agents, as docs/screen.md shows them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks import get
from jupyter_ptytasks.client import RequestFailed
from tests.ptyhost.hosting import wait_until

if TYPE_CHECKING:
    from jupyter_ptytasks.client import Client
    from tests.client.live import LiveServer

pytest.importorskip("pyghostty")

PAGE = (Path(__file__).parents[2] / "docs" / "screen.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the code of this language in the page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_shows_what_is_printed(live: LiveServer, client: Client) -> None:
    (session,) = blocks("console")
    _, start, screen = session.removeprefix("$ ").split("\n$ ")
    assert live.cli(*shlex.split(start.splitlines()[0])[2:]).returncode == 0
    wait_until(lambda: "sdb" in client.screen_text("menu"))
    command, _, shown = screen.partition("\n")
    assert live.cli(*shlex.split(command)[2:]).stdout == shown
    told = json.loads(live.cli("screen", "menu", "--json").stdout)
    example = json.loads(blocks("json")[0])
    assert told["lines"][:3] == shown.splitlines() == example["lines"][:3]
    assert {**told, "lines": 0} == {**example, "lines": 0}


def test_colors_are_shown_when_they_are_asked_for(live: LiveServer, client: Client) -> None:
    client.create("printf '\\033[42mgreen\\033[0m'", name="green")
    wait_until(lambda: "green" in client.screen_text("green"))
    assert live.cli("screen", "green").stdout == "green\n"
    assert re.search(r"\x1b\[[0-9;]*m.*green", live.cli("screen", "green", "--ansi").stdout)
    assert live.cli("screen", "green", "--ansi", "--json").returncode == 2
    assert live.cli("screen", "nobody").returncode == 4


def test_in_python(live: LiveServer, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PTYTASKS_URL", live.url)
    monkeypatch.setenv("JUPYTER_PTYTASKS_TOKEN", live.token)
    client.create("printf 'below\\r\\n\\033[?1049h\\033[Hmenu'; read x", name="full")
    task = get("full")
    wait_until(lambda: task.screen()["alternate"])
    assert task.screen()["lines"][0] == "menu"
    with pytest.raises(RequestFailed, match="no task"):
        client.screen("nobody")


def test_agents_see_the_screen(live: LiveServer, client: Client) -> None:
    pytest.importorskip("mcp")
    from tests.agents.agent import Agent, converse  # noqa: PLC0415  an optional package

    client.create(
        "printf '\\033]2;menu\\007\\033[?1049h\\033[H> one\\r\\n  two\\033[1;3H\\033[?25l'; read x", name="list"
    )
    wait_until(lambda: "two" in client.screen_text("list"))

    async def talk(agent: Agent) -> None:
        shown = await agent.call("read", ref="list", screen=True)
        assert shown.splitlines()[:4] == ["> one", "  two", "cursor: row 0, column 2, hidden", "title: menu"]
        assert shown.splitlines()[4].startswith("list (")
        assert "cannot be combined" in await agent.refused("read", ref="list", screen=True, since=0)

    converse(live, "stdio", talk)
