"""Types of the REST API's responses (docs/rest.md): plain dictionaries, passed on unchanged; `null` is None.

`scripts/openapi.py` writes their schemas into docs/openapi.yaml, with what `Says` adds: docstrings are for those who
read it.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

from .literals import (
    Better,
    Command,
    Count,
    ErrorCode,
    Id,
    Name,
    Number,
    Says,
    Scalar,
    Size,
    StateName,
    SweepMode,
    Time,
    When,
)

# Pydantic, which makes the schemas, does not take those of `typing` before.
if sys.version_info >= (3, 12):
    from typing import NotRequired, TypedDict
else:
    from typing_extensions import NotRequired, TypedDict


class Error(TypedDict):
    """The body of every response that reports an error."""

    code: ErrorCode | Annotated[str, Says(pattern="^http_[45][0-9]{2}$", description="A plain HTTP error.")]
    """Identifies the error for programs; never changes."""
    message: str
    """A message for people; it may change."""
    field: NotRequired[str]
    """The part of the request at fault."""


class After(TypedDict):
    """A task that must have ended before another one starts."""

    ref: str
    """Its id; in requests also its name."""
    when: When
    """How it must have ended."""


class Retry(TypedDict):
    """How a failed task is run again: `max` times at most, each time after `delay` seconds times `factor` for every
    earlier retry, `most` seconds at most.
    """

    max: Number
    """Retries at most."""
    delay: NotRequired[float]
    """Seconds until the first retry."""
    factor: NotRequired[float]
    """How much longer each delay is."""
    most: NotRequired[float]
    """The longest delay, in seconds."""
    on: NotRequired[list[str | int]]
    """States or exit codes; empty: every end but success and cancellation."""


class Waiting(TypedDict):
    """Why a pending task does not run."""

    position: Count
    """1 is the next of its group; 0: it waits for something else."""
    reason: Literal["held", "dependency", "not_before", "paused", "slots", "gpus", "limit", "starting", "place"]
    """The reason, for programs."""
    text: str
    """The same in words."""
    starts: Time | None
    """When it starts, if that is known or can be guessed from earlier runs."""


class Group(TypedDict):
    """A group of tasks, and what it is doing; see docs/queue.md."""

    name: str
    slots: Count | None
    """How many slots it has; null is unlimited."""
    gpus: Annotated[list[str], Says(minItems=1)] | Literal["all"] | None
    """GPUs for its tasks, the best ones first; null: only for those that ask."""
    per_gpu: Number
    """How many of its tasks share a GPU."""
    on_failure: Literal["continue", "pause", "cancel"]
    """What a failure does to the waiting tasks of the group."""
    paused: bool
    reason: str
    """Why it is paused, in words."""
    used: Count
    """Slots that active tasks take."""
    active: Count
    """Number of its active tasks."""
    pending: Count
    """Number of its pending tasks."""
    ends: Time | None
    """When the last of its tasks ends, if that can be guessed from earlier runs."""


class GroupList(TypedDict):
    """All groups that are configured or in use, by name."""

    groups: list[Group]


class WaitsFor(TypedDict):
    """What a program waits for."""

    kind: Literal["line", "password", "keys", "shell"]
    """A line, a line that is not echoed, single keys, or the next command of a shell."""
    prompt: Annotated[str, Says(maxLength=200)]
    """What is shown before the cursor, without what was typed there."""
    since: Time
    sure: bool
    """Whether the kernel says so. If not, the last line looks like a prompt."""


class Exit(TypedDict):
    """How a command ended: with an exit `code`, or by a `signal` (its name). The other one is null."""

    code: int | None
    signal: str | None


class Bounds(TypedDict):
    """The output on disk, from offset `start` to `end`."""

    start: Count
    end: Count
    lines: Count
    lost: Count
    """Bytes that could not be written."""
    directory: str
    """Directory of the raw output, in files named after the offset of their first byte."""


class Track(TypedDict):
    """One counter of a task, such as epochs, or the steps of an epoch."""

    name: str
    done: float
    total: float | None


class Progress(TypedDict):
    """Progress of a task; the last one if it has ended."""

    fraction: Annotated[float, Says(minimum=0, maximum=1)] | None
    """Fraction of the whole; null if the total is unknown."""
    done: float | None
    """Count of the outermost track."""
    total: float | None
    """Total of the outermost track."""
    unit: str
    text: Annotated[str, Says(maxLength=80)]
    """A message for people; may be empty."""
    state: Literal["normal", "error", "paused", "indeterminate"]
    source: str
    """What it was recognized from."""
    eta: float | None
    """Seconds left, counted from `updated`."""
    tracks: list[Track]
    """The counters, outermost first."""
    updated: Time


class Measures(TypedDict):
    """Resources of the whole process tree of a task; null is unknown."""

    cpu: Annotated[float | None, Says(description="Percent of one CPU.")]
    rss: Annotated[int | None, Says(description="Bytes; shared memory is counted for each process.")]
    pss: Annotated[
        int | None,
        Says(description="Bytes; shared memory is counted once. Measured occasionally, for small process trees."),
    ]
    processes: Annotated[int | None, Says(description="Number of processes.")]
    gpu_memory: Annotated[int | None, Says(description="GPU memory in bytes.")]
    gpu_load: Annotated[float | None, Says(description="Percent of one GPU.")]


class Usage(Measures):
    """Resource usage of a live task; for a finished one, from its exit record."""

    gpu_scope: Literal["process", "device"] | None
    """Whether the GPU values are those of the processes, or of whole devices."""
    cpu_time: float | None
    """CPU time in seconds."""
    sampled: Time | None
    """When it was measured."""
    peak: Measures
    """The highest values so far."""
    user: float | None
    """User CPU time in seconds, of a finished task."""
    system: float | None
    """System CPU time in seconds, of a finished task."""
    max_rss: int | None
    """Memory of the largest process in bytes, of a finished task."""


class Sample(TypedDict):
    """Usage of a task at one time."""

    time: Time
    cpu: float | None
    rss: int
    gpu_memory: int | None
    gpu_load: float | None


class Stats(TypedDict):
    """Recent resource usage of a task."""

    usage: Usage | None
    interval: float
    """Current sampling interval in seconds."""
    samples: Annotated[list[Sample], Says(maxItems=120)]
    """Oldest first; empty for a finished task."""


class WhyLine(TypedDict):
    """A line of output."""

    line: int
    """Its number, as in `GET /tasks/{ref}/output`."""
    text: str


#: The kinds of reasons (docs/why.md).
WhyKind = Literal[
    "exception", "panic", "error", "build", "tests", "gpu_memory", "memory", "disk_full", "crash", "signal",
    "time_limit", "not_found", "not_executable", "exit", "queue",
]  # fmt: skip


class Why(TypedDict):
    """Why a task has failed, or why it does not run."""

    id: str
    state: StateName
    attempt: int
    kind: WhyKind | None
    """What kind of reason it is; `queue` for a pending task, null for one that runs or has not failed."""
    message: str
    """One sentence. The `state_message` of a failed task is the same."""
    lines: Annotated[list[WhyLine], Says(maxItems=6)]
    """The lines of the output that say it; empty if none does."""


#: A number; the ones that JSON has no word for are text, as Python's `float` and JavaScript's `Number` read it.
AnyNumber = float | Literal["NaN", "Infinity", "-Infinity"]


class Metric(TypedDict):
    """What a metric is now, and was."""

    value: AnyNumber
    """The last value."""
    step: AnyNumber
    """The step that it belongs to."""
    min: float | None
    """The lowest value that is a number; null if there is none."""
    max: float | None
    """The highest one."""
    better: Better
    """Which values are the good ones; guessed from the name."""
    trend: Annotated[list[float | None], Says(maxItems=16)]
    """A few values of all, in order, for a small picture; of the first metric of a task only."""


class MetricPoints(TypedDict):
    """A metric with its points, as columns of the same length."""

    name: str
    value: AnyNumber
    step: AnyNumber
    min: float | None
    max: float | None
    better: Better
    """Which values are the good ones; guessed from the name."""
    count: Count
    """Values that were read, also those that are not among the points."""
    steps: list[AnyNumber]
    times: list[float]
    """When they were read, in Unix seconds."""
    values: list[AnyNumber]


class Metrics(TypedDict):
    """The metrics of one attempt of a task, the most telling first."""

    id: Id
    attempt: Number
    attempts: list[int]
    """The attempts that are known, the oldest first."""
    gaps: list[float]
    """When output was missing (Unix seconds)."""
    metrics: Annotated[list[MetricPoints], Says(maxItems=64)]


class TaskWarning(TypedDict):
    """What is wrong with a task though it has not failed; see docs/metrics.md."""

    kind: Literal["stalled", "not_a_number"]
    """No output and no new step for long; or the last value of a loss is NaN or infinite."""
    metric: str | None
    """The metric that it is about."""
    message: str
    """The same in words."""
    since: Time | None
    """Since when; null if that is not known."""


class SweepOf(TypedDict):
    """The sweep that a task belongs to."""

    id: str
    name: str


class Sweep(TypedDict):
    """A sweep. What it was made of is null if that is not known anymore."""

    id: Id
    name: Name
    command: Command | None
    """The command with its placeholders."""
    params: dict[str, str | list[Scalar]] | None
    """The values of each parameter, as they were given."""
    mode: SweepMode | None
    random_seed: int | None
    """What a random sweep was drawn with."""
    max_failures: Number | None
    """After so many failed tasks, those that have not started are canceled."""
    group: str
    created: Time
    size: Number
    """Tasks that were created; some may have been deleted since."""
    states: dict[StateName, Count]
    """Number of its tasks in each state."""


class SweepList(TypedDict):
    """All sweeps, newest first."""

    sweeps: list[Sweep]


class GroupChange(TypedDict):
    """What `retry` of a group has done."""

    changed: list[str]
    """Ids of the tasks that were queued again."""


class SweepChange(TypedDict):
    """What `start`, `retry` and `cancel` have done."""

    sweep: Sweep
    changed: list[str]
    """Ids of the tasks that were queued again, canceled, or are being stopped."""


class Resources(TypedDict, total=False):
    """What a task asks a batch system for; what is not given is as usual there."""

    cpus: Number
    """CPUs on each node."""
    memory: str
    """Memory on each node, such as `16384M`."""
    gpus: str
    """GPUs: a number, or a kind and a number such as `a100:2`."""
    time: Number
    """Time limit in seconds."""
    partition: str
    account: str
    qos: str
    constraint: str
    nodes: Number
    """Nodes; the command runs on the first."""
    reservation: str
    begin: str
    """When to start at the earliest."""
    requeue: bool
    """Whether the batch system may end the job and run it again later."""
    extra: list[str]
    """More options of the batch system."""


class Job(TypedDict):
    """A job of a batch system."""

    id: str
    node: str | None
    """Where it runs or ran; null as long as it waits."""
    state: str | None
    """What the batch system calls its state; null if that is not known."""
    reason: str | None
    """The batch system's reason for that state; null if it has none, or that is not known."""
    starts: Time | None
    """When it is expected to start; null if that is not known, or it has started."""
    ends: Time | None
    """When its time limit is reached; null if that is not known."""


