"""Sweeps from Python: many tasks from one command, shown as a table of their parameters, states and progress."""

from __future__ import annotations

import inspect
import os
import time
from html import escape
from typing import TYPE_CHECKING, Any

from ..client import ClientError, StillRunning, has_ended
from ..client import format as formats
from ..functions import calls
from . import tables, threads
from .clients import connections
from .starting import fields, program, run, words
from .task import Task
from .task_list import TaskList

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    from ..client.literals import Scalar, StateName, SweepMode
    from ..client.types import Sweep as Info
    from ..client.types import Task as TaskInfo
    from .clients import Connections

#: Options of every task of a sweep; other keywords are parameters.
_OPTIONS = frozenset(inspect.signature(run).parameters) - {"command", "args", "kwargs", "if_exists", "url", "token"}
#: Rows that are displayed.
_ROWS = 200


class Sweep:
    """A sweep of the server, as returned by `sweep` and `get_sweep`.

    `info`, `tasks` and its display are as of the last request: of its creation, `refresh`, `wait` and its other verbs;
    a notebook that displays it asks first. Errors are those of client.errors.
    """

    def __init__(self, info: Info, connections: Connections) -> None:
        self._connections = connections
        self._info = info
        self._tasks = TaskList()
        self.refresh()

    def refresh(self) -> Sweep:
        """Update from the server, and return self. Raises NotFound if no task is left."""
        with self._connections.client() as client:
            found = list(client.all(sweep=self.id))
            # After the tasks: if all of those have ended, the counts say so, too.
            self._info = client.sweep(self.id)
        self._tasks = TaskList(Task(info, self._connections) for info in reversed(found))
        return self

    @property
    def info(self) -> Info:
        """The sweep's JSON, as in docs/rest.md."""
        return self._info

    @property
    def id(self) -> str:
        """The id: unique, and never changes."""
        return self._info["id"]

    @property
    def name(self) -> str:
        """The name, which is the prefix of the names of its tasks."""
        return self._info["name"]

    @property
    def tasks(self) -> TaskList:
        """Its tasks, oldest first; `task.params` are the parameters of each."""
        return self._tasks

    @property
    def states(self) -> dict[StateName, int]:
        """How many tasks are in which state."""
        return {state: count for state, count in self._info["states"].items() if count}

    @property
    def live(self) -> bool:
        """Whether a task has not ended yet."""
        return any(not has_ended(task.as_heard) for task in self._tasks)

    # -- its end ------------------------------------------------------------------------------------------------------

    def wait(self, timeout: float | None = None, *, check: bool = False) -> Sweep:
        """Wait until all tasks have ended, and return self. An interrupt leaves them running.

        Args:
            timeout: seconds to wait.
            check: also call `check`.

        Raises:
            StillRunning: some have not ended within `timeout` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.refresh().live:
            for task in self._tasks:
                if not has_ended(task.as_heard):
                    self._wait_for(task, timeout, deadline)
        return self.check() if check else self

    def _wait_for(self, task: Task, timeout: float | None, deadline: float | None) -> None:
        try:
            task.wait(None if deadline is None else max(deadline - time.monotonic(), 0.0))
        except StillRunning as error:
            message = f"sweep {self.name!r} has not ended within {timeout:g} s: {self.refresh().summary}"
            raise StillRunning(message, hint="It keeps running in the background.") from error

    async def wait_async(self, timeout: float | None = None, *, check: bool = False) -> Sweep:
        """Like `wait`, without blocking the event loop."""
        return await threads.call(self.wait, timeout, check=check)

    def __await__(self) -> Generator[Any, None, Sweep]:
        return self.wait_async().__await__()

    def check(self) -> Sweep:
        """Return self if all tasks have succeeded. Raises TaskFailed for the first one that has not, StillRunning if
        one has not ended.
        """
        for task in self.refresh().tasks:
            if task.as_heard["state"] != "succeeded":
                task.check()
        return self

    def results(self, timeout: float | None = None) -> list[Any]:
        """Return the results of the tasks' function, in the order of the tasks; wait for them if needed.

        Raises what Task.result raises, for the first task that has failed.
        """
        self.wait(timeout)
        return [task.result() for task in self.tasks]

    # -- verbs --------------------------------------------------------------------------------------------------------

    def retry(self, states: Iterable[StateName] = ("failed", "timed_out", "lost")) -> TaskList:
        """Rerun the tasks that ended in one of these states, and return them."""
        with self._connections.client() as client:
            change = client.retry_sweep(self.id, states)
        return self._changed(change["changed"])

    def release(self) -> TaskList:
        """Release the held tasks, and return them."""
        with self._connections.client() as client:
            change = client.release_sweep(self.id)
        return self._changed(change["changed"])

    def cancel(self) -> TaskList:
        """Cancel the pending tasks, begin to stop the running ones, and return all of them. Use `wait` to wait for
        them.
        """
        with self._connections.client() as client:
            change = client.cancel_sweep(self.id)
        return self._changed(change["changed"])

    def delete(self, *, stop: bool = False) -> None:
        """Delete all of its tasks and their output.

        Args:
            stop: cancel it first if it has not ended.
        """
        with self._connections.client() as client:
            client.delete_sweep(self.id, stop=stop)

    def _changed(self, ids: Sequence[str]) -> TaskList:
        return TaskList(task for task in self.refresh().tasks if task.id in ids)

    # -- its view -----------------------------------------------------------------------------------------------------

    @property
    def summary(self) -> str:
        """The states in one line: `3 running, 1 failed`."""
        return ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in self.states.items())

    def __repr__(self) -> str:
        """Return the table as text."""
        head, rows, more = self._table()
        return "\n".join([f"sweep {self.name} ({self.id}): {self.summary}", tables.as_text(head, rows), *more])

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """Return the display of the sweep: current, or its last known state if the server cannot be reached."""
        try:
            self.refresh()
        except ClientError as error:
            note = [f"last known state: {error.message}"]
        else:
            note = []
        head, rows, more = self._table()
        title = f"<b>{escape(self.name)}</b> {escape(self.summary)}"
        ends = "".join(f"<div>{escape(text)}</div>" for text in (*more, *note))
        return {
            "text/html": f"<div>{title}{tables.as_html(head, rows)}{ends}</div>",
            "text/plain": "\n".join([repr(self), *note]),
        }

    def _table(self) -> tuple[list[str], list[tuple[str, ...]], list[str]]:
        """Return the header and the rows of the table, and the text below it."""
        names = list(dict.fromkeys(name for task in self._tasks for name in task.as_heard["params"]))
        rows = [(*(_said(task.params.get(name, "")) for name in names), *_row(task.as_heard)) for task in self._tasks]
        more = [f"… and {len(rows) - _ROWS} more"] if len(rows) > _ROWS else []
        return [*names, "state", "progress", "exit", "ran"], rows[:_ROWS], more


def _said(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _row(info: TaskInfo) -> tuple[str, ...]:
    progress = info["progress"]
    fraction = progress["fraction"] if progress else None
    ran = formats.runtime(info)
    return (
        info["state"].replace("_", " "),
        "" if fraction is None else f"{formats.percent(fraction)}%",
        formats.ending(info),
        "" if ran is None else formats.duration(ran),
    )


# -- making and finding them ------------------------------------------------------------------------------------------


def sweep(
    command: str | Sequence[str | os.PathLike[str]] | Callable[..., Any],
    params: Mapping[str, str | Iterable[Any]] | None = None,
    *,
    mode: SweepMode = "grid",
    count: int | None = None,
    random_seed: int | None = None,
    max_failures: int | None = None,
    url: str = "",
    token: str = "",
    **more: Any,
) -> Sweep:
    """Queue a task for each combination of parameters, all or none of them, and return the sweep.

    `sweep("python train.py --lr {lr} --seed {seed}", lr=[1e-3, 1e-4], seed=range(5), group="gpu")` has ten tasks, which
    also have the variables PTYTASK_PARAM_LR and PTYTASK_PARAM_SEED. `sweep(train, lr=[1e-3, 1e-4], seed=range(5))` does
    the same for a function with these parameters; see `Sweep.results`.

    Args:
        command: a shell command line, or a list of arguments, with placeholders; `{{` is a brace. Or a function; the
            values of its parameters are lists of text, numbers and bools (bind others with `functools.partial`).
        params: the values of each parameter; needed for parameters with the name of an option.
        mode: `grid` uses all combinations, `zip` combines values element by element, `random` draws `count` from the
            grid, reproducibly for a `random_seed`.
        max_failures: after this many failed tasks, those that have not started are canceled.
        more: options of `run`, except `if_exists`, for every task; all others are parameters.

    Raises:
        ClientError: errors of client.errors; RequestFailed if there is no such sweep, NotPicklable if the function
            cannot be sent; then no task was created.
        TypeError: the function does not accept these arguments.
        KeyError: a variable to pass on is not set.
    """
    options = {name: value for name, value in more.items() if name in _OPTIONS}
    given = {**(params or {}), **{name: value for name, value in more.items() if name not in _OPTIONS}}
    values = {name: _values(name, values, as_text=not callable(command)) for name, values in given.items()}
    if callable(command):
        calls.check(command, (), values, options)
        options.setdefault("name", calls.label(command))
    server = connections(url, token)
    with server.client() as client:
        function = None
        if callable(command):
            command, function = program(client, command)
        made = client.create_sweep(
            words(command),
            values,
            function=function,
            mode=mode,
            count=count,
            random_seed=random_seed,
            max_failures=max_failures,
            **fields(client, **options),
        )
    return Sweep(made, server)


def get_sweep(ref: str, *, url: str = "", token: str = "") -> Sweep:
    """Return the sweep with this id or name; if several share the name, the newest. Raises NotFound."""
    server = connections(url, token)
    with server.client() as client:
        return Sweep(client.sweep(ref), server)


def _values(name: str, given: str | Iterable[Any], *, as_text: bool) -> str | list[Scalar]:
    """Return the values of a parameter for JSON; values of NumPy become numbers. `as_text`: text such as `1e-3,1e-4` is
    allowed.
    """
    if isinstance(given, str):
        if not as_text:
            raise TypeError(f"{name}={given!r}: the values of a function's parameter are a list")
        return given
    try:
        values = iter(given)
    except TypeError as error:
        raise TypeError(f"{name}={given!r}: neither an option of a task nor values of a parameter") from error
    return [_value(name, value) for value in values]


def _value(name: str, value: Any) -> Scalar:
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    plain: object = value.item() if hasattr(value, "item") else value
    if isinstance(plain, (str, int, float)):
        return plain
    raise TypeError(f"{name}: {value!r} is not text, a number or a bool")
