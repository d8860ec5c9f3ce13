"""Arguments and help of `%%task` and `%task`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError
from IPython.utils.process import arg_split  # type: ignore[attr-defined]  # it is there for magics

from ..client import format as formats
from ..client import resources, turns
from ..core.sweeps import placeholders

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

#: Default number of lines for `logs` and `--follow`: a notebook is not the place for a long log.
_LINES = 20


class _Help(Exception):
    """The help was printed, so there is nothing else to do."""


class Parser(argparse.ArgumentParser):
    """An argument parser that reports errors as magics do."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message}\n{self.format_usage().strip()}")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:  # noqa: ARG002
        """Raise _Help instead of exiting."""
        raise _Help

    def options(self) -> list[str]:
        """Return all long options."""
        return [word for action in self._actions for word in action.option_strings if word.startswith("--")]

    def read(self, words: Sequence[str]) -> argparse.Namespace | None:
        """Parse arguments; return None if help was requested. Raises UsageError."""
        try:
            return self.parse_args(words)
        except _Help:
            return None


def split(line: str) -> list[str]:
    """Split a line into words, as a shell does. Raises UsageError."""
    try:
        return arg_split(line, posix=True)
    except ValueError as error:
        raise UsageError(f"{error}: {line}") from error


def _time(text: str) -> float:
    try:
        return formats.seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _moment(text: str) -> datetime:
    try:
        return turns.moment(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _until(text: str) -> tuple[str, ...]:
    words = tuple(text.split(","))
    for word in words:
        if word not in ("exit", "waiting", "quiet", "progress", "output"):
            raise argparse.ArgumentTypeError(f"{word!r} is not one of exit, waiting, quiet, progress, output")
    return words


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of lines from 1 to 1000")
    return int(text)


def _param(text: str) -> tuple[str, str]:
    name, equals, values = text.partition("=")
    if not equals or not placeholders.NAME.fullmatch(name):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form PARAM=VALUES, such as lr=1e-3,1e-4")
    return name, values


def _cell() -> Parser:
    parser = Parser(
        prog="%%task",
        description="Run the cell in the background, as a shell script in which notebook variables are expanded as in "
        "! commands. Running the cell again reattaches to the task while it is live, and starts a new one after that.",
    )
    add = parser.add_argument
    add("name", metavar="NAME", help="name of the task")
    add("-g", "--group", "--queue", metavar="NAME", help="group of the task")
    add("-t", "--tag", dest="tags", action="append", default=[], metavar="NAME", help="a tag; may be repeated")
    add(
        "-e",
        "--env",
        action="append",
        default=[],
        metavar="KEY[=VALUE]",
        help="set a variable, or pass on your own",
    )
    add("--cwd", metavar="DIR", help="working directory; by default that of the notebook")
    add("--place", metavar="PLACE", help="where to run it, such as ssh:gpu1")
    add("--timeout", type=_time, metavar="TIME", help="stop the task after this time: 90, 30m, 2h")
    add("--hold", action="store_true", help="hold it until it is released")
    add(
        "--after", action="append", default=[], metavar="TASK[:WHEN]", help="wait for a task: ok (default), any, failed"
    )
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--at", type=_moment, metavar="TIME", help="start no earlier than 22:00, or 2026-07-01T22:00")
    when.add_argument("--delay", type=_time, metavar="TIME", help="start no earlier than this time from now: 30m, 2h")
    add("--priority", type=int, metavar="N", help="priority in the group; tasks with a higher one start first")
    add("--slots", type=int, metavar="N", help="use this many slots of the group")
    add("--gpus", type=resources.gpus, metavar="N", help="GPUs: a number, or a share of one; or a100:2 at a place")
    for name, (_, metavar, about) in resources.OPTIONS.items():
        add(f"--{name}", metavar=metavar, help=f"{about}; needs --place")
    add("--retry", type=int, metavar="N", help="retry it up to this many times if it fails")
    add(
        "--retry-delay",
        type=_time,
        metavar="TIME",
        help="delay before the first retry, doubled each time; by default 30s",
    )
    add("--python", action="store_true", help="run the cell as a Python script")
    add(
        "--sweep",
        dest="params",
        type=_param,
        action="append",
        default=[],
        metavar="PARAM=VALUES",
        help="run a task for each value, such as lr=1e-3,1e-4 or seed=0:5; if repeated, for each combination. In the "
        "cell, {PARAM} is the value, with --python the variable PARAM",
    )
    add("--max-failures", type=int, metavar="N", help="with --sweep: start no more after N tasks have failed")
    add("--restart", action="store_true", help="if a task of this name is live, stop it first")
    add("--wait", action="store_true", help="wait until the task ends; the cell fails if the task fails")
    add("--follow", action="store_true", help="like --wait, and show the last lines as they are written")
    add(
        "-n",
        "--lines",
        type=_count,
        default=_LINES,
        metavar="N",
        help=f"lines for --follow; by default {_LINES}",
    )
    return parser


def _verb(name: str, description: str, refs: str | None = "one", of: str = "task") -> Parser:
    parser = Parser(prog=f"%task {name}", description=description)
    if refs == "many":
        parser.add_argument("refs", metavar="NAME", nargs="+", help=f"name or id of a {of}")
    elif refs == "one":
        parser.add_argument("ref", metavar="NAME", help=f"name or id of a {of}")
    return parser


def _group() -> Parser:
    parser = _verb("group", "Show groups, or configure one, and return them.", refs=None)
    add = parser.add_argument
    add("name", metavar="NAME", nargs="?", help="name of a group; by default all are shown")
    add("--slots", metavar="N", help="how many slots it has; none: no limit, 0: start no more tasks")
    add("--gpus", metavar="LIST", help="GPUs for its tasks: all, none, or indexes and UUIDs: 0,1")
    add("--per-gpu", type=int, metavar="N", help="how many of its tasks share a GPU")
    add(
        "--on-failure",
        choices=["continue", "pause", "cancel"],
        help="what to do with its waiting tasks after a failure",
    )
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--pause", action="store_true", help="start no more of its tasks")
    does.add_argument("--resume", action="store_true", help="start its tasks again")
    does.add_argument("--retry", action="store_true", help="rerun its failed tasks")
    does.add_argument("--delete", action="store_true", help="delete its configuration; its tasks are no longer limited")
    add("--tasks", action="store_true", help="with --pause and --resume: also the running tasks")
    add("--reason", default="", metavar="TEXT", help="with --pause: the reason, shown in the queue")
    return parser


def _verbs() -> dict[str, Parser]:
    listing = _verb("ls", "List tasks, newest first.", refs=None)
    listing.add_argument("-a", "--all", action="store_true", help="include tasks that ended more than a day ago")
    listing.add_argument("-g", "--group", metavar="NAME", help="only tasks of this group")
    listing.add_argument("-t", "--tag", metavar="NAME", help="only tasks with this tag")
    logs = _verb("logs", "Show the last lines of a task's output.")
    logs.add_argument("-n", "--lines", type=_count, default=_LINES, metavar="N", help=f"how many; by default {_LINES}")
    how = logs.add_mutually_exclusive_group()
    how.add_argument("-f", "--follow", action="store_true", help="keep showing new output until the task ends")
    how.add_argument("--grep", metavar="REGEX", help="only lines that match")
    wait = _verb("wait", "Wait until tasks have ended; the cell fails if one of them failed.", refs="many")
    wait.add_argument("--until", type=_until, default=(), metavar="WHAT", help="or until: waiting, quiet, progress")
    wait.add_argument("--match", metavar="REGEX", help="or until a line matches")
    wait.add_argument("--quiet", type=_time, metavar="TIME", help="with --until quiet: time without output (3s)")
    wait.add_argument("--timeout", type=_time, metavar="TIME", help="fail after this time")
    stop = _verb("stop", "Stop tasks.", refs="many")
    stop.add_argument("--grace", type=_time, metavar="TIME", help="grace period after SIGINT, and again after SIGTERM")
    stop.add_argument("--now", action="store_true", help="send SIGKILL immediately")
    stop.add_argument("--wait", action="store_true", help="wait until they have ended")
    queue = _verb("queue", "List pending tasks in the order in which they will start, and why they wait.", refs=None)
    queue.add_argument("-g", "--group", metavar="NAME", help="only tasks of this group")
    move = _verb("move", "Move pending tasks within their group, or to another one.", refs="many")
    move.add_argument("-g", "--group", metavar="NAME", help="move to this group")
    where = move.add_mutually_exclusive_group()
    where.add_argument("--before", metavar="TASK", help="right before this task of the group")
    where.add_argument("--after", metavar="TASK", help="right after this task of the group")
    where.add_argument("--first", dest="to", action="store_const", const="first", help="before all others of the group")
    where.add_argument("--last", dest="to", action="store_const", const="last", help="after all others of the group")
    again = _verb("again", "Start a new task with the command, environment and limits of this one.")
    again.add_argument("-n", "--name", metavar="NEW", help="name of the new task; by default the same")
    typing = _verb("input", "Type a line and press Enter.")
    typing.add_argument("text", metavar="TEXT", nargs="*", help="the line")
    typing.add_argument(
        "--key", dest="keys", action="append", metavar="NAME", help="press a key instead: C-c, Up, Enter"
    )
    typing.add_argument("--if-waiting", action="store_true", help="only if the program is waiting for input")
    running = _verb("exec", "Run a command at the prompt of a shell, and print its output.")
    running.add_argument("--timeout", type=_time, metavar="TIME", help="maximum time to wait, at most 55s")
    running.add_argument("words", metavar="COMMAND", nargs=argparse.REMAINDER, help="a command line, or its words")
    delete = _verb("delete", "Delete finished tasks and their output (alias: rm).", refs="many")
    delete.add_argument("--stop", action="store_true", help="stop live tasks first")
    delete.add_argument("--sweep", action="store_true", help="the names are those of sweeps: all their tasks")
    hold = _verb("hold", "Hold queued tasks until they are released.", refs="many")
    release = _verb("release", "Release held tasks.", refs="many")
    release.add_argument("--sweep", action="store_true", help="the names are those of sweeps: all their tasks")
    retry = _verb("retry", "Rerun the failed tasks of a sweep.", of="sweep")
    retry.add_argument(
        "--state",
        dest="states",
        action="append",
        choices=["succeeded", "failed", "cancelled", "timed_out", "lost"],
        help="only tasks in this state; may be repeated; by default failed, timed_out, lost",
    )
    return {
        "ls": listing,
        "show": _verb("show", "Show a task, and return it."),
        "logs": logs,
        "wait": wait,
        "why": _verb("why", "Show why a task failed, or why it is not running."),
        "stop": stop,
        "pause": _verb("pause", "Pause tasks: suspend all their processes.", refs="many"),
        "resume": _verb("resume", "Resume paused tasks.", refs="many"),
        "restart": _verb("restart", "Run tasks again, under the same id; live ones are stopped first.", refs="many"),
        "again": again,
        "queue": queue,
        "group": _group(),
        "move": move,
        "hold": hold,
        "release": release,
        "sweep": _verb("sweep", "Show a sweep, and return it.", of="sweep"),
        "retry": retry,
        "cancel": _verb("cancel", "Cancel the pending tasks of a sweep, and stop the running ones.", of="sweep"),
        "input": typing,
        "exec": running,
        "commands": _verb("commands", "List the last commands of a shell."),
        "delete": delete,
    }


CELL = _cell()
#: The verbs of `%task`, in the order of the help.
VERBS = _verbs()
_ALIASES = {"rm": "delete"}


def read_verb(line: str) -> tuple[str, Any]:
    """Parse a `%task` line into its verb, `ls` by default, and arguments. Raises UsageError."""
    words = split(line) or ["ls"]
    verb, *rest = words
    if verb in ("-h", "--help"):
        print("\n".join(f"%task {name:8} {parser.description}" for name, parser in VERBS.items()))
        return verb, None
    verb = _ALIASES.get(verb, verb)
    if verb not in VERBS:
        raise UsageError(f"%task has no verb {verb!r}; use one of {', '.join(VERBS)}")
    return verb, VERBS[verb].read(rest)