class Git(TypedDict):
    """What git says of a directory."""

    commit: str
    """The commit that was checked out."""
    branch: str | None
    """Null if no branch was checked out."""
    dirty: bool | None
    """Whether files differed from the commit; null if it took too long to find out."""


class Task(TypedDict):
    """A task."""

    id: Id
    name: Name
    command: Command
    kind: Literal["command", "shell"]
    place: str
    """Where it runs; `local` is the server's machine."""
    cwd: str
    """Working directory, absolute; on another machine as it was given, relative to the home directory."""
    state: StateName
    state_reason: str
    """The reason for this state, for programs; may be empty."""
    state_message: str
    """A message for people; may be empty."""
    exit: Exit | None
    """Null while the task is live."""
    attempt: Number
    """1, and one more for each restart."""
    pid: Number | None
    """Process id of the command."""
    rows: Size
    cols: Size
    viewers: Count
    """Number of terminals that show it."""
    leader: str | None
    """Id of the viewer whose size the terminal has."""
    waiting: WaitsFor | None
    """What the program waits for; null if it does not wait for input, or that is not known."""
    running_in_background: bool
    """Whether it runs without a viewer."""
    alive: bool
    """Whether its command runs."""
    connected: bool
    """Whether the ptyhost responds at the moment."""
    created: Time
    started: Time | None
    ended: Time | None
    last_activity: Time
    """When it last wrote something; until then, when it started."""
    timeout: Annotated[float, Says(exclusiveMinimum=0)] | None
    """Time limit in seconds."""
    output: Bounds
    group: str
    tags: list[str]
    metadata: dict[str, Any]
    pinned: bool
    """Whether the task is kept until it is deleted explicitly."""
    leftover: Count
    """Number of processes that the command left running."""
    queue: Waiting | None
    """Why a pending task does not run; null for others."""
    priority: int
    """Higher ones of a group start first."""
    rank: str
    """Order of the pending tasks of one priority, as text; the id unless the task was moved."""
    slots: Number
    """Slots of its group that the task takes."""
    gpus: Annotated[float, Says(minimum=0)] | None
    """GPUs that the task asks for, or a share of one; null for what its group gives."""
    assigned_gpus: list[str]
    """UUIDs of the GPUs that the current attempt was given."""
    after: list[After]
    """Tasks that must have ended before."""
    not_before: Time | None
    """The earliest time to start."""
    retry: Retry | None
    runs_again: bool
    """Whether the task has ended and is about to be run again by itself, because of `retry`."""
    sweep: SweepOf | None
    params: dict[str, Scalar]
    """Its parameters, also in the task's environment as PTYTASK_PARAM_*."""
    resources: Resources
    job: Job | None
    """What the batch system of its place knows of it; null elsewhere."""
    git: Git | None
    """Its directory when the current attempt was started; null outside of a repository, and on other machines."""
    again_of: Id | None
    """The task that it was made like (`again`); it may have been deleted since."""
    notes: str | None
    """The tag of its notes, which changes with them; null without notes."""
    progress: Progress | None
    metrics: Annotated[dict[str, Metric], Says(maxProperties=8)]
    """What its output tells, the most telling first."""
    warnings: list[TaskWarning]
    """What is wrong with it though it has not failed."""
    usage: Usage | None


