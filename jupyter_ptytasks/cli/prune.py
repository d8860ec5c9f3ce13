"""The command that removes many finished tasks at once, by their age, their state and their number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import measures, values
from .common import json_option, note, print_json, tell
from .values import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..client import Task
    from .common import Settings

#: The states in which a task is over.
_FINISHED = ("succeeded", "failed", "cancelled", "timed_out", "lost")


@click.command()
@click.option("--older", type=parse_duration, metavar="TIME", help="Only those that ended longer ago: 12h, 7d, 4w.")
@click.option("--state", "states", multiple=True, type=click.Choice(_FINISHED), help="Only those; may be repeated.")
@click.option("-g", "--group", metavar="NAME", help="Only those of this group.")
@click.option("-t", "--tag", metavar="NAME", help="Only those with this tag.")
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Keep the N newest of those.")
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
@json_option
@click.pass_obj
def prune(
    settings: Settings,
    older: float | None,
    states: tuple[str, ...],
    group: str | None,
    tag: str | None,
    keep: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Remove finished tasks, with their output.

    Which ones is up to the options, of which it takes at least one; all of those given have to match. Tasks that are
    pinned or not finished are never removed.

    \b
      jupyter ptytasks prune --older 7d --state succeeded --keep 20 --dry-run
    """  # noqa: D301  \b is for click
    from ..client import RequestFailed, TaskNotFound  # noqa: PLC0415  not for help

    if not states and all(option is None for option in (older, group, tag, keep)):
        raise click.UsageError("prune takes at least one of --older, --state, --group, --tag and --keep")
    failures: list[int] = []
    removed: list[Task] = []
    with settings.client() as client:
        listed = list(client.all(state=states or _FINISHED, group=group, tag=tag))  # type: ignore[arg-type]  # checked
        for task in doomed(listed, older=older, keep=keep or 0):
            try:
                if not dry_run:
                    client.delete(task["id"])
            except TaskNotFound:
                continue  # somebody else was quicker
            except RequestFailed as error:
                failures.append(tell(error, f"{task['id']} {task['name']}: "))
                continue
            removed.append(task)
            if as_json:
                print_json(task)
            else:
                click.echo(f"{task['id']} {task['name']} {'would be removed' if dry_run else 'removed'}")
    freed = measures.size(sum(task["output"]["end"] - task["output"]["start"] for task in removed))
    what = f"{len(removed)} {'task' if len(removed) == 1 else 'tasks'}"
    note(f"{what} with {freed} of output {'would be removed' if dry_run else 'removed'}")
    if failures:
        raise click.exceptions.Exit(failures[0])


def doomed(tasks: Iterable[Task], *, older: float | None = None, keep: int = 0) -> list[Task]:
    """Return which of these tasks, newest first, are to be removed: those beyond the first `keep` that ended more than
    `older` seconds ago. What is pinned or not finished is none of them, and is not counted either.
    """
    finished = [task for task in tasks if task["state"] in _FINISHED and not task.get("pinned")]
    return [task for task in finished[keep:] if older is None or values.ago(task["ended"] or task["created"]) > older]
