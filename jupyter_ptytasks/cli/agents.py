"""`mcp` and `agents`: serve an AI agent, and tell agents how to use tasks."""

from __future__ import annotations

import json
import os
from importlib import resources
from typing import TYPE_CHECKING, Any

import click

from .common import note

if TYPE_CHECKING:
    from .common import Settings

#: The name of the server in the configuration of agents.
_NAME = "jupyter-tasks"
_COMMAND = {"command": "jupyter", "args": ["ptytasks", "mcp"]}
#: Configuration files of clients, with the key of their servers, and the directory that must exist for a file to be
#: written.
_CLIENTS = (
    (".mcp.json", "mcpServers", ""),
    (".cursor/mcp.json", "mcpServers", ".cursor"),
    (".gemini/settings.json", "mcpServers", ".gemini"),
    (".vscode/mcp.json", "servers", ".vscode"),
)
_SKILL = ".claude/skills/jupyter-tasks/SKILL.md"
_BEGIN, _END = "<!-- jupyter_ptytasks: begin -->", "<!-- jupyter_ptytasks: end -->"


@click.command()
@click.pass_obj
def mcp(settings: Settings) -> None:
    """Serve an AI agent over standard input and output (Model Context Protocol).

    Agents start this themselves; `jupyter ptytasks agents` prints what to put into their configuration.
    """
    try:
        from ..mcp import stdio  # noqa: PLC0415  an optional package, which takes long
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types", "anyio"):
            raise
        note("this needs the package mcp\nInstall it with `pip install 'jupyter_ptytasks[mcp]'`.")
        raise click.exceptions.Exit(1) from None
    stdio.serve(settings.url, settings.token)


@click.command()
@click.option(
    "--install",
    "place",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Write it into the files of the project in this directory instead.",
)
@click.option("--part", type=click.Choice(["skill", "agents", "clients"]), help="Print only this part.")
def agents(place: str | None, part: str | None) -> None:
    """Print what AI agents need to work with tasks: a skill, a paragraph for AGENTS.md, and configurations.

    With --install, the skill is written to .claude/skills, the paragraph is added to AGENTS.md, and the MCP server is
    added to .mcp.json, and to the files of Cursor, Gemini and VS Code if the project has their directories. Other
    content of these files is kept.
    """
    if place is not None:
        if part is not None:
            raise click.UsageError("--install and --part exclude each other")
        _install(place)
        return
    texts = {"skill": _text("SKILL.md"), "agents": _text("AGENTS.md"), "clients": _stanzas()}
    titles = {"skill": _SKILL, "agents": "AGENTS.md", "clients": "the configuration of clients of MCP"}
    if part is not None:
        click.echo(texts[part], nl=False)
        return
    for name, text in texts.items():
        click.echo(f"# ---- {titles[name]} ----\n\n{text}")


def _text(name: str) -> str:
    return resources.files(__package__).joinpath("texts").joinpath(name).read_text(encoding="utf-8")


def _stanzas() -> str:
    """Return the configurations of clients, each with its file name."""
    parts = [f"{path}:\n{_to_json({key: {_NAME: _entry(key)}})}" for path, key, _ in _CLIENTS]
    parts.append(
        f"~/.codex/config.toml:\n[mcp_servers.{_NAME}]\n"
        + "".join(f"{name} = {json.dumps(value)}\n" for name, value in _COMMAND.items())
    )
    remote = {"type": "http", "url": "http://localhost:8888/ptytasks/mcp", "headers": {"Authorization": "token …"}}
    parts.append(f"Without a process of its own, by the address and the token of the server:\n{_to_json(remote)}")
    return "\n".join(parts)


def _entry(key: str) -> dict[str, Any]:
    # VS Code has a type for each of its servers.
    return {"type": "stdio", **_COMMAND} if key == "servers" else {**_COMMAND}


def _to_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _install(place: str) -> None:
    """Write everything to the files of a project, and print which. Exits with 1 if one could not be written."""
    failed = False
    written: list[tuple[str, Any]] = [(_SKILL, lambda _: _text("SKILL.md")), ("AGENTS.md", _with_paragraph)]
    for path, key, needed in _CLIENTS:
        if os.path.isdir(os.path.join(place, needed)):
            written.append((path, lambda before, key=key: _with_server(before, key)))
    for path, change in written:
        try:
            _rewrite(os.path.join(place, path), change)
        except (OSError, ValueError) as error:
            note(f"{path} is left as it is: {error}")
            failed = True
        else:
            click.echo(path)
    if failed:
        raise click.exceptions.Exit(1)


def _rewrite(path: str, change: Any) -> None:
    try:
        with open(path, encoding="utf-8") as file:
            before = file.read()
    except FileNotFoundError:
        before = ""
    after = change(before)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(after)


def _with_paragraph(before: str) -> str:
    """Return the text of AGENTS.md with our paragraph, replacing an earlier one."""
    ours = f"{_BEGIN}\n{_text('AGENTS.md')}{_END}\n"
    head, begin, rest = before.partition(_BEGIN)
    _, end, tail = rest.partition(f"{_END}\n")
    if begin and end:
        return head + ours + tail
    return f"{before.rstrip()}\n\n{ours}".lstrip()


def _with_server(before: str, key: str) -> str:
    """Return a configuration with our server. Raises ValueError if it is not JSON as expected."""
    value = json.loads(before) if before.strip() else {}
    servers = value.setdefault(key, {}) if isinstance(value, dict) else None
    if not isinstance(servers, dict):
        raise ValueError(f"it has no object {key!r}")  # noqa: TRY004  of the text
    servers[_NAME] = _entry(key)
    return _to_json(value)
