"""`sweep`, `retry` and `cancel`: many tasks from one command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from . import measures, values
from .common import complete_group, complete_sweep, each, json_option, note, print_json
from .task_options import check, command_of, fields, runs_here, task_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..client import Client, Task
    from ..client.literals import StateName
    from ..client.types import Sweep, SweepChange
    from .common import Settings


class _SweepCommand(click.Command):
    """A command whose unknown options before `--` are parameters; after it comes the command of the tasks."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Separate the arguments after `--`."""
        at = args.index("--") if "--" in args else len(args)
        ctx.meta["words"] = tuple(args[at + 1 :])
        return super().parse_args(ctx, args[:at])


@click.command(cls=_SweepCommand, context_settings={"ignore_unknown_options": True})
@click.argument(
    "given",
    metavar="[SWEEP | --PARAM VALUES... -- COMMAND...]",
    nargs=-1,
    type=click.UNPROCESSED,
    shell_complete=complete_sweep,
)
@click.option(
    "-p", "--param", "pairs", multiple=True, metavar="PARAM=VALUES", help="Values of a parameter, whatever its name."
)
@click.option("--zip", "zips", is_flag=True, help="Combine the first values, the second values, and so on.")
@click.option("--random", "count", type=int, metavar="N", help="Draw N combinations instead of all.")
@click.option("--random-seed", type=int, metavar="N", help="With --random: draw the same combinations again.")
@click.option("--max-failures", type=int, metavar="N", help="Start no more tasks after N have failed.")
@task_options
@click.option("--wait", "waits", is_flag=True, help="Wait until all tasks have ended; exit with 1 if any has failed.")
@json_option
@click.pass_context
def sweep(
    ctx: click.Context,
    /,
    given: tuple[str, ...],
    pairs: tuple[str, ...],
    zips: bool,
    count: int | None,
    random_seed: int | None,
    max_failures: int | None,
    waits: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Queue a task for each combination of parameters, or show sweeps.

    VALUES are separated by commas; 0:5 is 0, 1, 2, 3, 4. In COMMAND, {PARAM} stands for the value, and {{ for a brace.
    Tasks also get it in the variable PTYTASK_PARAM_NAME. Either all tasks are queued or none; at most 1000.

    \b
      jupyter ptytasks sweep --lr 1e-3,1e-4 --seed 0:5 -g gpu -n train -- \\
        python train.py --lr {lr} --seed {seed}
      jupyter ptytasks sweep            all sweeps
      jupyter ptytasks sweep train      the tasks of one
      jupyter ptytasks retry train      rerun what failed
    """
    words = ctx.meta["words"]
    settings: Settings = ctx.obj
    if not words:
        _look(settings, given, pairs, waits=waits, as_json=as_json)
        return
    params = _params(given, pairs)
    check(options)
    if zips and count is not None:
        raise click.UsageError("--zip and --random exclude each other")
    with settings.client(patience=300.0) as client:
        is_local = runs_here(client, options)
        command = command_of(words, options["cwd"], is_local=is_local)
        assert command is not None
        made = client.create_sweep(
            command,
            params,
            mode="zip" if zips else "random" if count is not None else "grid",
            count=count,
            random_seed=random_seed,
            max_failures=max_failures,
            **fields(options, is_local=is_local),
        )
        if not as_json:
            click.echo(f"{made['id']} {made['name']}  {made['size']} {_tasks(made['size'])}")
        _finish(client, made, waits=waits, as_json=as_json)


@click.command()
@click.argument("ref", metavar="SWEEP", required=False, shell_complete=complete_sweep)
@click.option("-g", "--group", metavar="NAME", shell_complete=complete_group, help="Tasks of this group instead.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["succeeded", "failed", "cancelled", "timed_out", "lost"]),
    help="Only tasks in this state; may be repeated.  [default: failed, timed_out, lost]",
)
@json_option
@click.pass_obj
def retry(settings: Settings, ref: str | None, group: str | None, states: tuple[StateName, ...], as_json: bool) -> None:
    """Run the failed tasks of a sweep, or of a group, again."""
    with settings.client() as client:
        if ref is not None and group is None:
            _tell(client.retry_sweep(ref, states or None), "queued again", as_json=as_json)
        elif group is not None and ref is None:
            changed = client.retry_group(group, states or None)
            if as_json:
                print_json({"changed": changed})
            else:
                click.echo(f"{group}  {len(changed)} {_tasks(len(changed))} queued again")
        else:
            raise click.UsageError("which sweep, or which --group?")


@click.command()
@click.argument("ref", metavar="SWEEP", shell_complete=complete_sweep)
@json_option
@click.pass_obj
def cancel(settings: Settings, ref: str, as_json: bool) -> None:
    """Cancel the waiting tasks of a sweep, and stop the running ones."""
    with settings.client() as client:
        _tell(client.cancel_sweep(ref), "canceled", as_json=as_json)


def release_all(client: Client, refs: Sequence[str], *, as_json: bool) -> None:
    """Release the held tasks of sweeps, and print the result."""
    for ref in refs:
        _tell(client.release_sweep(ref), "released", as_json=as_json)


def delete_all(client: Client, refs: Sequence[str], *, stop: bool, as_json: bool) -> None:
    """Delete sweeps, with `stop` also those that have not ended, and print the result."""
    from ..client import RequestFailed  # noqa: PLC0415  not for help

    def delete(ref: str) -> Sweep:
        found = client.sweep(ref)
        try:
            client.delete_sweep(found["id"], stop=stop)
        except RequestFailed as error:
            if error.code == "invalid_state":
                error.hint = "Use `delete --sweep --stop` to cancel it first."
            raise
        return found

    each(refs, delete, as_json=as_json, done="deleted")


def _tell(change: SweepChange, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json(change)
    else:
        count = len(change["changed"])
        click.echo(f"{change['sweep']['id']} {change['sweep']['name']}  {count} {_tasks(count)} {done}")


def _params(given: Sequence[str], pairs: Sequence[str]) -> dict[str, str]:
    """Return the values of each parameter from `--lr 1,2`, `--lr=1,2` and `lr=1,2`."""
    found: list[tuple[str, str]] = []
    words = list(given)
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            raise click.UsageError(f"{word!r} belongs to no parameter; put `--` before the command")
        name, equals, text = word[2:].partition("=")
        if not equals and not words:
            raise click.UsageError(f"{word} needs values")
        found.append((name, text if equals else words.pop(0)))
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise click.UsageError(f"-p {pair}: expected PARAM=VALUES")
        found.append((name, text))
    if len(dict(found)) < len(found):
        raise click.UsageError("each parameter can be given once")
    if not found:
        raise click.UsageError("which parameters? For example --lr 1e-3,1e-4")
    return dict(found)


# -- showing ----------------------------------------------------------------------------------------------------------


def _look(settings: Settings, given: Sequence[str], pairs: Sequence[str], *, waits: bool, as_json: bool) -> None:
    """Show all sweeps, or one."""
    if pairs or len(given) > 1 or any(word.startswith("-") for word in given):
        raise click.UsageError("which command? Put `--` before it")
    with settings.client(patience=300.0) as client:
        if given:
            found = client.sweep(given[0])
            if not as_json and not waits:
                _print_tasks(list(client.all(sweep=found["id"]))[::-1])
            _finish(client, found, waits=waits, as_json=as_json)
        for found in client.sweeps() if not given else ():
            if as_json:
                print_json(found)
            else:
                click.echo(f"{found['id']} {found['name']}  {_states(found)}")


def _finish(client: Client, found: Sweep, *, waits: bool, as_json: bool) -> None:
    """Wait for the end of a sweep if requested, and print its JSON."""
    while waits and (left := client.retrying(lambda: _left(client, found["id"]))):
        for task in left:
            client.wait(task["id"])
    found = client.retrying(client.sweep, found["id"]) if waits else found
    if as_json:
        print_json(found)
    elif waits:
        click.echo(_states(found))
    if waits and found["states"]["succeeded"] < sum(found["states"].values()):
        sys.exit(1)


def _left(client: Client, sweep: str) -> list[Task]:
    """Return the tasks of a sweep that have not ended for good."""
    from ..client import has_ended  # noqa: PLC0415  not for help

    return [task for task in client.all(sweep=sweep) if not has_ended(task)]


def _states(found: Sweep) -> str:
    """Return the number of tasks in each state: `3 running, 1 failed`."""
    return ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in found["states"].items() if count)


def _print_tasks(tasks: list[Task]) -> None:
    from rich.console import Console  # noqa: PLC0415  for tables only
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    names = list(dict.fromkeys(name for task in tasks for name in task["params"]))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in (*names, "STATE", "PROGRESS", "EXIT", "RAN", "ID"):
        table.add_column(Text(values.visible(name)), no_wrap=True)
    for task in tasks:
        ran = values.runtime(task)
        table.add_row(
            *(Text(values.visible(str(task["params"].get(name, "")))) for name in names),
            Text(task["state"], values.STYLES.get(task["state"], "")),
            Text(measures.progress(task)),
            Text(values.ending(task)),
            Text("" if ran is None else values.duration(ran)),
            Text(task["id"]),
        )
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 10_000)
    with console.capture() as shown:
        console.print(table)
    for line in shown.get().splitlines():
        click.echo(line.rstrip(), color=True)
    if not tasks:
        note("no task of the sweep is left")


def _tasks(count: int) -> str:
    return "task" if count == 1 else "tasks"
