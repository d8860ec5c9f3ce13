"""Text for users uses common terms: help, errors and docs have none of the project's old private vocabulary."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
import yaml

from jupyter_ptytasks.cli import cli
from jupyter_ptytasks.notebook.options import CELL, VERBS
from jupyter_ptytasks.server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
#: Words with a common equivalent: no -> yes. Left out is what is on disk or on the wire (`ladder`, `ledger` as keys).
WORDS = re.compile(
    r"\b(somebody|nobody|whoever|anew|kindred|sitting|catalogue|admission|stop ladder|illegal.move|service.?fault"
    r"|colours?|goes on|go on with|is no (?:JSON|number|name|duration|address)|heeds?|time of grace|told"
    r"|vanished|hang-up|once more|patiently|%task (?:send|attach))\b",
    re.IGNORECASE,
)


def texts() -> Iterator[tuple[str, str]]:
    """Iterate over text for users, each with where it is from."""
    for path in sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]):
        yield path.name, path.read_text(encoding="utf-8")
    yield "openapi.yaml", (ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8")
    for schema in sorted(ROOT.glob("jupyter_ptytasks/server/events/*/*.yaml")):
        yield schema.parent.name, yaml.safe_dump(yaml.safe_load(schema.read_text(encoding="utf-8")))
    context = click.Context(cli, info_name="jupyter ptytasks")
    yield "jupyter ptytasks", cli.get_help(context)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        yield f"jupyter ptytasks {name}", command.get_help(click.Context(command, info_name=name))
    yield "%%task", CELL.format_help()
    for verb, parser in VERBS.items():
        yield f"%task {verb}", parser.format_help()
    for name, trait in Settings.class_traits(config=True).items():
        yield f"PtyTasksApp.{name}", str(trait.help)


@pytest.mark.parametrize(("place", "text"), [pytest.param(*found, id=found[0]) for found in texts()])
def test_users_read_common_words(place: str, text: str) -> None:
    found = sorted({match[0] for match in WORDS.finditer(text)})
    assert not found, f"{place}: {found}"
