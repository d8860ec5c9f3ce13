"""`ls`, `show` and `status`: tasks and the server, as tables."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from . import about, measures, values
from .common import in_group, in_states, json_option, note, one_ref, print_json, with_tag

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from ..client import Task
    from ..client.literals import StateName, WarningKind
    from .common import Settings

#: Tasks that ended more seconds ago are only shown by `ls -a`.
_RECENT = 86400.0
_FAILED = ("failed", "timed_out", "lost")
_LIVE = ("held", "queued", "starting", "running", "paused", "stopping")


@click.command()
@click.option("-a", "--all", "all_", is_flag=True, help="Include tasks that ended more than a day ago.")
@in_states(values.STYLES)
@in_group
@with_tag
@click.option(
    "--warning",
    "warnings",
    multiple=True,
    type=click.Choice(["stalled", "not_a_number"]),
    help="Only tasks with this warning; may be repeated.",
)
@click.option(
    "--sort",
    metavar="FIELD",
    help="By name, state, why, created, started, ended, duration, group, tags, command, memory, git (the commit),"
    " a parameter (params.lr), or the last, lowest or highest value"
    " of a metric: metrics.loss, min.loss, max.loss.",
)
@click.option("-r", "--reverse", is_flag=True, help="With --sort: reverse the order.")
@json_option
@click.pass_obj
def ls(
    settings: Settings,
    all_: bool,
    states: tuple[StateName, ...],
    group: str | None,
    tag: str | None,
    warnings: tuple[WarningKind, ...],
    sort: str | None,
    reverse: bool,
    as_json: bool,
) -> None:
    """List tasks, newest first.

    Shows live tasks and those that ended within the last day. With -a, --state or --warning, age does not matter.
    """
    if reverse and sort is None:
        raise click.UsageError("--reverse needs --sort")
    order = f"-{sort}" if reverse else sort
    with settings.client() as client:
        tasks = list(client.all(state=states, group=group, tag=tag, warning=warnings, sort=order))
    shown = [task for task in tasks if all_ or states or warnings or _is_recent(task)]
    if as_json:
        print_json({"tasks": shown, "next_cursor": None})
        return
    if not shown:
        older = len(tasks)
        note(
            f"no recent tasks; `ls -a` shows {older} older {'task' if older == 1 else 'tasks'}" if older else "no tasks"
        )
        return
    _print_table(shown, sort or "")


def _is_recent(task: Task) -> bool:
    try:
        return task["state"] in _LIVE or values.ago(task["ended"] or task["created"]) < _RECENT
    except _ODD:
        return True


def _print_table(tasks: list[Task], sort: str = "") -> None:
    from rich.table import Table  # noqa: PLC0415  for tables only

    rows: list[dict[str, Text]] = []
    odd: list[str] = []
    for task in tasks:
        try:
            rows.append(_row(task, sort))
        except _ODD:
            odd.append(values.visible(str(task.get("name") or task.get("id"))))
    # Columns that are left out when they are empty.
    shown = {
        "progress": any(row["progress"].plain for row in rows),
        "metric": any(row["metric"].plain for row in rows),
        "waits for": any(row["waits for"].plain for row in rows),
        "place": any(row["place"].plain != "local" for row in rows),
        "group": any(row["group"].plain != "default" for row in rows),
        "tags": any(row["tags"].plain for row in rows),
        "why": any(row["why"].plain for row in rows),
    }
    columns = [name for name in _COLUMNS if shown.get(name, True)]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        # rich narrows only columns that may wrap; _cut makes it truncate them instead.
        table.add_column(name.upper(), no_wrap=name not in ("name", "waits for", "tags", "why", "command"))
    for row in rows:
        table.add_row(*(row[name] for name in columns))
    if rows:
        _print(table)
    if odd:
        note(f"{len(odd)} {'task' if len(odd) == 1 else 'tasks'} could not be shown: {', '.join(odd)}")


_COLUMNS = (
    "id",
    "name",
    "state",
    "waits for",
    "progress",
    "metric",
    "exit",
    "ran",
    "started",
    "place",
    "group",
    "tags",
    "why",
    "command",
)
#: Exceptions for a task from a server of another version, which must not hide the other tasks.
_ODD = (KeyError, TypeError, ValueError, AttributeError)


def _row(task: Task, sort: str) -> dict[str, Text]:
    from rich.text import Text  # noqa: PLC0415  as above

    state = task["state"]
    ran = values.runtime(task)
    return {
        "id": Text(task["id"]),
        "name": _cut(task["name"], "bold" if state in _LIVE else ""),
        "state": _cut(state, values.STYLES.get(state, "")),
        "waits for": _cut(*_waits_for(task)),
        "progress": Text(measures.progress(task)),
        "metric": Text(measures.metric(task, sort)),
        "exit": Text(values.ending(task)),
        "ran": Text("" if ran is None else values.duration(ran)),
        "started": Text(f"{values.duration(values.ago(task['started'] or task['created']))} ago"),
        # Older servers do not send this.
        "place": _cut(task.get("place", "local")),
        "group": _cut(task["group"]),
        "tags": _cut(", ".join(task["tags"])),
        "why": _cut(values.reason(task) if state in _FAILED else ""),
        "command": _cut(values.command(task), "dim"),
    }


def _waits_for(task: Task) -> tuple[str, str]:
    """Return what a task waits for, and its style: input, or the reason why it is pending at another place."""
    # Older servers do not send the place.
    if task["state"] in ("held", "queued") and task.get("place", "local") != "local":
        return values.why(task), ""
    return values.question(task), "bold yellow"


def _cut(text: str, style: str = "") -> Text:
    from rich.text import Text  # noqa: PLC0415  as above

    return Text(values.visible(text), style, no_wrap=True, overflow="ellipsis")


@click.command()
@one_ref
@json_option
@click.pass_obj
def show(settings: Settings, ref: str, as_json: bool) -> None:
    """Show everything about one task."""
    with settings.client() as client:
        task = client.get(ref)
        more = {} if as_json else about.details(client, ref)
    if as_json:
        print_json(task)
        return
    ran = values.runtime(task)
    output = task["output"]
    kept = f"{output['end']:,} bytes, {output['lines']:,} lines"
    if output["start"]:
        kept += f"; the first {output['start']:,} bytes were discarded"
    if output["lost"]:
        kept += f"; {output['lost']:,} bytes were lost to a full disk"
    viewers = f"{task['viewers']} attached" if task["viewers"] else "in the background" if task["alive"] else ""
    reason = task["state_message"] or task["state_reason"].replace("_", " ")
    rows = {
        "id": task["id"],
        "name": task["name"],
        "state": f"{task['state']}: {reason}" if reason else task["state"],
        "waits for": values.question(task),
        "progress": measures.progress_in_full(task),
        "metrics": measures.metrics(task),
        # Older servers do not send this.
        "warnings": "; ".join(warning["message"] for warning in task.get("warnings", [])),
        "viewers": viewers + ("" if task["connected"] or not task["alive"] else "; currently unreachable"),
        "exit": values.ending(task),
        "command": values.command(task),
        "place": task.get("place", "local"),
        "node": (task.get("job") or {"node": None})["node"] or "",
        "job": (task.get("job") or {"id": ""})["id"],
        "resources": ", ".join(f"{name} {value}" for name, value in task.get("resources", {}).items()),
        "directory": task["cwd"],
        "created": _local(task["created"]),
        "started": _local(task["started"]),
        "ended": _local(task["ended"]),
        "ran": "" if ran is None else values.duration(ran),
        "time limit": values.duration(task["timeout"]) if task["timeout"] is not None else "",
        "attempt": str(task["attempt"]) if task["attempt"] > 1 else "",
        "git": about.git(task),
        "pid": str(task["pid"] or "") if task["alive"] else "",
        "size": f"{task['cols']}x{task['rows']}",
        "output": kept,
        "log files": output["directory"],
        "group": task["group"],
        "tags": ", ".join(task["tags"]),
        # Older servers do not send this.
        "sweep": (task.get("sweep") or {"name": ""})["name"],
        "parameters": ", ".join(f"{name}={value}" for name, value in task.get("params", {}).items()),
        "metadata": json.dumps(task["metadata"], ensure_ascii=False) if task["metadata"] else "",
        **measures.usage(task),
        **more,
    }
    _print_pairs(rows, style=values.STYLES.get(task["state"], ""))


@click.command()
@json_option
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:
    """Show the server, its limits and the number of tasks."""
    with settings.client() as client:
        answer = client.status()
        server = client.server
    if as_json:
        print_json(answer)
        return
    counts = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in answer["tasks"].items() if count)
    rows = {
        "server": f"{server.url} via {server.sock}" if server.sock else server.url,
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
            shown = Text(values.visible(value), style if name == "state" else "", overflow="fold")
            table.add_row(Text(name, "dim"), shown)
    _print(table)


def _print(table: Table) -> None:
    from rich.console import Console  # noqa: PLC0415  as above

    # Output to a pipe has no width limit.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 10_000)
    with console.capture() as shown:
        console.print(table)
    for line in shown.get().splitlines():
        click.echo(line.rstrip(), color=True)


def _local(iso: str | None) -> str:
    return "" if iso is None else values.moment(iso).astimezone().strftime("%Y-%m-%d %H:%M:%S")
