"""Starting tasks from Python, and finding them again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..client import caller_env
from ..client import format as formats
from .clients import connections
from .task import Task
from .task_list import TaskList

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..client import Client
    from ..client.types import IfExists, StateName


def run(
    command: str | Sequence[str | os.PathLike[str]] | None = None,
    *,
    name: str | None = None,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | Iterable[str] = (),
    group: str | None = None,
    tags: Iterable[str] = (),
    timeout: float | str | timedelta | None = None,
    if_exists: IfExists = "new",
    rows: int | None = None,
    cols: int | None = None,
    stop_grace: float | None = None,
    stop_signals: Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    url: str = "",
    token: str = "",
) -> Task:
    """Start a task and give it: a line for the shell, a list of arguments, or without a command an interactive shell.

    It runs in `cwd`, by default where this process is, with the server's environment, over that what makes its `python`
    and its programs ours (see caller_env), over that `env`: a mapping, or like `["SEED=1", "HF_TOKEN"]`, where a name
    alone passes our own variable on. No other variable of ours reaches it. (On a server that is on another machine
    only what is said.)

    `timeout` is in seconds, or like "2h", or a timedelta. `if_exists` says what a live task of that `name` means: start
    another (`new`), `return` that one, `restart` that one (as it was given then), or `fail`. `url` and `token` say
    where the server is; without them it is found (see discovery). Raises errors of client.errors; RequestFailed for
    what cannot be started; KeyError for a variable that we do not have.
    """
    server = connections(url, token)
    with server.client() as client:
        task, _ = start(
            client,
            command,
            name=name,
            cwd=cwd,
            env=env,
            group=group,
            tags=tags,
            timeout=timeout,
            if_exists=if_exists,
            rows=rows,
            cols=cols,
            stop_grace=stop_grace,
            stop_signals=stop_signals,
            metadata=metadata,
        )
    return Task(task, server)


def get(ref: str, *, url: str = "", token: str = "") -> Task:
    """Give the task with this id or name; of several with the name, the newest. Raises TaskNotFound."""
    server = connections(url, token)
    with server.client() as client:
        return Task(client.get(ref), server)


def tasks(
    *,
    state: StateName | Iterable[StateName] = (),
    name: str | None = None,
    group: str | None = None,
    tag: str | None = None,
    q: str | None = None,
    limit: int | None = None,
    url: str = "",
    token: str = "",
) -> TaskList:
    """Give tasks, newest first, `limit` at most: those of which all that is said is true.

    `q` is part of an id, name, command, group or tag.
    """
    server = connections(url, token)
    states = [state] if isinstance(state, str) else list(state)
    found = TaskList()
    with server.client() as client:
        for info in client.all(state=states, name=name, group=group, tag=tag, q=q):
            if limit is not None and len(found) >= limit:
                break
            found.append(Task(info, server))
    return found


def start(
    client: Client,
    command: str | Sequence[str | os.PathLike[str]] | None,
    *,
    cwd: str | os.PathLike[str] | None,
    env: Mapping[str, str] | Iterable[str],
    tags: Iterable[str],
    timeout: float | str | timedelta | None,
    **options: Any,
) -> tuple[Any, bool]:
    """See `run`. Gives what the server tells of the task, and whether it was there before."""
    given = dict(env) if isinstance(env, Mapping) else caller_env.parse_pairs(env)
    here: str | None = None if cwd is None else os.fspath(cwd)
    if client.server.is_local:
        here = os.path.abspath(os.path.expanduser(here or ""))
        given = {**caller_env.from_interpreter(), **given}
    task = client.create(
        command if command is None or isinstance(command, str) else [os.fspath(word) for word in command],
        cwd=here,
        env=given,
        tags=list(tags),
        timeout=_seconds(timeout),
        **options,
    )
    return task, client.found


def _seconds(timeout: float | str | timedelta | None) -> float | None:
    if isinstance(timeout, timedelta):
        return timeout.total_seconds()
    return formats.seconds(timeout) if isinstance(timeout, str) else timeout