class Attempt(TypedDict):
    """One attempt of a task: how it ended, or how far it is."""

    attempt: Number
    state: StateName
    state_reason: str
    state_message: str
    exit: Exit
    started: Time | None
    ended: Time | None
    git: Git | None


class Signaled(TypedDict):
    """One signal of the stop sequence."""

    signal: str
    grace: Annotated[float, Says(minimum=0)]
    """Seconds until the next one."""


class WarnedOf(TypedDict):
    """A signal before the time limit."""

    signal: str
    before: Annotated[float, Says(exclusiveMinimum=0)]
    """Seconds before the time limit."""


class RunBefore(TypedDict):
    """An earlier task."""

    id: Id
    name: Name


class Imported(TypedDict):
    """Where an imported task comes from."""

    id: str
    """Its id there."""
    host: str
    """Name of the machine on which it ran."""
    place: str
    exported: Time


class Details(TypedDict):
    """What lists do not tell of a task."""

    id: Id
    attempts: Annotated[list[Attempt], Says(minItems=1)]
    """The last 50 before the present one, and that."""
    environment: list[str]
    """Names of the variables that were given; their values may be secrets."""
    host: str | None
    """Name of the machine on which the present attempt runs or ran; null if that is not known."""
    imported: Imported | None
    """Where it comes from; null if it was started here."""
    disk: Count
    """Bytes that its files use."""
    stop: list[Signaled]
    """How it is stopped."""
    timeout_warning: WarnedOf | None
    before: RunBefore | None
    """The run before: the task that it was made like, else the last one before with its name, or with its command."""


