"""The commands that do something to tasks: wait, stop, pause, resume, restart, input, rm."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from .common import each, json_option, many_refs, one_ref, print_json
from .values import in_brief, parse_duration

if TYPE_CHECKING:
    from ..client import Client, Task
    from .common import Settings


@click.command()
@many_refs
@click.option("--timeout", type=parse_duration, metavar="TIME", help="Give up after so long, and exit with 124.")
@json_option
@click.pass_obj
def wait(settings: Settings, refs: tuple[str, ...], timeout: float | None, as_json: bool) -> None:
    """Wait until tasks have ended, and exit with their code.

    Of several, with the first that is not 0. A signal counts as 128 + its number; a task that was stopped, or lost, as
    1 where its command says 0 or nothing. A restart of the server does not end the waiting.
    """
    with settings.client(patience=300.0) as client:
        # First of all: a misspelt name shall not come to light after hours.
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
        click.echo(f"{task['id']} {task['name']} {in_brief(task)}")
    return TIMED_OUT if is_live(task) else exit_status(task)


@click.command()
@many_refs
@click.option("--grace", type=parse_duration, metavar="TIME", help="Time after SIGINT, and again after SIGTERM.")
@click.option("--now", is_flag=True, help="Kill at once (SIGKILL).")
@click.option("--wait", "waits", is_flag=True, help="Return when it has ended.")
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

    All of their processes get SIGINT, after a time of grace SIGTERM, and after another one SIGKILL, or what signals the
    task was given. This returns at once.
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
    """Stop tasks in their tracks (SIGSTOP), with all of their processes."""
    with settings.client() as client:
        each(refs, client.pause, as_json=as_json)


@click.command()
@many_refs
@json_option
@click.pass_obj
def resume(settings: Settings, refs: tuple[str, ...], as_json: bool) -> None:
    """Let paused tasks go on."""
    with settings.client() as client:
        each(refs, client.resume, as_json=as_json)


@click.command()
@many_refs
@click.option("--grace", type=parse_duration, metavar="TIME", help="As for stop, where the task still runs.")
@json_option
@click.pass_obj
def restart(settings: Settings, refs: tuple[str, ...], grace: float | None, as_json: bool) -> None:
    """Run tasks once more, stopping those that still run.

    Id and name stay the same, and new output comes behind the old.
    """
    with settings.client() as client:
        each(refs, lambda ref: client.restart(ref, grace=grace), as_json=as_json)


@click.command("input")
@one_ref
@click.argument("text")
@click.option(
    "--newline/--no-newline",
    default=None,
    help="Press Enter after it.  [default: if TEXT has no control characters]",
)
@json_option
@click.pass_obj
def input(  # noqa: A001  the verb's name
    settings: Settings, ref: str, text: str, newline: bool | None, as_json: bool
) -> None:
    """Type TEXT into a task, followed by Enter. With `-`, type standard input as it is."""
    with settings.client() as client:
        if text == "-":
            client.input(ref, sys.stdin.read(), newline=bool(newline))
        else:
            client.input(ref, text, newline=newline)
        if as_json:
            print_json(client.get(ref))


@click.command()
@many_refs
@click.option("--stop", "stops", is_flag=True, help="Stop those that still run, first.")
@json_option
@click.pass_obj
def rm(settings: Settings, refs: tuple[str, ...], stops: bool, as_json: bool) -> None:
    """Forget tasks that have ended, with their output."""
    from ..client import RequestFailed  # noqa: PLC0415  not for help

    with settings.client() as client:

        def do(ref: str) -> Task:
            task = client.get(ref)
            try:
                client.delete(task["id"], stop=stops)
            except RequestFailed as error:
                error.hint = "`rm --stop` stops it first." if error.code == "invalid_state" else error.hint
                raise
            return task

        each(refs, do, as_json=as_json, done="removed")
