"""The commands that show what there is: ls, show, status."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from . import values as human, measures
from .common import json_option, note, one_ref, print_json

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from ..client import Task
    from .common import Settings

#: What ended longer ago (seconds) is shown by `ls -a` only.
_RECENT = 86400.0
_LIVE = ("held", "queued", "starting", "running", "paused", "stopping")


@click.command()
@click.option("-a", "--all", "all_", is_flag=True, help="Also what ended more than a day ago.")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(list(human.STYLES)), help="Only those; may be repeated."
)
@click.option("-g", "--group", metavar="NAME", help="Only those of this group.")
@click.option("-t", "--tag", metavar="NAME", help="Only those with this tag.")
@json_option
@click.pass_obj
def ls(
    settings: Settings, all_: bool, states: tuple[str, ...], group: str | None, tag: str | None, as_json: bool
) -> None:
    """List tasks, newest first.

    Those that live and those that ended within the last day; all with -a, or with --state all that are in it.
    """
    with settings.client() as client:
        tasks = list(client.all(state=states, group=group, tag=tag))  # type: ignore[arg-type]  # click has checked
    shown = [task for task in tasks if all_ or states or _is_recent(task)]
    if as_json:
        print_json({"tasks": shown, "next_cursor": None})
        return
    if not shown:
        older = len(tasks)
        note(f"no tasks, but {older} that ended earlier: ls -a" if older else "no tasks")
        return
    _print_table(shown)


def _is_recent(task: Task) -> bool:
    return task["state"] in _LIVE or human.ago(task["ended"] or task["created"]) < _RECENT


def _print_table(tasks: list[Task]) -> None:
    from rich.table import Table  # noqa: PLC0415  for tables only
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    extra = [name for name, usual in (("group", "default"), ("tags", [])) if any(task[name] != usual for task in tasks)]  # type: ignore[literal-required]
    # Only where there is something to be seen in it.
    progress = ["progress"] * any(task["progress"] for task in tasks)
    for name in ("id", "name", "state", *progress, "exit", "ran", "started", *extra, "command"):
        # Where all is too wide, only columns that may wrap are made narrower; what stands in them is cut instead.
        table.add_column(name.upper(), no_wrap=name not in ("name", "tags", "command"))
    for task in tasks:
        state = task["state"]
        ran = human.runtime(task)
        row = [
            Text(task["id"]),
            _cut(task["name"], "bold" if state in _LIVE else ""),
            Text(state, human.STYLES[state]),
            *[Text(measures.progress(task))] * len(progress),
            Text(human.ending(task)),
            Text("" if ran is None else human.duration(ran)),
            Text(f"{human.duration(human.ago(task['started'] or task['created']))} ago"),
        ]
        row += [Text(task["group"])] * ("group" in extra) + [_cut(", ".join(task["tags"]))] * ("tags" in extra)
        table.add_row(*row, _cut(human.command(task), "dim"))
    _print(table)


def _cut(text: str, style: str = "") -> Text:
    from rich.text import Text  # noqa: PLC0415  as above

    return Text(text, style, no_wrap=True, overflow="ellipsis")


@click.command()
@one_ref
@json_option
@click.pass_obj
def show(settings: Settings, ref: str, as_json: bool) -> None:
    """Show all of one task."""
    with settings.client() as client:
        task = client.get(ref)
    if as_json:
        print_json(task)
        return
    ran = human.runtime(task)
    output = task["output"]
    kept = f"{output['end']:,} bytes, {output['lines']:,} lines"
    if output["start"]:
        kept += f"; the first {output['start']:,} bytes are gone"
    if output["lost"]:
        kept += f"; {output['lost']:,} bytes found no room"
    viewers = f"{task['viewers']} attached" if task["viewers"] else "in the background" if task["alive"] else ""
    reason = task["state_message"] or task["state_reason"].replace("_", " ")
    rows = {
        "id": task["id"],
        "name": task["name"],
        "state": f"{task['state']}: {reason}" if reason else task["state"],
        "progress": measures.progress_in_full(task),
        "viewers": viewers + ("" if task["connected"] or not task["alive"] else "; cannot be reached just now"),
        "exit": human.ending(task),
        "command": human.command(task),
        "directory": task["cwd"],
        "created": _local(task["created"]),
        "started": _local(task["started"]),
        "ended": _local(task["ended"]),
        "ran": "" if ran is None else human.duration(ran),
        "time limit": human.duration(task["timeout"]) if task["timeout"] is not None else "",
        "attempt": str(task["attempt"]) if task["attempt"] > 1 else "",
        "pid": str(task["pid"] or "") if task["alive"] else "",
        "size": f"{task['cols']}x{task['rows']}",
        "output": kept,
        "kept in": output["directory"],
        "group": task["group"],
        "tags": ", ".join(task["tags"]),
        "metadata": json.dumps(task["metadata"], ensure_ascii=False) if task["metadata"] else "",
        **measures.usage(task),
    }
    _print_pairs(rows, style=human.STYLES[task["state"]])


@click.command()
@json_option
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:
    """Show which server this is, and how many tasks it has."""
    with settings.client() as client:
        answer = client.status()
        server = client.server
    if as_json:
        print_json(answer)
        return
    counts = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in answer["tasks"].items() if count)
    rows = {
        "server": f"{server.url} by {server.sock}" if server.sock else server.url,
        "version": answer["version"],
        "tasks": counts or "none",
        "limits": ", ".join(f"{name.replace('_', ' ')} {limit}" for name, limit in answer["limits"].items()),
        "provisioners": ", ".join(answer["provisioners"]),
    }
    _print_pairs(rows)


def _print_pairs(rows: dict[str, str], style: str = "") -> None:
    from rich.table import Table  # noqa: PLC0415  as above
    from rich.text import Text  # noqa: PLC0415

    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        if value:
            table.add_row(Text(name, "dim"), Text(value, style if name == "state" else "", overflow="fold"))
    _print(table)


def _print(table: Table) -> None:
    from rich.console import Console  # noqa: PLC0415  as above

    # A pipe has no edge at which lines would have to be cut.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 10_000)
    with console.capture() as shown:
        console.print(table)
    for line in shown.get().splitlines():
        click.echo(line.rstrip(), color=True)


def _local(iso: str | None) -> str:
    return "" if iso is None else human.moment(iso).astimezone().strftime("%Y-%m-%d %H:%M:%S")
