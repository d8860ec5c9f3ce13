"""`prune`: deletes finished tasks by age, state, group, tag and number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import values
from .common import in_group, in_states, json_option, note, print_json, tell, with_tag
from .values import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..client import Task
    from .common import Settings

#: The states of a task that has ended.
_FINISHED = ("succeeded", "failed", "cancelled", "timed_out", "lost")


@click.command()
@click.option(
    "--older", type=parse_duration, metavar="TIME", help="Only tasks that ended longer ago than this: 12h, 7d, 4w."
)
@in_states(_FINISHED)
@in_group
@with_tag
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Keep the N newest matching tasks.")
@click.option("--dry-run", is_flag=True, help="Show what would be deleted, and delete nothing.")
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
    """Delete many finished tasks, by age, state or number.

    Deletes the tasks that match all given options; at least one is required. Live and pinned tasks are never deleted.

    \b
      jupyter ptytasks prune --older 7d --state succeeded --keep 20 --dry-run
    """  # noqa: D301  \b is for click
    from ..client import RequestFailed, TaskNotFound  # noqa: PLC0415  not for help

    if not states and all(option is None for option in (older, group, tag, keep)):
        raise click.UsageError("prune needs at least one of --older, --state, --group, --tag and --keep")
    failures: list[int] = []
    deleted: list[Task] = []
    with settings.client() as client:
        listed = list(client.all(state=states or _FINISHED, group=group, tag=tag))  # type: ignore[arg-type]  # checked
        for task in select(listed, older=older, keep=keep or 0):
            try:
                if not dry_run:
                    client.delete(task["id"])
            except TaskNotFound:
                continue  # deleted by another client meanwhile
            except RequestFailed as error:
                failures.append(tell(error, f"{task['id']} {task['name']}: "))
                continue
            deleted.append(task)
            if as_json:
                print_json(task)
            else:
                click.echo(f"{task['id']} {task['name']} {'would be deleted' if dry_run else 'deleted'}")
    freed = values.size(sum(task["output"]["end"] - task["output"]["start"] for task in deleted))
    what = f"{len(deleted)} {'task' if len(deleted) == 1 else 'tasks'}"
    note(f"{what} with {freed} of output {'would be deleted' if dry_run else 'deleted'}")
    if failures:
        raise click.exceptions.Exit(failures[0])


def select(tasks: Iterable[Task], *, older: float | None = None, keep: int = 0) -> list[Task]:
    """Return the tasks to delete.

    Args:
        tasks: candidates, newest first. Live and pinned ones are ignored, and do not count for `keep`.
        older: only tasks that ended more than this many seconds ago.
        keep: how many of the newest to keep.
    """
    finished = [task for task in tasks if task["state"] in _FINISHED and not task.get("pinned")]
    return [task for task in finished[keep:] if older is None or values.ago(task["ended"] or task["created"]) > older]
