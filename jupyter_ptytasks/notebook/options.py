"""What may be said behind `%%task` and `%task`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError
from IPython.utils.process import arg_split  # type: ignore[attr-defined]  # it is there for magics

from ..client import format as formats

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Lines that `logs` and `--follow` show at most, unless it is said: a notebook is no place for a log.
_LINES = 20


class _Help(Exception):
    """Somebody has asked for help, and has it."""


class Parser(argparse.ArgumentParser):
    """Tells what is wrong as magics do."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message}\n{self.format_usage().strip()}")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:  # noqa: ARG002
        """Leave after the help was printed."""
        raise _Help

    def options(self) -> list[str]:
        """Give all options that begin with two dashes."""
        return [word for action in self._actions for word in action.option_strings if word.startswith("--")]

    def read(self, words: Sequence[str]) -> argparse.Namespace | None:
        """Give what `words` say; None where help was asked for. Raises UsageError."""
        try:
            return self.parse_args(words)
        except _Help:
            return None


def split(line: str) -> list[str]:
    """Give the words of a line, as a shell would. Raises UsageError."""
    try:
        return arg_split(line, posix=True)
    except ValueError as error:
        raise UsageError(f"{error}: {line}") from error


def _time(text: str) -> float:
    try:
        return formats.seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of lines from 1 to 1000")
    return int(text)


def _cell() -> Parser:
    parser = Parser(
        prog="%%task",
        description="Run the cell as a background task: as lines for the shell, with notebook variables as in ! lines. "
        "While the task lives, running the cell again reattaches to it; after its end it is started anew.",
    )
    add = parser.add_argument
    add("name", metavar="NAME", help="what the task is called")
    add("-g", "--group", metavar="NAME", help="the group that it belongs to")
    add("-t", "--tag", dest="tags", action="append", default=[], metavar="NAME", help="a tag; may be repeated")
    add("-e", "--env", action="append", default=[], metavar="KEY[=VALUE]", help="set a variable, or pass on ours")
    add("--cwd", metavar="DIR", help="where it runs; by default where the notebook is")
    add("--timeout", type=_time, metavar="TIME", help="stop it after so long: 90, 30m, 2h")
    add("--python", action="store_true", help="the cell is Python, run as a script")
    add("--restart", action="store_true", help="stop the task of this name first, if it lives")
    add("--wait", action="store_true", help="wait for its end; the cell fails if the task does")
    add("--follow", action="store_true", help="the same, and show its last lines all the while")
    add("-n", "--lines", type=_count, default=_LINES, metavar="N", help=f"how many lines; by default {_LINES}")
    return parser


def _verb(name: str, description: str, refs: str | None = "one") -> Parser:
    parser = Parser(prog=f"%task {name}", description=description)
    if refs == "many":
        parser.add_argument("refs", metavar="NAME", nargs="+", help="the name or id of a task")
    elif refs == "one":
        parser.add_argument("ref", metavar="NAME", help="the name or id of a task")
    return parser


def _verbs() -> dict[str, Parser]:
    listing = _verb("ls", "List tasks, newest first.", refs=None)
    listing.add_argument("-a", "--all", action="store_true", help="also what ended more than a day ago")
    listing.add_argument("-g", "--group", metavar="NAME", help="only those of this group")
    listing.add_argument("-t", "--tag", metavar="NAME", help="only those with this tag")
    logs = _verb("logs", "Show the last lines of a task's output.")
    logs.add_argument("-n", "--lines", type=_count, default=_LINES, metavar="N", help=f"by default {_LINES}")
    how = logs.add_mutually_exclusive_group()
    how.add_argument("-f", "--follow", action="store_true", help="go on with what comes, until it has ended")
    how.add_argument("--grep", metavar="REGEX", help="only lines that match")
    wait = _verb("wait", "Wait until tasks have ended; the cell fails if one of them has.", refs="many")
    wait.add_argument("--timeout", type=_time, metavar="TIME", help="fail after so long")
    stop = _verb("stop", "Stop tasks.", refs="many")
    stop.add_argument("--grace", type=_time, metavar="TIME", help="time after SIGINT, and again after SIGTERM")
    stop.add_argument("--now", action="store_true", help="kill at once")
    stop.add_argument("--wait", action="store_true", help="return when they have ended")
    send = _verb("send", "Type a line, and the Enter key after it.")
    send.add_argument("text", metavar="TEXT", nargs="*", help="what is typed")
    remove = _verb("rm", "Forget tasks that have ended, and their output.", refs="many")
    remove.add_argument("--stop", action="store_true", help="stop live ones first")
    return {
        "ls": listing,
        "attach": _verb("attach", "Give a task, and show it."),
        "logs": logs,
        "wait": wait,
        "stop": stop,
        "pause": _verb("pause", "Stop tasks in their tracks.", refs="many"),
        "resume": _verb("resume", "Let paused tasks go on.", refs="many"),
        "restart": _verb("restart", "Run tasks once more; live ones are stopped first.", refs="many"),
        "send": send,
        "rm": remove,
    }


CELL = _cell()
#: The verbs of `%task`; the order is that of the help.
VERBS = _verbs()


def read_verb(line: str) -> tuple[str, Any]:
    """Give the verb of a `%task` line, `ls` if there is none, and what is said behind it. Raises UsageError."""
    words = split(line) or ["ls"]
    verb, *rest = words
    if verb in ("-h", "--help"):
        print("\n".join(f"%task {name:8} {parser.description}" for name, parser in VERBS.items()))
        return verb, None
    if verb not in VERBS:
        raise UsageError(f"%task has no {verb!r}; it has {', '.join(VERBS)}")
    return verb, VERBS[verb].read(rest)