class Removable(TypedDict):
    """A finished task that is deleted when cleaning up."""

    id: Id
    name: Name
    state: StateName
    ended: Time | None
    size: Count
    """Bytes that its files use."""


class Spared(TypedDict):
    """How many tasks are not deleted when cleaning up, though they are among those that were asked for."""

    running: Count
    waiting: Count
    """Those that have not started yet, or will run again."""
    pinned: Count
    needed: Count
    """Those that a waiting task needs."""
    best: Count
    newest: Count
    unmeasured: Count
    """Those without the metric of which the best is kept."""


class CleanUp(TypedDict):
    """What is deleted when cleaning up, or was."""

    tasks: list[Removable]
    size: Count
    """Bytes that all of them use."""
    spared: Spared


class Change(TypedDict):
    """A field that differs between two tasks."""

    field: str
    """Such as `command`, `params.lr` or `git.commit`."""
    before: Any
    """Null if it was not there."""
    after: Any


class ChangedNames(TypedDict):
    """Names of variables of the environments that were given to two tasks."""

    added: list[str]
    removed: list[str]
    changed: list[str]


#: What differs between two tasks. (`with` is a word of Python.)
Difference = TypedDict(
    "Difference",
    {"id": Id, "with": RunBefore | None, "changes": list[Change], "environment": ChangedNames},
)


class NotesText(TypedDict):
    """The notes of a task."""

    notes: str
    """Markdown; empty if there are none."""


class Page(TypedDict):
    """One page of tasks, newest first or in the order that was asked for."""

    tasks: list[Task]
    next_cursor: str | None
    """The `cursor` of the next page; null for the last one."""
    omitted: Count
    """Number of tasks left out because they could not be read; see the server's log."""
    revision: str
    """The `since` of `GET /changes`, for what has changed after this list."""


