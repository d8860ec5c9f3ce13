"""`note` and `diff`: notes of a task, and its differences from the previous run."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Literal

import click

from . import values
from .common import complete_ref, json_option, note, one_ref, print_json

if TYPE_CHECKING:
    from ..client import Client, Task
    from ..client.types import Attempt, Change, Difference, Imported
    from .common import Settings


#: How many attempts `show` shows.
_SHOWN = 5

_SIDES: tuple[tuple[str, Literal["before", "after"]], ...] = (("-", "before"), ("+", "after"))


def git(task: Task) -> str:
    """Return the git state of a task's directory, like `1a2b3c4d5e6f (main), with changes`; empty if unknown."""
    # Older servers do not send this.
    found = task.get("git")
    if found is None:
        return ""
    branch = f" ({found['branch']})" if found["branch"] else ""
    return f"{found['commit'][:12]}{branch}{', with changes' if found['dirty'] else ''}"


def details(client: Client, ref: str) -> dict[str, str]:
    """Return details that only `show` shows, by label; empty for older servers."""
    from ..client import RequestFailed  # noqa: PLC0415  not for help

    try:
        found = client.details(ref)
        notes, _ = client.notes(ref)
    except RequestFailed as error:
        if error.code == "http_404":
            return {}
        raise
    before = found["before"]
    earlier = found["attempts"][:-1]
    left_out = [f"{len(earlier) - _SHOWN} before"] if len(earlier) > _SHOWN else []
    return {
        "earlier": "; ".join([*left_out, *map(_attempt, earlier[-_SHOWN:])]),
        "previous run": "" if before is None else f"{before['id']} {before['name']}",
        "environment": ", ".join(found["environment"]),
        "host": found["host"] or "",
        "imported": _origin(found["imported"]),
        "disk": values.size(found["disk"]),
        "stop signals": ", ".join(
            f"{one['signal']} ({values.duration(one['grace'])})" if one["grace"] else one["signal"]
            for one in found["stop"]
        ),
        "notes": notes.strip(),
    }


def _origin(imported: Imported | None) -> str:
    return "" if imported is None else f"task {imported['id']} of {imported['host']}, exported {imported['exported']}"


def _attempt(one: Attempt) -> str:
    said = one["state_message"] or one["state_reason"].replace("_", " ")
    state = f"{one['attempt']} {one['state'].replace('_', ' ')}"
    return f"{state} ({said})" if said else state


@click.command("note")
@one_ref
@click.argument("text", metavar="[TEXT]", required=False)
@click.option("--append", is_flag=True, help="Add TEXT as a new paragraph.")
@click.option("--edit", is_flag=True, help="Edit the notes in your editor.")
@json_option
@click.pass_obj
def note_(settings: Settings, ref: str, text: str | None, append: bool, edit: bool, as_json: bool) -> None:
    """Print the notes of a task, or replace them with TEXT (Markdown; - reads standard input).

    Notes that others have changed meanwhile are not overwritten.
    """
    if edit and text is not None:
        raise click.UsageError("--edit and TEXT exclude each other")
    if append and text is None:
        raise click.UsageError("--append needs TEXT")
    with settings.client() as client:
        old, tag = client.notes(ref)
        new = sys.stdin.read() if text == "-" else text
        if edit:
            new = click.edit(old, extension=".md")
            if new is None:
                return  # closed without saving
        if new is None:
            if as_json:
                print_json({"notes": old})
            elif old:
                click.echo("\n".join(map(values.visible, old.splitlines())))
            return
        task = client.write_notes(ref, f"{old.rstrip()}\n\n{new}" if append and old else new, tag)
        if as_json:
            print_json(task)


@click.command()
@one_ref
@click.argument("other", metavar="[OTHER]", required=False, shell_complete=complete_ref)
@json_option
@click.pass_obj
def diff(settings: Settings, ref: str, other: str | None, as_json: bool) -> None:
    """Show the differences between TASK and OTHER, by default the previous run.

    The previous run is the task that TASK repeats, else the last earlier one with the same name, else with the same
    command. Only the names of variables are shown, since their values may be secrets.
    """
    with settings.client() as client:
        found = client.diff(ref, other)
    if as_json:
        print_json(found)
    elif found["with"] is None:
        note("there is no previous run")
    else:
        for line in _lines(found):
            click.echo(line)


def _lines(found: Difference) -> list[str]:
    before = found["with"]
    assert before is not None  # the caller has looked
    env = found["environment"]
    lines = [f"compared with {before['id']} {values.visible(before['name'])}"]
    for change in found["changes"]:
        lines.append(change["field"])
        lines += [f"  {sign} {_text(change, side)}" for sign, side in _SIDES if change[side] is not None]
    if any(env.values()):
        lines.append("environment")
        lines += [f"  - {values.visible(name)}" for name in env["removed"]]
        lines += [f"  + {values.visible(name)}" for name in env["added"]]
        lines += [f"  ~ {values.visible(name)}" for name in env["changed"]]
    return lines if len(lines) > 1 else [*lines, "no difference"]


def _text(change: Change, side: Literal["before", "after"]) -> str:
    value = change[side]
    if change["field"] == "command" and isinstance(value, list):
        value = shlex.join(value)
    return values.visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
