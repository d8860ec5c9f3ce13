"""The command that puts a task on this terminal, as if it ran there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from .common import is_terminal, one_ref
from .keys import DEFAULT, DetachKeys

if TYPE_CHECKING:
    from .common import Settings


def _check_keys(_: click.Context, __: click.Parameter, value: str) -> DetachKeys:
    try:
        return DetachKeys(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


detach_keys = click.option(
    "--detach-keys",
    "keys",
    default=DEFAULT,
    envvar="JUPYTER_PTYTASKS_DETACH_KEYS",
    show_envvar=True,
    callback=_check_keys,
    metavar="KEYS",
    help=f"The keys that detach, with commas between them.  [{DEFAULT}]",
)


@click.command("attach")
@one_ref
@click.option("-r", "--readonly", is_flag=True, help="Only look on; Ctrl-C detaches too.")
@detach_keys
@click.pass_obj
def attach(settings: Settings, ref: str, readonly: bool, keys: DetachKeys) -> None:
    r"""Put a task on this terminal.

    Its last thousand lines come first; its end is ours too, with its exit code. Ctrl-\ pressed twice detaches (see
    --detach-keys): the task goes on, and the exit code is 0. If the server goes away, it is waited for. Of a task that
    has ended the output is shown once more.
    """
    require_terminal()
    from .attach_session import attach_terminal  # noqa: PLC0415  not for help

    with settings.client() as client:
        code = attach_terminal(client, client.get(ref), keys, readonly=readonly)
    sys.exit(code)


def require_terminal() -> None:
    """Raise UsageError where there is no terminal to attach to."""
    if not is_terminal():
        raise click.UsageError("to attach takes a terminal at standard input and output; without one, see `logs -f`")