class PartialPage(TypedDict):
    """One page of tasks of which only some `fields` were asked for, and `id`."""

    tasks: list[dict[str, Any]]
    next_cursor: str | None
    """The `cursor` of the next page; null for the last one."""
    omitted: Count
    """Number of tasks left out because they could not be read; see the server's log."""
    revision: str
    """The `since` of `GET /changes`, for what has changed after this list."""


class Changes(TypedDict):
    """What has changed in the list of tasks since a revision."""

    complete: bool
    """Whether that is known. If not, request the list again."""
    tasks: list[Task]
    """The tasks that are new or were changed, in no order."""
    deleted: list[str]
    """Ids of tasks that are gone, or that were never in your list."""
    waits: dict[str, Waiting]
    """Why other pending tasks do not run, by id: their `queue`."""
    revision: str
    """The next `since`."""


class Calls(TypedDict):
    """How often a program was called."""

    minute: Count
    """In the last minute."""
    hour: Count


class PlaceAbout(TypedDict):
    """Where tasks can run."""

    name: str
    """`local`, `slurm`, `ssh:` and the name of a host, or a name that is configured."""
    kind: Literal["local", "ssh", "slurm", "parsl"]
    reachable: bool | None
    """Whether it can be reached; null if it was not tried."""
    problem: str | None
    """Why it cannot be reached, and what to do; null if it can, or was not tried."""
    login: str | None
    """The command that logs in, for a terminal, where you have to; null elsewhere, and where it was not tried."""
    shares_files: bool
    """Whether tasks there see the files of the server's machine."""
    resources: list[str]
    """The fields of `resources` that the place takes."""
    calls: dict[str, Calls]
    """How often the programs of a batch system, such as `squeue`, were called by all servers of the data directory;
    empty for other places."""


class PlaceList(TypedDict):
    """This machine, the hosts of the user's ssh configuration, and all other places in use."""

    places: list[PlaceAbout]


class Partition(TypedDict):
    """A partition of a batch system, or a queue; numbers are those of its largest node."""

    name: str
    default: bool
    """Whether it is taken if none is given."""
    up: bool
    """Whether its jobs start."""
    nodes: Count
    cpus: Count
    memory: str | None
    """As in `resources`; null if that is not known."""
    gpus: list[str]
    """Kinds and numbers, such as `a100:4`."""
    max_time: Number | None
    """The longest time limit, in seconds; null if there is none."""


class PlaceOptions(TypedDict):
    """What a task at a place can ask for."""

    name: str
    resources: list[str]
    """The fields of `resources` that the place takes."""
    partitions: list[Partition]
    accounts: list[str]
    """Accounts that can be charged; empty if they are not known."""
    qos: list[str]
    """Qualities of service that can be asked for; empty if they are not known."""


class Storage(TypedDict):
    """Bytes on disk used by finished tasks, and the limit (null for none)."""

    used: Count
    limit: Count | None


class Limits(TypedDict):
    """What the server allows."""

    max_live_tasks: Number
    """Tasks that are active at a time."""


class Status(TypedDict):
    """The state of the service."""

    version: str
    tasks: dict[StateName, Count]
    """Number of tasks in each state."""
    limits: Limits
    provisioners: list[str]
    tasks_outlive_server: bool
    """Whether tasks run on when the server ends. On Windows a job object, in which a server may be, can prevent it."""
    storage: Storage
    stale: Annotated[float, Says(minimum=0)] | None
    """Seconds since the database last responded; null if it responds."""
    unreadable: Count
    """Number of tasks left out because they are damaged or from a newer version."""
    problem: str | None
    """What keeps the server from managing tasks; null if nothing does."""


class Text(TypedDict):
    """Some lines of the output. A line that may still change is repeated by a request for `since` = `next_line`."""

    output: str
    first_line: Count
    """Number of the first line; the first of all is 0."""
    next_line: Count
    """The `since` of the next request."""
    total_lines: Count
    lines_omitted: Count
    """Number of lines left out, before or between these, or no longer kept."""
    more: bool
    """Whether there are lines from `next_line` on already."""
    truncated: bool
    """Whether lines are left out."""
    bytes: Count
    estimated_tokens: Count
    ended: bool
    """Whether the task has ended, so that no more output follows."""
    line_numbers: NotRequired[list[Count]]
    """With `grep` or `times`, the number of each line."""
    times: NotRequired[list[str | None]]
    """With `times`, when each line came; null if nothing tells."""


