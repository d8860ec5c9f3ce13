"""`attach`: connects this terminal to a task, as if the task ran in it."""

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
    help=f"Keys that detach, comma-separated.  [default: {DEFAULT}]",
)


@click.command("attach")
@one_ref
@click.option("-r", "--readonly", is_flag=True, help="View only; Ctrl-C also detaches.")
@detach_keys
@click.pass_obj
def attach(settings: Settings, ref: str, readonly: bool, keys: DetachKeys) -> None:
    r"""Attach this terminal to a task.

    Shows the last 1000 lines first. When the task ends, attach exits with its exit code. Press Ctrl-\ twice to detach
    (see --detach-keys): the task keeps running and the exit code is 0. If the connection to the server is lost, attach
    reconnects when the server is back. For a finished task, it shows the output.
    """
    require_terminal()
    from .attach_session import attach_terminal  # noqa: PLC0415  not for help

    with settings.client() as client:
        code = attach_terminal(client, client.get(ref), keys, readonly=readonly)
    sys.exit(code)


def require_terminal() -> None:
    """Raise UsageError unless stdin and stdout are a terminal."""
    if not is_terminal():
        raise click.UsageError("attach needs a terminal on stdin and stdout; without one, use `logs -f`")
