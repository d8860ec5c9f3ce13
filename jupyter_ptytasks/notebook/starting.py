"""Starts tasks from Python, and finds existing ones."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..client import caller_env
from ..client import format as formats
from ..client import resources as asked_for
from ..functions import calls
from .clients import connections
from .task import Task
from .task_list import TaskList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..client import Client
    from ..client.literals import Command, HowMetricsAreRead, IfExists, StateName
    from ..client.types import After, Hit, Retry


def run(
    command: str | Sequence[str | os.PathLike[str]] | Callable[..., Any] | None = None,
    *args: Any,
    name: str | None = None,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | Iterable[str] = (),
    group: str | None = None,
    tags: Iterable[str] = (),
    timeout: float | str | timedelta | None = None,
    if_exists: IfExists = "new",
    place: str | None = None,
    resources: Mapping[str, Any] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    stop_grace: float | None = None,
    stop_signals: Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    hold: bool = False,
    priority: int | None = None,
    slots: int | None = None,
    gpus: float | str | None = None,
    after: Iterable[str | Task | After] = (),
    not_before: datetime | None = None,
    retry: int | Retry | None = None,
    metrics: HowMetricsAreRead | None = None,
    url: str = "",
    token: str = "",
    **kwargs: Any,
) -> Task:
    """Start or queue a command or a function as a task, and return it: `run("make")`, `run(train, lr=1e-3)`.

    See docs/queue.md for when it starts, and docs/functions.md for functions, whose value is `task.result()`.

    The task gets the server's environment, with the variables that select this process's `python`, programs, libraries
    and devices (see caller_env), and `env`. If the server is on another machine, it gets only `env` in addition.

    Args:
        command: a shell command line, a list of arguments, or a function; None for an interactive shell.
        args: arguments of the function.
        kwargs: more arguments of the function. A parameter that is named like an option of `run` is bound with
            `functools.partial`.
        cwd: working directory; by default that of this process.
        env: a mapping, or a list like `["SEED=1", "HF_TOKEN"]`, where a name alone passes on this process's variable.
        timeout: a time limit, in seconds, as text such as "2h", or as a timedelta.
        if_exists: what to do if a live task has this `name`: start another (`new`), `return` it, `restart` it with its
            original options, or `fail`.
        place: where it runs, such as "ssh:gpu1"; by default on the server's machine. The directory and the environment
            are those of that machine then.
        resources: requested at that place, such as `{"cpus": 4, "memory": "16G", "time": "2h"}` (see
            docs/cluster.md).
        stop_grace: seconds after each signal of the stop sequence.
        stop_signals: names of the signals of the stop sequence.
        hold: hold it until it is released.
        priority: tasks of a group with a higher one start first.
        slots: how many slots of its group it uses.
        gpus: how many GPUs it gets: whole ones, or a share of one below 1; by default as set in its group. At a place
            with a batch system they are part of the `resources`, and may have a type: "a100:2".
        after: tasks, ids or names of tasks that must have succeeded before, or `{"ref", "when": "ok" | "any" |
            "failed"}`.
        not_before: the earliest time to start; local time if it has no time zone.
        retry: how many times to run it again if it fails, or `{"max", "delay", "factor", "most", "on"}`.
        metrics: how metrics are read from its output (docs/metrics.md).
        url: address of the server; by default it is found (see discovery).
        token: its token.

    Raises:
        ClientError: errors of client.errors; RequestFailed if the command cannot be started, NotPicklable if the
            function or an argument cannot be sent.
        TypeError: the function does not accept these arguments.
        KeyError: a variable to pass on is not set.
    """
    options = locals()
    if callable(command):
        given = [option for option, usual in (run.__kwdefaults__ or {}).items() if options[option] is not usual]
        calls.check(command, args, kwargs, given)
    elif args or kwargs:
        said = ", ".join([*map(repr, args), *kwargs])
        raise TypeError(f"besides the options of run(), only a function has arguments: {said}")
    server = connections(url, token)
    with server.client() as client:
        function = None
        if callable(command):
            name = name or calls.label(command)
            command, function = program(client, command, args, kwargs)
        task, _ = start(
            client,
            command,
            function=function,
            name=name,
            cwd=cwd,
            env=env,
            group=group,
            tags=tags,
            timeout=timeout,
            if_exists=if_exists,
            place=place,
            resources=resources,
            rows=rows,
            cols=cols,
            stop_grace=stop_grace,
            stop_signals=stop_signals,
            metadata=metadata,
            hold=hold,
            priority=priority,
            slots=slots,
            gpus=gpus,
            after=after,
            not_before=not_before,
            retry=retry,
            metrics=metrics,
        )
    return Task(task, server)


def get(ref: str, *, url: str = "", token: str = "") -> Task:
    """Return the task with this id or name; if several share the name, the newest. Raises TaskNotFound."""
    server = connections(url, token)
    with server.client() as client:
        return Task(client.get(ref), server)


def import_task(path: str | os.PathLike[str], *, url: str = "", token: str = "") -> Task:
    """Create a task from a file that `Task.export` has written, and return it. It has ended, is pinned, and gets
    another name if its own is taken. Raises RequestFailed if the file is invalid.
    """
    server = connections(url, token)
    with server.client() as client, open(path, "rb") as archive:
        return Task(client.import_task(archive), server)


def search(
    q: str,
    *,
    tasks: Iterable[str | Task] = (),
    regex: bool = False,
    ignore_case: bool = False,
    state: StateName | Iterable[StateName] = (),
    group: str | None = None,
    tag: str | None = None,
    since: timedelta | datetime | None = None,
    limit: int = 1000,
    url: str = "",
    token: str = "",
) -> list[Hit]:
    """Return the lines of all output, or of these tasks, that contain a text, newest task first.

    Args:
        since: only tasks that ended after this time or within this duration, or have not ended.
        limit: maximum number of lines, up to 10000.
    """
    if isinstance(since, timedelta):
        since = formats.now() - since
    server = connections(url, token)
    with server.client() as client:
        found = client.search(
            q,
            tasks=[task if isinstance(task, str) else task.id for task in tasks],
            regex=regex,
            ignore_case=ignore_case,
            state=(state,) if isinstance(state, str) else state,
            group=group,
            tag=tag,
            since=None if since is None else since.astimezone().isoformat(),
            limit=limit,
        )
        # The last value is the summary.
        return [value for value in found if "reason" not in value]


def tasks(
    *,
    state: StateName | Iterable[StateName] = (),
    name: str | None = None,
    group: str | None = None,
    tag: str | None = None,
    sweep: str | None = None,
    q: str | None = None,
    sort: str | None = None,
    limit: int | None = None,
    url: str = "",
    token: str = "",
) -> TaskList:
    """Return the tasks that match all given filters, newest first.

    Args:
        sweep: the id or name of a sweep.
        q: a substring of the id, name, command, group or a tag.
        sort: another order, such as `min.val_loss`: see `Client.list`.
        limit: maximum number of tasks.
    """
    server = connections(url, token)
    states = [state] if isinstance(state, str) else list(state)
    found = TaskList()
    with server.client() as client:
        for info in client.all(state=states, name=name, group=group, tag=tag, sweep=sweep, q=q, sort=sort):
            if limit is not None and len(found) >= limit:
                break
            found.append(Task(info, server))
    return found


def start(
    client: Client,
    command: str | Sequence[str | os.PathLike[str]] | None,
    **options: Any,
) -> tuple[Any, bool]:
    """Start a task as `run` does. Return its JSON, and whether it existed before."""
    task = client.create(words(command) if command is not None else None, **fields(client, **options))
    return task, client.found


def words(command: str | Sequence[str | os.PathLike[str]]) -> Command:
    """Return a command in the form for the client."""
    return command if isinstance(command, str) else [os.fspath(word) for word in command]


def fields(
    client: Client,
    *,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | Iterable[str] = (),
    tags: Iterable[str] = (),
    timeout: float | str | timedelta | None = None,
    after: Iterable[str | Task | After] = (),
    not_before: datetime | None = None,
    retry: int | Retry | None = None,
    place: str | None = None,
    resources: Mapping[str, Any] | None = None,
    gpus: float | str | None = None,
    **others: Any,
) -> dict[str, Any]:
    """Return the options of `run` as those of a client's `create`. Raises KeyError for a variable that is not set."""
    given = dict(env) if isinstance(env, Mapping) else caller_env.parse_pairs(env)
    here: str | None = None if cwd is None else os.fspath(cwd)
    if client.server.is_local and asked_for.is_here(place):
        here = os.path.abspath(os.path.expanduser(here or ""))
        given = {**caller_env.from_interpreter(), **given}
    return {
        "cwd": here,
        "env": given,
        "tags": list(tags),
        "timeout": _seconds(timeout),
        "after": [one.id if isinstance(one, Task) else one for one in after],
        "not_before": None if not_before is None else not_before.astimezone().isoformat(),
        "retry": {"max": retry} if isinstance(retry, int) else retry,
        **asked_for.placed(place, resources, gpus),
        **others,
    }


def program(
    client: Client, function: Callable[..., Any], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
) -> tuple[Command, bytes]:
    """Return the command that calls a function, with this Python or that of a server on another machine, and the call
    as bytes. Raises NotPicklable, ExtraMissing.
    """
    here = client.server.is_local
    call = calls.pack(function, args, kwargs, path=calls.search_path() if here else ())
    words = ["-m", "jupyter_ptytasks.execute.function", calls.label(function)]
    return ([sys.executable, *words] if here else f'exec "$PTYTASK_PYTHON" {shlex.join(words)}'), call


def _seconds(timeout: float | str | timedelta | None) -> float | None:
    if isinstance(timeout, timedelta):
        return timeout.total_seconds()
    return formats.seconds(timeout) if isinstance(timeout, str) else timeout
