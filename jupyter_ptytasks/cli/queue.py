"""The commands of the queue: queue, queue move, group, hold, release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..client import format as formats
from ..client import turns
from .common import complete_group, complete_sweep, complete_waiting, each, in_group, json_option, note, print_json
from .sweep import release_all

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ..client import Task
    from .common import Settings


waiting_refs = click.argument("refs", metavar="TASK...", nargs=-1, required=True, shell_complete=complete_waiting)


@click.group(invoke_without_command=True)
@in_group
@json_option
@click.pass_context
def queue(ctx: click.Context, group: str | None, as_json: bool) -> None:
    """List pending tasks in the order in which they will start, and why each one waits.

    \b
      jupyter ptytasks queue -g gpu
      jupyter ptytasks queue move report --first
    """
    if ctx.invoked_subcommand is not None:
        if group is not None:
            raise click.UsageError("--group is for the list")
        return
    settings: Settings = ctx.obj
    with settings.client() as client:
        tasks = list(client.all(state=("held", "queued"), group=group))
    for task in sorted(tasks, key=formats.turn):
        if as_json:
            print_json(task)
        else:
            click.echo(f"{task['id']} {task['name']}  {task['group']}  {formats.why(task)}")
    if not tasks and not as_json:
        note("no task is waiting")


@queue.command()
@waiting_refs
@click.option("--before", metavar="TASK", shell_complete=complete_waiting, help="Right before this task of the group.")
@click.option("--after", metavar="TASK", shell_complete=complete_waiting, help="Right after this task of the group.")
@click.option("--first", is_flag=True, help="Before all others of the group.")
@click.option("--last", is_flag=True, help="After all others of the group.")
@click.option("-g", "--group", metavar="NAME", shell_complete=complete_group, help="Move to this group.")
@json_option
@click.pass_obj
def move(
    settings: Settings,
    refs: tuple[str, ...],
    before: str | None,
    after: str | None,
    first: bool,
    last: bool,
    group: str | None,
    as_json: bool,
) -> None:
    """Move pending tasks within their group, or to another one, together and in the given order.

    They take the priority of their new neighbor.
    """
    given = sum((before is not None, after is not None, first, last))
    if given > 1 or (not given and group is None):
        raise click.UsageError("one of --before, --after, --first and --last is needed, or --group")
    where: dict[str, Any] = {"before": before, "after": after, "to": "first" if first else "last" if last else None}
    with settings.client() as client:

        def do(ref: str) -> Task:
            nonlocal where
            task = client.move(ref, group=group, **where)
            where = {"after": task["id"]}
            return task

        each(refs, do, as_json=as_json, done="moved")


def _complete_held(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return (complete_sweep if ctx.params.get("sweeps") else complete_waiting)(ctx, param, incomplete)


@click.command()
@click.argument("refs", metavar="TASK...", nargs=-1, required=True, shell_complete=complete_waiting)
@json_option
@click.pass_obj
def hold(settings: Settings, refs: tuple[str, ...], as_json: bool) -> None:
    """Hold queued tasks until they are released."""
    with settings.client() as client:
        each(refs, client.hold, as_json=as_json)


@click.command()
@click.argument("refs", metavar="TASK...", nargs=-1, required=True, shell_complete=_complete_held)
@click.option("--sweep", "sweeps", is_flag=True, help="The names are those of sweeps: release all their held tasks.")
@json_option
@click.pass_obj
def release(settings: Settings, refs: tuple[str, ...], sweeps: bool, as_json: bool) -> None:
    """Release held tasks, so that they start when it is their turn."""
    with settings.client() as client:
        if sweeps:
            release_all(client, refs, as_json=as_json)
            return
        each(refs, client.release, as_json=as_json)


@click.command()
@click.argument("name", required=False, shell_complete=complete_group)
@click.option("--slots", metavar="N", help="Number of slots; `none` for no limit, 0 to start no more tasks.")
@click.option("--gpus", metavar="LIST", help="GPUs for its tasks: `all`, `none`, or indexes and UUIDs: 0,1.")
@click.option("--per-gpu", type=int, metavar="N", help="How many of its tasks share a GPU.")
@click.option(
    "--on-failure",
    type=click.Choice(["continue", "pause", "cancel"]),
    help="What to do with its waiting tasks after a failure.",
)
@click.option("--pause", "pause", is_flag=True, help="Start no more of its tasks.")
@click.option("--resume", "resume", is_flag=True, help="Start its tasks again.")
@click.option("--tasks", is_flag=True, help="With --pause and --resume: also the running tasks.")
@click.option("--reason", default="", metavar="TEXT", help="With --pause: the reason, shown by `queue`.")
@click.option("--delete", "delete", is_flag=True, help="Delete its configuration; its tasks are no longer limited.")
@json_option
@click.pass_obj
def group(
    settings: Settings,
    name: str | None,
    slots: str | None,
    gpus: str | None,
    per_gpu: int | None,
    on_failure: str | None,
    pause: bool,
    resume: bool,
    tasks: bool,
    reason: str,
    delete: bool,
    as_json: bool,
) -> None:
    """Show groups, or configure one.

    \b
      jupyter ptytasks group gpu --slots 4 --gpus all
      jupyter ptytasks group gpu --pause --reason 'driver update'
    """
    if sum((pause, resume, delete)) > 1:
        raise click.UsageError("--pause, --resume and --delete exclude each other")
    try:
        changes = turns.group(slots, gpus, per_gpu, on_failure)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if name is None and (changes or pause or resume or delete):
        raise click.UsageError("which group?")
    with settings.client() as client:
        if name is None:
            shown = client.groups()
        elif delete:
            client.delete_group(name)
            return
        else:
            found = client.set_group(name, **changes) if changes else None
            if pause:
                found = client.pause_group(name, tasks=tasks, reason=reason)
            elif resume:
                found = client.resume_group(name, tasks=tasks)
            shown = [found if found is not None else client.group(name)]
    for one in shown:
        if as_json:
            print_json(one)
        else:
            click.echo(formats.group(one))
