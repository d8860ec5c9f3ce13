"""`grep`: searches the output of all tasks."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode

import click

from . import values
from .common import complete_ref, in_group, in_states, json_option, note, print_json, with_tag

if TYPE_CHECKING:
    from ..client.literals import StateName
    from ..client.types import Hit, Searched
    from .common import Settings

_WHY = {
    "limit": "there are more matches: --limit shows more of them",
    "time": "not everything was searched within a minute: name some tasks, or use --group, --tag or --since",
}


@click.command()
@click.argument("pattern")
@click.argument("refs", metavar="[TASK]...", nargs=-1, shell_complete=complete_ref)
@click.option("-F", "--fixed", is_flag=True, help="PATTERN is text, not a regular expression.")
@click.option("-i", "--ignore-case", is_flag=True, help="Ignore case.")
@in_states(values.STYLES)
@in_group
@with_tag
@click.option(
    "--since",
    type=values.parse_duration,
    metavar="TIME",
    help="Only running tasks, and those that ended within this time: 12h, 7d.",
)
@click.option(
    "-m",
    "--limit",
    type=click.IntRange(1, 10_000),
    default=1000,
    show_default=True,
    metavar="N",
    help="Print at most this many lines.",
)
@click.option("--links", is_flag=True, help="Also print a link that opens the line in JupyterLab.")
@json_option
@click.pass_obj
def grep(
    settings: Settings,
    pattern: str,
    refs: tuple[str, ...],
    fixed: bool,
    ignore_case: bool,
    states: tuple[StateName, ...],
    group: str | None,
    tag: str | None,
    since: float | None,
    limit: int,
    links: bool,
    as_json: bool,
) -> None:
    """Search the output of all tasks, or of some, for lines that match a regular expression.

    Prints NAME:LINE:TEXT, the newest task first. The first line is 0, as for `logs --since`. Exits with 1 if no line
    matches.

    \b
      jupyter ptytasks grep 'CUDA out of memory' --since 12h
      jupyter ptytasks grep -i 'loss.*nan' train-1 train-2
    """
    is_marked = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    count = 0
    with settings.client() as client:
        found = client.search(
            pattern,
            tasks=refs,
            regex=not fixed,
            ignore_case=ignore_case,
            state=states,
            group=group,
            tag=tag,
            since=None if since is None else values.before(since),
            limit=limit,
        )
        for value in found:
            if as_json:
                print_json(value)
            if "reason" in value:
                searched = cast("Searched", value)
                why = searched["message"] or _WHY.get(searched["reason"] or "")
                if why:
                    note(why)
                continue
            count += 1
            if not as_json:
                _print(value, is_marked=is_marked, link=_link(client.server.url, value) if links else "")
    if not count:
        raise click.exceptions.Exit(1)


def _link(server: str, hit: Hit) -> str:
    """Return the URL at which JupyterLab opens a task at a line. It has no token: the browser is logged in."""
    return f"{server}lab?{urlencode({'ptytask': hit['task'], 'line': hit['line']})}"


def _print(hit: Hit, *, is_marked: bool, link: str) -> None:
    text = hit["text"]
    place = f"{hit['name']}:{hit['line']}:"
    if is_marked:
        parts = []
        at = 0
        for start, end in hit["spans"]:
            parts += [text[at:start], click.style(text[start:end], fg="red", bold=True)]
            at = end
        text = "".join([*parts, text[at:]])
        place = click.style(place, fg="cyan")
    click.echo(f"{place}{text}" + (f"\n  {link}" if link else ""))
