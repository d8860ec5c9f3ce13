"""The six tools, as functions of a client and validated arguments: each returns the text of its response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ..client.outcome import is_live
from . import texts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..client import Client
    from ..client.types import Task, Text, Waited

#: The maximum duration of a call in seconds: many clients give up after a minute.
WAIT_MAX = 50.0
#: The default limit of an answer.
TOKENS = 2000
_LIST_MAX = 100

Ref = Annotated[str, Field(min_length=1, description="The task's name or id; if several have the name, the newest.")]
Wait = Annotated[float, Field(ge=0, le=WAIT_MAX)]
Limit = Annotated[int, Field(ge=50, le=50_000, description="The most tokens of the answer.")]
Text_ = Annotated[str, StringConstraints(min_length=1)]
Line = Annotated[int, Field(ge=0)]


class _Arguments(BaseModel):
    """The arguments of a tool; unknown ones are rejected."""

    model_config = ConfigDict(extra="forbid")


class Run(_Arguments):
    """Start a command in the background, in its own terminal. It keeps running if this session or the server ends.

    Returns its output when it has ended, when it asks for input, or after `wait` seconds.
    """

    command: str | list[str] = Field(min_length=1, description="A command line for the shell, or a list of arguments.")
    name: Text_ | None = Field(None, description="A short name to find it by; by default made from the command.")
    cwd: str | None = Field(None, description="The working directory.")
    env: dict[str, str] | None = Field(None, description="Environment variables.")
    timeout: float | None = Field(None, gt=0, description="Stop the command after this many seconds.")
    if_exists: Literal["return", "new", "restart", "fail"] = Field(
        "return", description="What to do if a live task has this name."
    )
    wait: Wait = Field(20.0, description="Seconds to wait; 0 to start it and return.")
    max_tokens: Limit = TOKENS


class WaitFor(_Arguments):
    """Wait until a task ends, asks for input, or something else in `until` happens, and return the new output.

    One call replaces sleeping and polling.
    """

    ref: Ref
    until: list[Literal["exit", "waiting", "quiet", "progress"]] = Field(
        ["exit", "waiting"], description="What to wait for: the end, a question, silence, progress."
    )
    match: Text_ | None = Field(None, max_length=1000, description="Also until a line matches this regular expression.")
    since: Line | None = Field(None, description="The `next_line` of the last answer: only later lines count.")
    quiet: float = Field(3.0, ge=0.1, description="Seconds without output that count as silence.")
    timeout: Wait = Field(WAIT_MAX, description="Seconds to wait.")
    max_tokens: Limit = TOKENS


class Read(_Arguments):
    """Read a task's output, also after it has ended: its last lines, those from `since` on, those that match `grep`, or
    what its terminal shows (`screen`), which is the way to see full-screen programs.

    Lines are as a terminal finally shows them: a progress bar is one line. Bars and rulers are shortened.
    """

    ref: Ref
    since: Line | None = Field(None, description="From this line on: the `next_line` of the last answer; 0 is all.")
    lines: int = Field(50, ge=1, le=2000, description="The number of last lines, without `since`.")
    grep: Text_ | None = Field(None, max_length=1000, description="Only lines that match this regular expression.")
    screen: bool = Field(False, description="Return what the terminal shows now, with the cursor position.")
    max_tokens: Limit = TOKENS


class Send(_Arguments):
    """Type into a task, and return its output when it has ended, asks for more input, or after `wait` seconds.

    Never send a password or another secret: users type those themselves.
    """

    ref: Ref
    text: str | None = Field(None, description="The text to type; Enter is pressed after it.")
    keys: list[Text_] | None = Field(
        None,
        min_length=1,
        description='Keys by their tmux names, instead of text: ["C-c"], ["Up", "Enter"].',
    )
    newline: bool | None = Field(None, description="Whether to press Enter after the text.")
    force: bool = Field(False, description="Type the text even if the program does not wait for input now.")
    wait: Wait = Field(20.0, description="Seconds to wait after typing.")
    max_tokens: Limit = TOKENS


class List(_Arguments):
    """List tasks, newest first, including those of earlier sessions."""

    state: list[str] = Field([], description="Only those in these states, such as running, failed.")
    query: str | None = Field(None, description="Only those with this text in their name, command, group or tags.")
    limit: int = Field(20, ge=1, le=_LIST_MAX)


class Stop(_Arguments):
    """Stop a task and all its processes: SIGINT, then SIGTERM, then SIGKILL, with a grace period after each."""

    ref: Ref
    now: bool = Field(False, description="Send SIGKILL immediately.")
    wait: Wait = Field(20.0, description="Seconds to wait for its end.")


class BadArguments(ValueError):
    """Arguments that cannot be combined."""


@dataclass(frozen=True)
class Here:
    """The defaults for starting commands: the directory and variables of the serving process."""

    cwd: str | None = None
    env: dict[str, str] | None = None


@dataclass(frozen=True)
class Answer:
    """The text of a response, and its task, if any."""

    text: str
    task: Task | None = None


def run(client: Client, asked: Run, here: Here) -> Answer:
    """Start a command, wait, and return its output."""
    task = client.create(
        asked.command,
        name=asked.name,
        cwd=asked.cwd or here.cwd,
        env={**(here.env or {}), **(asked.env or {})} or None,
        timeout=asked.timeout,
        if_exists=asked.if_exists,
    )
    note = ""
    since = 0
    if client.found:
        note = "It was already running: nothing was started."
        since = client.output(task["id"], mode="tail", tail_lines=20)["first_line"]
    elif task["attempt"] > 1:
        since = task["output"]["lines"]
    waited = client.wait_for(task["id"], ["exit", "waiting"], since=since, timeout=asked.wait)
    return _waited(waited, asked.max_tokens, note)


def wait(client: Client, asked: WaitFor, _: Here) -> Answer:
    """Wait, and return the result."""
    task = client.get(asked.ref)
    since = asked.since
    if since is None:
        # Search all output for a pattern; otherwise return only a few lines for orientation.
        since = 0 if asked.match else client.output(task["id"], mode="tail", tail_lines=5)["first_line"]
    until = list(asked.until)
    waited = client.wait_for(
        task["id"], until, match=asked.match, since=since, quiet=asked.quiet, timeout=asked.timeout
    )
    happened = {
        "match": f"Line {waited['line']['number']} matches: {waited['line']['text'].strip()}" if waited["line"] else "",
        "quiet": f"No output for {asked.quiet:g} s.",
        "timeout": "None of that has happened yet.",
    }
    return _waited(waited, asked.max_tokens, happened.get(waited["reason"], ""))


def _waited(waited: Waited, limit: int, note: str = "") -> Answer:
    task, text = waited["task"], waited["output"]
    assert text is not None  # with `since` there always is one
    # The server returns the first and last lines of long output.
    output = texts.ends(texts.squeezed(text["output"]), texts.room(limit))
    step = texts.next_step(task, text["next_line"])
    return Answer(texts.answer(output, f"next_line: {text['next_line']}", note, texts.state(task), step), task)


def read(client: Client, asked: Read, _: Here) -> Answer:
    """Return lines of the output."""
    limit = texts.room(asked.max_tokens)
    if asked.screen:
        return _screen(client, asked, limit)
    if asked.grep is not None or asked.since is not None:
        text, output = _from(client, asked, limit)
    else:
        text = client.output(asked.ref, mode="tail", tail_lines=asked.lines)
        output = texts.end(texts.squeezed(text["output"]), limit)
    more = f"next_line: {text['next_line']}" + (", there is more" if text["more"] else "")
    if text["ended"] and not text["more"]:
        return Answer(texts.answer(output, more, _ended(client.get(asked.ref))))
    task = client.get(asked.ref)
    step = texts.next_step(task, text["next_line"])
    if text["more"]:
        step = f"Continue: read({texts.quoted(task)}, since={text['next_line']})."
    return Answer(texts.answer(output, more, texts.state(task), step), task)


def _screen(client: Client, asked: Read, limit: int) -> Answer:
    """Return what the terminal shows; if it does not fit, its last rows."""
    if asked.grep is not None or asked.since is not None:
        raise BadArguments("screen cannot be combined with since or grep")
    task = client.get(asked.ref)
    shown = client.screen(task["id"])
    cursor = shown["cursor"]
    place = f"cursor: row {cursor['row']}, column {cursor['col']}" + ("" if cursor["visible"] else ", hidden")
    title = f"title: {shown['title']}" if shown["title"] else ""
    text = texts.end(texts.squeezed("\n".join(shown["lines"]).rstrip("\n") + "\n"), limit)
    return Answer(texts.answer(text, place, title, texts.state(task), texts.next_step(task)), task)


def _ended(task: Task) -> str:
    return texts.answer("" if task["state"] == "succeeded" else texts.state(task), texts.next_step(task))


def _from(client: Client, asked: Read, limit: int) -> tuple[Text, str]:
    """Return as many lines from `since` on as fit into `limit` tokens: request fewer lines until they fit."""
    # A line has at least two bytes.
    count = 2 * limit
    while True:
        text = client.output(asked.ref, since=asked.since or 0, max_lines=count, grep=asked.grep)
        output = texts.numbered(text) if asked.grep is not None else texts.squeezed(text["output"])
        size = texts.tokens(output)
        if size <= limit or count == 1:
            return text, texts.end(output, limit) if count > 1 else output
        given = min(count, max(output.count("\n"), 1))
        count = max(min(int(given * limit / size * 0.9), given - 1), 1)


def send(client: Client, asked: Send, _: Here) -> Answer:
    """Type, and wait for the result."""
    if (asked.text is None) == (asked.keys is None):
        raise BadArguments("pass either text or keys")
    task = client.get(asked.ref)
    waits = task["waiting"]
    # Even if the server would accept it. Control keys such as C-c are not passwords.
    if waits is not None and waits["kind"] == "password" and not all(key.startswith("C-") for key in asked.keys or "x"):
        raise BadArguments(texts.NEVER_TYPED)
    since = client.output(task["id"], mode="tail", tail_lines=1)["first_line"]
    client.send_input(
        task["id"],
        asked.text or "",
        keys=asked.keys,
        newline=asked.newline,
        only_if_waiting=asked.keys is None and not asked.force,
    )
    return _waited(client.wait_for(task["id"], ["exit", "waiting"], since=since, timeout=asked.wait), asked.max_tokens)


def list_(client: Client, asked: List, _: Here) -> Answer:
    """Return a line for each task."""
    page = client.list(state=asked.state, q=asked.query, limit=asked.limit)  # type: ignore[arg-type]  # the server checks
    rows = "\n".join(map(texts.row, page["tasks"]))
    if not rows:
        return Answer('No tasks match. run("…") starts one.')
    more = "There are older tasks: list(limit=…). " if page["next_cursor"] else ""
    return Answer(texts.answer(rows, f"{more}Next: read(ref), wait(ref), stop(ref)."))


def stop(client: Client, asked: Stop, _: Here) -> Answer:
    """Stop a task, and wait for its end."""
    task = client.stop(asked.ref, signals=["SIGKILL"] if asked.now else None)
    task = client.wait(task["id"], asked.wait)
    step = "It has not ended yet: stop(now=true)." if is_live(task) else texts.next_step(task)
    return Answer(texts.answer(texts.state(task), step), task)


@dataclass(frozen=True)
class Tool:
    """A tool: its name, arguments, function and title, and whether it only reads or may destroy something."""

    name: str
    arguments: type[_Arguments]
    do: Callable[[Client, Any, Here], Answer]
    title: str
    read_only: bool = False
    destructive: bool = False

    @property
    def description(self) -> str:
        """The description for agents."""
        return " ".join((self.arguments.__doc__ or "").split())

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the arguments, without titles and null defaults, which agents do not need."""
        schema = self.arguments.model_json_schema()
        fields = {name: _plain(about) for name, about in schema["properties"].items()}
        return {
            "type": "object",
            "properties": fields,
            "required": schema.get("required", []),
            "additionalProperties": False,
        }


def _plain(about: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if name != "title" and (name, value) != ("default", None)}


TOOLS: Sequence[Tool] = (
    Tool("run", Run, run, "Run a command", destructive=True),
    Tool("wait", WaitFor, wait, "Wait for a task", read_only=True),
    Tool("read", Read, read, "Read a task's output", read_only=True),
    Tool("send", Send, send, "Type into a task", destructive=True),
    Tool("list", List, list_, "List tasks", read_only=True),
    Tool("stop", Stop, stop, "Stop a task", destructive=True),
)
