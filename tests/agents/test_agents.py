"""Instructions for agents: every command and example in them works, and existing files of a project are kept."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from jupyter_ptytasks.cli import cli
from tests.client.live import CLI, PATIENCE

if TYPE_CHECKING:
    from tests.client.live import LiveServer

#: Asks, and goes on when it is interrupted.
TRAIN = """
import time
print("epoch 1\\nepoch 2", flush=True)
try:
    input("More? ")
    time.sleep(1000)
except KeyboardInterrupt:
    time.sleep(1000)
"""
DOCS = Path(__file__).parent.parent.parent / "docs" / "agents.md"


@pytest.fixture
def project(live: LiveServer, tmp_path: Path) -> Path:
    """Return a directory where `jupyter` is a program that runs our command line."""
    jupyter = live.home / "bin" / "jupyter"
    jupyter.parent.mkdir(exist_ok=True)
    jupyter.write_text(f'#!/bin/sh\nshift\nexec {shlex.join(CLI)} --url {live.url} --token {live.token} "$@"\n')
    jupyter.chmod(0o755)
    return tmp_path


def shell(live: LiveServer, project: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run a command line in a project."""
    env = {**live.environ, "PATH": f"{live.home / 'bin'}:{live.environ['PATH']}"}
    return subprocess.run(
        ["/bin/sh", "-c", line], cwd=project, env=env, capture_output=True, text=True, timeout=PATIENCE
    )


def blocks(text: str, language: str) -> list[str]:
    """Return the examples of a language in a Markdown text."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def examples(text: str, mark: str) -> list[tuple[str, str]]:
    """Return what is typed after a mark, and what follows it."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith(mark):
            found.append((line[len(mark) :], ""))
        else:
            typed, shown = found[-1]
            found[-1] = (typed, f"{shown}{line}\n")
    return found


def fits(shown: str, expected: str) -> bool:
    """Whether a text is what an example says, where an ellipsis stands for anything in a line."""
    pattern = "".join(".*" if part == "…" else re.escape(part) for part in re.split("(…)", expected.rstrip()))
    lines = [line.rstrip() for line in shown.rstrip().splitlines()]
    return re.fullmatch(pattern, "\n".join(lines)) is not None


def test_the_console_examples(live: LiveServer, project: Path) -> None:
    text = DOCS.read_text(encoding="utf-8")
    typed = [example for block in blocks(text, "console") for example in examples(block, "$ ")]
    assert len(typed) == 7
    for line, expected in typed:
        done = shell(live, project, line)
        assert done.returncode == 0, (line, done.stderr)
        assert fits(done.stdout, expected), (line, done.stdout)
    assert json.loads((project / ".mcp.json").read_text()) == json.loads(blocks(text, "json")[0])


def test_the_conversation_of_tools(live: LiveServer) -> None:
    pytest.importorskip("mcp")
    from tests.agents.agent import Agent, converse  # noqa: PLC0415  only with the package

    (conversation,) = blocks(DOCS.read_text(encoding="utf-8"), "text")

    async def talk(agent: Agent) -> None:
        for call, expected in examples(conversation, "> "):
            parsed = ast.parse(call, mode="eval").body
            assert isinstance(parsed, ast.Call)
            assert isinstance(parsed.func, ast.Name)
            arguments: dict[str, Any] = {str(word.arg): ast.literal_eval(word.value) for word in parsed.keywords}
            answer = await agent.call(parsed.func.id, **arguments)
            assert fits(answer, expected), answer
        assert agent.calls == 3

    converse(live, "stdio", talk)


def test_the_tools_of_the_docs_take_what_they_say() -> None:
    pytest.importorskip("mcp")
    from jupyter_ptytasks.mcp.tools import TOOLS  # noqa: PLC0415

    told = dict(re.findall(r"^\| `(\w+)\((.*?)\)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
    assert {tool.name for tool in TOOLS} == set(told)
    for tool in TOOLS:
        assert told[tool.name].split(", ") == [name for name in tool.arguments.model_fields if name != "max_tokens"]


def test_the_commands_of_the_skill_run_as_they_are_written(live: LiveServer, project: Path) -> None:
    (project / "train.py").write_text(TRAIN)
    skill = shell(live, project, "jupyter ptytasks agents --part skill").stdout
    assert skill.startswith("---\nname: jupyter-tasks\ndescription: ")
    lines = [line for block in blocks(skill, "sh") for line in block.splitlines()]
    assert len(lines) == 11
    for line in lines:
        done = shell(live, project, line)
        assert done.returncode == 0, (line, done.stderr)
        if "--until" in line:
            assert json.loads(done.stdout)["reason"] == "waiting"
        if " -k " in line or "--if-waiting" in line:
            assert done.stdout == ""
    assert json.loads(done.stdout)["state"] == "cancelled"


def test_the_paragraph_names_commands_and_options_that_exist(live: LiveServer, project: Path) -> None:
    paragraph = shell(live, project, "jupyter ptytasks agents --part agents").stdout
    named = re.findall(r"`jupyter ptytasks (.*?)`", " ".join(paragraph.split()))
    assert len(named) == 5
    for line in named:
        name, *words = line.split(" -- ")[0].split()
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        command.make_context(name, words, resilient_parsing=False)


def test_existing_files_of_a_project_are_kept(live: LiveServer, project: Path) -> None:
    (project / "AGENTS.md").write_text("# Ours\n\nBe nice.\n")
    (project / ".mcp.json").write_text('{"mcpServers": {"other": {"command": "x"}}, "more": 1}')
    (project / ".vscode").mkdir()
    first = shell(live, project, "jupyter ptytasks agents --install .")
    assert first.stdout.splitlines()[-1] == ".vscode/mcp.json"
    texts = {path: (project / path).read_text() for path in ("AGENTS.md", ".mcp.json", ".vscode/mcp.json")}
    assert texts["AGENTS.md"].startswith("# Ours\n\nBe nice.\n\n<!-- jupyter_ptytasks: begin -->\n")
    servers = json.loads(texts[".mcp.json"])
    assert (list(servers["mcpServers"]), servers["more"]) == (["other", "jupyter-tasks"], 1)
    assert json.loads(texts[".vscode/mcp.json"])["servers"]["jupyter-tasks"]["type"] == "stdio"
    # Another time changes nothing.
    (project / "AGENTS.md").write_text(texts["AGENTS.md"] + "\nMore of ours.\n")
    assert shell(live, project, "jupyter ptytasks agents --install .").returncode == 0
    assert (project / "AGENTS.md").read_text() == texts["AGENTS.md"] + "\nMore of ours.\n"
    assert (project / ".mcp.json").read_text() == texts[".mcp.json"]


@pytest.mark.parametrize("content", ["{ // mine\n}", "[]", '{"mcpServers": []}'])
def test_a_file_that_cannot_be_read_is_left_as_it_is(live: LiveServer, project: Path, content: str) -> None:
    (project / ".mcp.json").write_text(content)
    done = shell(live, project, "jupyter ptytasks agents --install .")
    assert done.returncode == 1
    assert ".mcp.json is left as it is" in done.stderr
    assert (project / ".mcp.json").read_text() == content
    assert (project / "AGENTS.md").exists()
