"""`prune`: deletes finished tasks by age, state, group, tag, number and metric."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, cast

import click

from . import values
from .common import complete_sweep, in_group, in_states, json_option, note, print_json, with_tag
from .values import parse_duration

if TYPE_CHECKING:
    from ..client.literals import Better, StateName
    from .common import Settings

#: The states of a task that has ended.
_FINISHED: tuple[StateName, ...] = ("succeeded", "failed", "cancelled", "timed_out", "lost")
_BETTER: dict[str, Better] = {"min": "lower", "max": "higher"}


@click.command()
@click.option(
    "--older-than",
    "--older",
    type=parse_duration,
    metavar="TIME",
    help="Only tasks that ended longer ago than this: 12h, 7d, 4w.",
)
@in_states(_FINISHED)
@in_group
@with_tag
@click.option("--sweep", metavar="NAME", shell_complete=complete_sweep, help="Only tasks of this sweep.")
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Keep the N newest matching tasks.")
@click.option(
    "--keep-best",
    metavar="METRIC[:min|max]",
    help="Keep the task with the best value of a metric, and those without it.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be deleted, and delete nothing.")
@json_option
@click.pass_obj
def prune(
    settings: Settings,
    older_than: float | None,
    states: tuple[StateName, ...],
    group: str | None,
    tag: str | None,
    sweep: str | None,
    keep: int | None,
    keep_best: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Delete many finished tasks at once, by age, state, number or metric.

    Deletes the tasks that match all given options, all of them or none; at least one option is required. Live and
    pinned tasks are never deleted, nor those that a queued task waits for.

    \b
      jupyter ptytasks prune --older-than 7d --state succeeded --keep 20 --dry-run
      jupyter ptytasks prune --sweep lr --keep-best val_loss
    """
    if not states and all(option is None for option in (older_than, group, tag, sweep, keep, keep_best)):
        raise click.UsageError(
            "prune needs at least one of --older-than, --state, --group, --tag, --sweep, --keep and --keep-best"
        )
    best, better = _best(keep_best)
    with settings.client() as client:
        found = client.preview_clean_up(
            older_than=older_than,
            state=states or _FINISHED,
            group=group,
            tag=tag,
            sweep=sweep,
            keep=keep,
            keep_best=best,
            better=better,
        )
        kept = Counter(cast("dict[str, int]", found["spared"]))
        if not dry_run and found["tasks"]:
            found = client.clean_up([task["id"] for task in found["tasks"]])
            kept.update(cast("dict[str, int]", found["spared"]))
    done = "would be deleted" if dry_run else "deleted"
    for task in found["tasks"]:
        if as_json:
            print_json(task)
        else:
            click.echo(f"{task['id']} {task['name']} {done}")
    count = len(found["tasks"])
    what = f"{count} {'task' if count == 1 else 'tasks'} with {values.size(found['size'])} on disk {done}"
    said = values.spared(kept)
    note(f"{what}; kept: {said}" if said else what)


def _best(given: str | None) -> tuple[str | None, Better | None]:
    """Return the metric of `--keep-best`, and which of its values are better; None if not given."""
    if given is None:
        return None, None
    name, colon, end = given.rpartition(":")
    if colon and end in _BETTER:
        return name, _BETTER[end]
    return given, None
