"""The commands that act on tasks: wait, stop, pause, resume, restart, again, input, delete."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from .common import complete_ref_or_sweep, each, json_option, many_refs, one_ref, print_json
from .sweep import delete_all
from .values import in_brief, parse_duration, reason, visible

if TYPE_CHECKING:
    from ..client import Client, Task
    from .common import Settings


@click.command()
@many_refs
@click.option("--timeout", type=parse_duration, metavar="TIME", help="Give up after this time, and exit with 124.")
@json_option
@click.pass_obj
def wait(settings: Settings, refs: tuple[str, ...], timeout: float | None, as_json: bool) -> None:
    """Wait until tasks have ended, and exit with their exit code.

    For several tasks, this is the first code that is not 0. A signal is 128 + its number. A task that was stopped or
    lost counts as 1 if its command reported no error. Waiting continues across a restart of the server.
    """
    with settings.client(patience=300.0) as client:
        # Look all names up first: a typo must not come up after hours.
        tasks = [client.get(ref) for ref in refs]
        deadline = None if timeout is None else time.monotonic() + timeout
        codes = [_wait(client, task, deadline, as_json=as_json) for task in tasks]
    sys.exit(next((code for code in codes if code), 0))


def _wait(client: Client, task: Task, deadline: float | None, *, as_json: bool) -> int:
    from ..client.outcome import TIMED_OUT, exit_status, is_live  # noqa: PLC0415  not for help

    task = client.wait(task["id"], None if deadline is None else max(deadline - time.monotonic(), 0.0))
    if as_json:
        print_json(task)
    else:
        why = "" if is_live(task) else visible(reason(task))
        click.echo(f"{task['id']} {task['name']} {in_brief(task)}{': ' if why else ''}{why}")
    return TIMED_OUT if is_live(task) else exit_status(task)


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

    New output is appended to the old. To keep the old run as it is, use `again`.
    """
    with settings.client() as client:
        each(refs, lambda ref: client.restart(ref, grace=grace), as_json=as_json)


@click.command()
@one_ref
@click.option("-n", "--name", metavar="NAME", help="Name of the new task; by default the same.")
@json_option
@click.pass_obj
def again(settings: Settings, ref: str, name: str | None, as_json: bool) -> None:
    """Start a new task like TASK, and print its id and name.

    It gets the command, environment and limits that TASK was started with.
    """
    with settings.client() as client:
        task = client.again(ref, name=name)
        if as_json:
            print_json(task)
        else:
            click.echo(f"{task['id']} {task['name']}")


@click.command("input")
@one_ref
@click.argument("text")
@click.option(
    "--newline/--no-newline",
    default=None,
    help="Whether to press Enter after it.  [default: yes, unless TEXT has control characters]",
)
@json_option
@click.pass_obj
def input(  # noqa: A001  the verb's name
    settings: Settings, ref: str, text: str, newline: bool | None, as_json: bool
) -> None:
    """Type TEXT into a task and press Enter. With `-`, type what is on standard input, unchanged."""
    with settings.client() as client:
        if text == "-":
            client.send_input(ref, sys.stdin.read(), newline=bool(newline))
        else:
            client.send_input(ref, text, newline=newline)
        if as_json:
            print_json(client.get(ref))


@click.command()
@click.argument("refs", metavar="TASK...", nargs=-1, required=True, shell_complete=complete_ref_or_sweep)
@click.option("--stop", "stops", is_flag=True, help="Stop live tasks first.")
@click.option("--sweep", "sweeps", is_flag=True, help="All tasks of sweeps: the names are those of sweeps.")
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