class Replay(TypedDict):
    """What a task's terminal showed at some moment."""

    offset: Count
    """Where in the output that is, in bytes."""
    time: str
    """When the output before it came."""
    start: Count
    """Offset of the oldest byte kept."""
    end: Count
    first_time: str
    """When the oldest output kept began."""
    last_time: str
    """The end of the task, or now."""
    rows: int
    cols: int
    """The size of the terminal then."""
    alternate: bool
    """Whether a full-screen program was on."""
    data: str
    """What draws the screen in a terminal of this size, whatever that shows."""


class Hit(TypedDict):
    """A line of the output of a task that was searched for."""

    task: str
    """The id."""
    name: str
    line: Count
    """Number of the line; the first of all is 0."""
    offset: Count
    """Where in the output the line begins, in bytes."""
    text: str
    """At most 4000 characters of it."""
    spans: list[tuple[Count, Count]]
    """Where in `text` the matches are: first character, and the one behind the last."""


class Searched(TypedDict):
    """What a search has looked at: its last line."""

    hits: Count
    tasks: Count
    bytes: Count
    unreadable: Count
    """Number of tasks whose output could not be read."""
    reason: Literal["limit", "time", "pattern"] | None
    """Why not all was searched: enough lines were found, a minute is over, the pattern takes too long."""
    message: str | None
    """The same in words, if the pattern is at fault."""


class Cursor(TypedDict):
    """Where the cursor of a terminal is: row and column, both from 0 on."""

    row: Count
    col: Count
    visible: bool


class Screen(TypedDict):
    """What the terminal of a task shows now."""

    rows: Size
    cols: Size
    cursor: Cursor
    lines: Annotated[list[str], Says(maxItems=1000)]
    """One for each row, without the blanks at its end."""
    title: str
    """What the program calls its window; may be empty."""
    alternate: bool
    """Whether a full-screen program has the screen."""


class Terminal(TypedDict):
    """A task as Jupyter's terminals API has it."""

    name: Id
    """The task's id."""
    last_activity: Time


class MatchedLine(TypedDict):
    """A line of the output."""

    number: Count
    text: str


class Waited(TypedDict):
    """What has happened to a task first."""

    task: Task
    reason: Literal["exit", "waiting", "match", "quiet", "progress", "output", "timeout"]
    """What it was; for a task that has ended always `exit`, unless a line matches."""
    line: MatchedLine | None
    """The line that matches."""
    output: Text | None
    """With `since`, the first 10 and last 40 lines from there on."""


class Typed(TypedDict):
    """What was typed."""

    typed: Count
    """The bytes that were typed."""
    waiting: WaitsFor | None
    """What the program waits for right after that."""


class CommandOutput(TypedDict):
    """Where the output of a command stands in that of the task."""

    start: Count
    """The offset of its first byte."""
    end: Count | None
    """The offset behind its last byte; null while it runs, or if its end is not known."""
    line: Count
    """The number of its first line, as in `GET /tasks/{ref}/output`."""
    lines: Count | None
    """How many lines it has ended."""


class ShellCommand(TypedDict):
    """A command that was run at the prompt of a shell."""

    attempt: Number
    """The attempt of the task that has run it."""
    number: Number
    """Counts the commands of an attempt."""
    command: str | None
    """What was typed, at most 2000 characters; null if that is not known."""
    cwd: str | None
    """The directory in which it was started."""
    exit: int | None
    """Its exit code; null while it runs, or if it is not known."""
    running: bool
    started: Time | None
    duration: float | None
    """Seconds."""
    output: CommandOutput


class ShellCommands(TypedDict):
    """The commands of a shell whose output is still there, and what it is doing."""

    id: Id
    marks: bool
    """Whether the task is a shell that marks its prompts and commands (docs/shells.md)."""
    at_prompt: bool
    """Whether it waits at its prompt."""
    cwd: str | None
    """Its directory, as far as known."""
    commands: list[ShellCommand]
    """The last ones, the newest last."""
    total: Count
    """How many are known."""


class Executed(TypedDict):
    """What has become of a command."""

    id: Id
    reason: Literal["done", "timeout", "exit"]
    """`done`: the shell is at its prompt again. `timeout`: the command still runs. `exit`: the shell has ended."""
    exit: int | None
    """Its exit code, or that of the shell if it has ended; null if there is none."""
    output: str
    """What it has written, as lines: the first and the last ones if there are many."""
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
    """What a command that still runs waits for."""
