"""Results of input and of waiting."""

from __future__ import annotations

from typing import Literal

from ..literals import Count, Id, Number, Time
from .output import Text
from .tasks import Task, WaitsFor
from .typed import TypedDict


class MatchedLine(TypedDict):
    """A line of the output."""

    number: Count
    text: str


class Waited(TypedDict):
    """The result of waiting: the condition that was met first."""

    task: Task
    reason: Literal["exit", "waiting", "match", "quiet", "progress", "output", "timeout"]
    """The condition that was met; for an ended task always `exit`, unless a line matches."""
    line: MatchedLine | None
    """The matching line."""
    output: Text | None
    """With `since`, the first 10 and last 40 lines from there on."""


class Typed(TypedDict):
    """What was typed."""

    typed: Count
    """The bytes that were typed."""
    waiting: WaitsFor | None
    """What the program is waiting for right after that."""


class CommandOutput(TypedDict):
    """Where the output of a command is in the output of the task."""

    start: Count
    """The offset of its first byte."""
    end: Count | None
    """The offset after its last byte; null while it is running, or if unknown."""
    line: Count
    """The number of its first line, as in `GET /tasks/{ref}/output`."""
    lines: Count | None
    """Its number of complete lines."""


class ShellCommand(TypedDict):
    """A command that was run at the prompt of a shell."""

    attempt: Number
    """The attempt of the task that has run it."""
    number: Number
    """Counts the commands of an attempt."""
    command: str | None
    """What was typed, at most 2000 characters; null if unknown."""
    cwd: str | None
    """The directory in which it was started."""
    exit: int | None
    """Its exit code; null while it is running, or if unknown."""
    running: bool
    started: Time | None
    duration: float | None
    """Seconds."""
    output: CommandOutput


class ShellCommands(TypedDict):
    """The commands of a shell whose output is still available, and its state."""

    id: Id
    marks: bool
    """Whether the task is a shell that marks its prompts and commands (docs/shells.md)."""
    at_prompt: bool
    """Whether it is at its prompt."""
    cwd: str | None
    """Its directory, as far as known."""
    commands: list[ShellCommand]
    """The last ones, the newest last."""
    total: Count
    """How many are known."""


class Executed(TypedDict):
    """The result of a command."""

    id: Id
    reason: Literal["done", "timeout", "exit"]
    """`done`: the shell is at its prompt again. `timeout`: the command keeps running. `exit`: the shell has ended."""
    exit: int | None
    """Its exit code, or that of the shell if it has ended; null if there is none."""
    output: str
    """Its output as lines: the first and the last ones if there are many."""
    duration: float
    """Seconds: of the command as the shell has measured them, else since it was typed."""
    cwd: str | None
    """The directory in which it was started."""
    first_line: Count
    """The number of the first line, as in `GET /tasks/{ref}/output`."""
    lines_omitted: Count
    truncated: bool
    """Whether lines were left out, or cut."""
    waiting: WaitsFor | None
    """What a command that is still running is waiting for."""
