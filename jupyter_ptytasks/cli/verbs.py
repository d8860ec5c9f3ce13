"""The commands that act on tasks: stop, pause, resume, restart, again, tag, delete."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from ..client import caller_env, resources
from .common import (
    complete_group,
    complete_ref_or_sweep,
    each,
    json_option,
    many_refs,
    one_ref,
    print_json,
    tell_namesakes,
)
from .sweep import delete_all
from .task_options import change_options, command_of, variables, where
from .values import parse_duration

if TYPE_CHECKING:
    from ..client import Task
    from .common import Settings


@click.command()
@many_refs
@click.option("--grace", type=parse_duration, metavar="TIME", help="Grace period after SIGINT and after SIGTERM.")
@click.option("--now", is_flag=True, help="Send SIGKILL immediately.")
@click.option("--wait", "waits", is_flag=True, help="Wait until the tasks have ended.")
@click.option("--leftover", is_flag=True, help="End the processes that a finished task left running.")
@json_option
@click.pass_obj
def stop(
    settings: Settings,
    refs: tuple[str, ...],
    grace: float | None,
    now: bool,
    waits: bool,
    leftover: bool,
    as_json: bool,
) -> None:
    """Stop tasks.

    Starts the stop sequence and returns: SIGINT to all processes of the task, SIGTERM after a grace period, SIGKILL
    after another one, or the signals the task was started with.
    """
    with settings.client() as client:

        def do(ref: str) -> Task:
            if leftover:
                return client.end_leftover(ref)
            task = client.stop(ref, grace=grace, signals=["SIGKILL"] if now else None)
            return client.wait(task["id"]) if waits else task

        each(refs, do, as_json=as_json)


@click.command()
@many_refs
@json_option
@click.pass_obj
def pause(settings: Settings, refs: tuple[str, ...], as_json: bool) -> None:
    """Pause tasks: suspend all their processes (SIGSTOP)."""
    with settings.client() as client:
        each(refs, client.pause, as_json=as_json)


@click.command()
@many_refs
@json_option
@click.pass_obj
def resume(settings: Settings, refs: tuple[str, ...], as_json: bool) -> None:
    """Resume paused tasks."""
    with settings.client() as client:
        each(refs, client.resume, as_json=as_json)


@click.command()
@many_refs
@click.option("--grace", type=parse_duration, metavar="TIME", help="Grace period if the task has to be stopped first.")
@json_option
@click.pass_obj
def restart(settings: Settings, refs: tuple[str, ...], grace: float | None, as_json: bool) -> None:
    """Run tasks again, under the same id and name. Live tasks are stopped first.

    New output is appended to the old. To keep the old run unchanged, use `again`.
    """
    with settings.client() as client:
        each(refs, lambda ref: client.restart(ref, grace=grace), as_json=as_json)


@click.command()
@click.option("-n", "--name", metavar="NAME", help="Name of the new task; by default the same.")
@click.option("--cwd", metavar="DIR", help="Another working directory.")
@click.option("-e", "--env", multiple=True, metavar="KEY[=VALUE]", help="Set a variable, or pass on your own.")
@click.option("--without", multiple=True, metavar="KEY", help="Remove a variable that TASK was given.")
@click.option("-g", "--group", metavar="NAME", shell_complete=complete_group, help="Another group.")
@click.option("-t", "--tag", "tags", multiple=True, metavar="NAME", help="Other tags; may be repeated.")
@click.option("--timeout", type=parse_duration, metavar="TIME", help="Another time limit: 90, 30m, 2h.")
@change_options
@one_ref
@click.argument("words", metavar="[COMMAND...]", nargs=-1, type=click.UNPROCESSED)
@json_option
@click.pass_obj
def again(settings: Settings, /, ref: str, words: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Start a new task like TASK, and print its id and name.

    It gets the command, environment and limits that TASK was started with, except for the options given here; `diff`
    shows the differences.

    \b
      jupyter ptytasks again train -e SEED=2
      jupyter ptytasks again train -n longer -- python train.py --epochs 20
      jupyter ptytasks again train --place slurm --gpus 1 --cwd runs
    """
    cwd, tags, pattern = options["cwd"], options["tags"], options["metric_pattern"]
    env = {**variables(options["env"]), **dict.fromkeys(options["without"])}
    with settings.client() as client:
        like = client.get(ref)
        place = options["place"] or like["place"]
        is_here = resources.is_here(place)
        is_local = client.server.is_local and is_here
        if resources.is_here(like["place"]) and not is_here:
            env = {**dict.fromkeys(filter(caller_env.is_passed_on, client.details(like["id"])["environment"])), **env}
        task = client.again(
            like["id"],
            name=options["name"],
            command=command_of(words, cwd, is_local=is_local),
            cwd=os.path.abspath(cwd) if cwd is not None and is_local else cwd,
            env=env or None,
            group=options["group"],
            tags=tags or None,
            timeout=options["timeout"],
            metrics=None if pattern is None else {"pattern": pattern},
            **_where(options, place, like),
        )
        if as_json:
            print_json(task)
        else:
            click.echo(f"{task['id']} {task['name']}")
        tell_namesakes(client, task)


def _where(options: dict[str, Any], place: str, like: Task) -> dict[str, Any]:
    """Return `place`, `resources` and `gpus` of a task like another one. At the same place it requests the same, except
    for the options that were given.
    """
    found = where(options, place)
    if place == like["place"]:
        del found["place"]
        if "resources" in found:
            found["resources"] = {**like["resources"], **found["resources"]}
    return found


@click.command()
@many_refs
@click.option("-a", "--add", multiple=True, metavar="NAME", help="A tag to add; may be repeated.")
@click.option("-r", "--remove", multiple=True, metavar="NAME", help="A tag to remove; may be repeated.")
@json_option
@click.pass_obj
def tag(
    settings: Settings, refs: tuple[str, ...], add: tuple[str, ...], remove: tuple[str, ...], as_json: bool
) -> None:
    """Add tags to tasks, and remove others. Tags that other programs add at the same time are kept.

    \b
      jupyter ptytasks tag train eval --add best --remove new
    """
    if not add and not remove:
        raise click.UsageError("tag needs at least one of --add and --remove")
    with settings.client() as client:
        each(refs, lambda ref: client.update(ref, add_tags=add, remove_tags=remove), as_json=as_json, done="tagged")


@click.command()
@click.argument("refs", metavar="TASK...", nargs=-1, required=True, shell_complete=complete_ref_or_sweep)
@click.option("--stop", "stops", is_flag=True, help="Stop live tasks first.")
@click.option("--sweep", "sweeps", is_flag=True, help="The names are those of sweeps: delete all their tasks.")
@json_option
@click.pass_obj
def delete(settings: Settings, refs: tuple[str, ...], stops: bool, sweeps: bool, as_json: bool) -> None:
    """Delete finished tasks and their output. `rm` is an alias."""
    from ..client import RequestFailed  # noqa: PLC0415  not for help

    with settings.client() as client:
        if sweeps:
            delete_all(client, refs, stop=stops, as_json=as_json)
            return

        def do(ref: str) -> Task:
            task = client.get(ref)
            try:
                client.delete(task["id"], stop=stops)
            except RequestFailed as error:
                error.hint = "Use `delete --stop` to stop it first." if error.code == "invalid_state" else error.hint
                raise
            return task

        each(refs, do, as_json=as_json, done="deleted")
