"""The client: one method per route of the REST API (docs/rest.md), and a few built on several of them."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast
from urllib.parse import quote

from . import discovery, reading
from .errors import ClientError, ConnectionLost, ServerNotFound, TaskNotFound
from .outcome import has_ended
from .transport import Transport
from .types import Piece

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from .types import (
        After,
        Ansi,
        Command,
        Group,
        IfExists,
        Mode,
        Page,
        Retry,
        Scalar,
        StateName,
        Stats,
        Status,
        Sweep,
        SweepChange,
        SweepMode,
        Target,
        Task,
        Text,
        Warn,
    )

    Result = TypeVar("Result")
    Params = ParamSpec("Params")

#: Seconds that the server holds a `wait`, and the timeout of slow requests, such as stopping and then deleting a task.
_LONG_POLL = 50.0
_SLOW = 600.0
#: The HTTP status if `if_exists` found a task; 201 if one was started.
_FOUND = 200
#: Seconds between attempts to reach a server that is restarting.
_RETRY = 0.5


class Client:
    """A client of the Jupyter server, over HTTP. The server may be on another machine, and may restart.

    Use it as a context manager, or call `close`. Use one client per thread. Methods take the id or name of a task as
    `ref`, and raise errors of client.errors.

    Args:
        url: address of the server. Without it the server is found (see discovery), again whenever it has moved.
        token: its token.
        timeout: seconds to wait for each response.
        patience: seconds for which waiting and following continue while the server is gone.
    """

    def __init__(self, url: str = "", token: str = "", *, timeout: float = 30.0, patience: float = 60.0) -> None:
        self._patience = patience
        self._address = (url, token)
        self._transport = Transport(self._find, timeout)
        #: Whether the last `create` returned an existing task instead of starting one.
        self.found = False

    def _find(self) -> list[discovery.Server]:
        try:
            return discovery.find(*self._address)
        except ValueError as error:
            raise ServerNotFound(str(error)) from error

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    @property
    def server(self) -> discovery.Server:
        """The server in use; makes a request if there was none yet."""
        if self._transport.server is None:
            self.status()
        assert self._transport.server is not None  # it has just answered
        return self._transport.server

    # -- the service, and its tasks -----------------------------------------------------------------------------------

    def status(self) -> Status:
        """Return version, number of tasks by state, limits and provisioners."""
        return cast("Status", self._get("status"))

    def list(
        self,
        *,
        state: Iterable[StateName] = (),
        name: str | None = None,
        group: str | None = None,
        tag: str | None = None,
        sweep: str | None = None,
        q: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page:
        """List tasks that match all given filters, newest first, one page at a time.

        Args:
            sweep: the id or name of a sweep.
            q: a substring of the id, name, command, group or a tag.
            limit: size of the page, at most 1000.
            cursor: the `next_cursor` of the page before.
        """
        given = {"name": name, "group": group, "tag": tag, "sweep": sweep, "q": q, "limit": limit, "cursor": cursor}
        return cast("Page", self._get("tasks", state=",".join(state) or None, **given))

    def all(
        self,
        *,
        state: Iterable[StateName] = (),
        name: str | None = None,
        group: str | None = None,
        tag: str | None = None,
        sweep: str | None = None,
        q: str | None = None,
    ) -> Iterator[Task]:
        """Iterate over all matching tasks, newest first. For the filters see `list`."""
        cursor: str | None = None
        while True:
            page = self.list(state=state, name=name, group=group, tag=tag, sweep=sweep, q=q, cursor=cursor)
            yield from page["tasks"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def create(
        self,
        command: Command | None = None,
        *,
        name: str | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        rows: int | None = None,
        cols: int | None = None,
        group: str | None = None,
        tags: Sequence[str] = (),
        timeout: float | None = None,
        timeout_warning: Warn | None = None,
        stop_grace: float | None = None,
        stop_signals: Sequence[str] | None = None,
        if_exists: IfExists = "new",
        metadata: Mapping[str, Any] | None = None,
        hold: bool = False,
        priority: int | None = None,
        slots: int | None = None,
        gpus: float | None = None,
        after: Sequence[str | After] = (),
        not_before: str | None = None,
        retry: Retry | None = None,
        function: bytes | None = None,
    ) -> Task:
        """Start or queue a task and return it. See docs/rest.md for the options, and docs/queue.md for the queue.

        Args:
            command: a shell command line, or a list of arguments; None for an interactive shell.
            if_exists: what to do if a live task has this name. `found` is True if that task was returned.
            hold: do not start it before `release`.
            priority: tasks of a group with a higher one start first.
            slots: how many slots of its group it takes.
            gpus: how many GPUs it gets: whole ones, or a share of one below 1; by default what its group gives.
            after: ids or names of tasks that must have succeeded before, or `{"ref", "when": "ok" | "any" | "failed"}`.
            not_before: the earliest time to start, in ISO 8601 with an offset from UTC.
            retry: how to run it again if it fails.
            function: the call that `command` runs (functions.calls.pack).

        Raises:
            RequestFailed: the command could not be started; no task was created.
        """
        given = {
            "command": command,
            "name": name,
            "cwd": cwd,
            "env": env,
            "rows": rows,
            "cols": cols,
            "group": group,
            "tags": list(tags) or None,
            "timeout": timeout,
            "timeout_warning": timeout_warning,
            "stop_grace": stop_grace,
            "stop_signals": stop_signals,
            "if_exists": if_exists,
            "metadata": metadata,
            "hold": hold or None,
            "priority": priority,
            "slots": slots,
            "gpus": gpus,
            "after": list(after) or None,
            "not_before": not_before,
            "retry": retry,
            "function": None if function is None else base64.b64encode(function).decode(),
        }
        response = self._transport.request("POST", "tasks", json=_given(given))
        self.found = response.status_code == _FOUND
        return cast("Task", _json(response.content))

    def get(self, ref: str) -> Task:
        """Return a task."""
        return self._task("GET", _path(ref))

    def update(
        self,
        ref: str,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        group: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        pinned: bool | None = None,
        command: Command | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        priority: int | None = None,
        slots: int | None = None,
        gpus: float | None = None,
        after: Sequence[str | After] | None = None,
        not_before: str | None = None,
        retry: Retry | None = None,
    ) -> Task:
        """Change a task's labels, pin it, or change what it runs and waits for, and return it. What is None is not
        changed.

        What a task runs and waits for can be changed until it starts; see `create`.
        """
        given = {
            "name": name,
            "tags": tags,
            "group": group,
            "metadata": metadata,
            "pinned": pinned,
            "command": command,
            "cwd": cwd,
            "env": env,
            "priority": priority,
            "slots": slots,
            "gpus": gpus,
            "after": after,
            "not_before": not_before,
            "retry": retry,
        }
        return self._task("PATCH", _path(ref), json=_given(given))

    def delete(self, ref: str, *, stop: bool = False, force: bool = False) -> None:
        """Delete a finished task and its output.

        Args:
            stop: stop a live task first, with its stop sequence.
            force: also delete a task that runs on another machine, without stopping it.
        """
        params = {name: "1" for name, said in (("stop", stop), ("force", force)) if said}
        self._transport.request("DELETE", _path(ref), params=params, timeout=_SLOW if stop else None)

    # -- verbs --------------------------------------------------------------------------------------------------------

    def release(self, ref: str) -> Task:
        """Let a held task take its turn."""
        return self._task("POST", _path(ref, "start"))

    def move(self, ref: str, *, before: str | None = None, after: str | None = None, to: str | None = None) -> Task:
        """Put a pending task right `before` or `after` another one of its group, or `to` the first or last place."""
        return self._task("POST", _path(ref, "move"), json=_given({"before": before, "after": after, "to": to}))

    def stop(self, ref: str, *, grace: float | None = None, signals: Sequence[str] | None = None) -> Task:
        """Start the stop sequence of a task, and return.

        Args:
            grace: seconds after each signal; by default those of the task.
            signals: names of signals; by default those of the task.
        """
        return self._task("POST", _path(ref, "stop"), json=_given({"grace": grace, "signals": signals}))

    def end_leftover(self, ref: str) -> Task:
        """End the processes that a finished task left running.

        Returns the task; its `leftover` counts the processes that could not be ended.
        """
        return self._task("DELETE", _path(ref, "leftover"), timeout=_SLOW)

    def pause(self, ref: str) -> Task:
        """Pause a task (SIGSTOP)."""
        return self._task("POST", _path(ref, "pause"))

    def resume(self, ref: str) -> Task:
        """Resume a paused task."""
        return self._task("POST", _path(ref, "resume"))

    def restart(self, ref: str, *, grace: float | None = None, signals: Sequence[str] | None = None) -> Task:
        """Run a task again, under the same id. A live task is stopped first, as by `stop`."""
        return self._task("POST", _path(ref, "restart"), json=_given({"grace": grace, "signals": signals}))

    def again(self, ref: str, *, name: str | None = None) -> Task:
        """Start a new task with the command, environment and limits of this one, and return the new task.

        Args:
            name: name of the new task; by default the same.
        """
        return self._task("POST", _path(ref, "again"), json=_given({"name": name}))

    def signal(self, ref: str, signal: str, *, target: Target = "tree") -> None:
        """Send a signal to the whole process `tree`, the `foreground` process group, or the command only (`leader`)."""
        self._transport.request("POST", _path(ref, "signal"), json={"signal": signal, "target": target})

    def send_input(self, ref: str, data: str, *, newline: bool | None = None) -> None:
        """Type `data` into a task.

        Args:
            newline: whether to press Enter after it; by default unless `data` has control characters.
        """
        self._transport.request("POST", _path(ref, "input"), json=_given({"data": data, "newline": newline}))

    def resize(self, ref: str, rows: int, cols: int) -> None:
        """Set the size of the task's terminal."""
        self._transport.request("POST", _path(ref, "resize"), json={"rows": rows, "cols": cols})

    def wait(self, ref: str, timeout: float | None = None) -> Task:
        """Wait until a task has ended, for at most `timeout` seconds, and return it. Survives a server restart."""
        deadline = None if timeout is None else time.monotonic() + timeout
        task = self.retrying(self.get, ref)
        while not has_ended(task):
            left = _LONG_POLL if deadline is None else min(max(deadline - time.monotonic(), 0.0), _LONG_POLL)
            if left <= 0:
                break
            task = self.retrying(self.wait_once, task["id"], left)
        return task

    def wait_once(self, ref: str, timeout: float) -> Task:
        """Like `wait`, in a single request: `timeout` is at most 55 seconds."""
        return self._task("GET", _path(ref, "wait"), params={"timeout": timeout, **_IDLE}, timeout=timeout + 15.0)

    def stats(self, ref: str) -> Stats:
        """Return the recent resource usage of a live task, which is sampled more often for the next 10 seconds."""
        return cast("Stats", self._get(_path(ref, "stats"), **_IDLE))

    def result(self, ref: str) -> bytes:
        """Return what the function of a task has returned or raised (functions.outcomes.result).

        Raises RequestFailed with the code `invalid_state` until it has ended for good, and `no_result` if there is
        nothing: the task runs no function, or was stopped.
        """
        return self._transport.request("GET", _path(ref, "result"), params=dict(_IDLE)).content

    # -- groups -------------------------------------------------------------------------------------------------------

    def groups(self) -> Sequence[Group]:
        """Return all groups that are configured or in use, by name."""
        return cast("Sequence[Group]", self._get("groups")["groups"])

    def group(self, name: str) -> Group:
        """Return a group."""
        return cast("Group", self._get(_group(name)))

    def set_group(self, name: str, **settings: Any) -> Group:
        """Configure a group, which is created with one slot if it does not exist, and return it.

        Args:
            settings: `slots` (None: no limit; 0: start no more tasks), `gpus` (None, "all", or a list of indexes and
                UUIDs), `per_gpu`, `on_failure` ("continue", "pause", "cancel"), `paused`, `reason`. What is not given
                is not changed.
        """
        return cast("Group", _json(self._transport.request("PUT", _group(name), json=settings).content))

    def delete_group(self, name: str) -> None:
        """Forget how a group is configured; its tasks are no longer limited."""
        self._transport.request("DELETE", _group(name))

    def pause_group(self, name: str, *, tasks: bool = False, reason: str = "") -> Group:
        """Start no more tasks of a group. With `tasks`, pause those that run, too."""
        body = {"tasks": tasks, "reason": reason}
        return cast("Group", _json(self._transport.request("POST", _group(name, "pause"), json=body).content))

    def resume_group(self, name: str, *, tasks: bool = False) -> Group:
        """Start tasks of a group again. With `tasks`, resume those that are paused."""
        body = {"tasks": tasks}
        return cast("Group", _json(self._transport.request("POST", _group(name, "resume"), json=body).content))

    # -- sweeps -------------------------------------------------------------------------------------------------------

    def create_sweep(
        self,
        command: Command,
        params: Mapping[str, str | Sequence[Scalar]],
        *,
        mode: SweepMode = "grid",
        count: int | None = None,
        random_seed: int | None = None,
        max_failures: int | None = None,
        **options: Any,
    ) -> Sweep:
        """Queue a task for each combination of parameters, all or none of them, and return the sweep.

        Args:
            command: a shell command line, or a list of arguments, with placeholders such as `{lr}`.
            params: the values of each parameter: a list, or text such as `1e-3,1e-4` or `0:5`.
            mode: `grid` combines all values, `zip` the first with the first and so on, `random` draws `count` of the
                grid, the same for the same `random_seed`.
            max_failures: after so many failed tasks, those that have not started are canceled.
            options: those of `create`, except `if_exists`, for every task. A `function` has the parameters as keyword
                arguments.
        """
        function: bytes | None = options.pop("function", None)
        given = {
            "command": command,
            "function": None if function is None else base64.b64encode(function).decode(),
            "params": params,
            "mode": mode,
            "count": count,
            "random_seed": random_seed,
            "max_failures": max_failures,
            **options,
        }
        response = self._transport.request("POST", "sweeps", json=_given(given), timeout=_SLOW)
        return cast("Sweep", _json(response.content))

    def sweeps(self) -> Sequence[Sweep]:
        """Return all sweeps, newest first."""
        return cast("Sequence[Sweep]", self._get("sweeps")["sweeps"])

    def sweep(self, ref: str) -> Sweep:
        """Return a sweep, given by its id or name."""
        return cast("Sweep", self._get(_path(ref, of="sweeps")))

    def retry_sweep(self, ref: str, states: Iterable[StateName] | None = None) -> SweepChange:
        """Run the tasks of a sweep again that have ended in one of these states; by default `failed`, `timed_out` and
        `lost`.
        """
        body = _given({"states": None if states is None else list(states)})
        return self._change_sweep(ref, "retry", body)

    def cancel_sweep(self, ref: str) -> SweepChange:
        """Cancel the tasks of a sweep that wait, and begin to stop those that run."""
        return self._change_sweep(ref, "cancel", {})

    def _change_sweep(self, ref: str, verb: str, body: Mapping[str, Any]) -> SweepChange:
        response = self._transport.request("POST", _path(ref, verb, of="sweeps"), json=body, timeout=_SLOW)
        return cast("SweepChange", _json(response.content))

    # -- output -------------------------------------------------------------------------------------------------------

    def output(
        self,
        ref: str,
        *,
        since: int = 0,
        mode: Mode = "full",
        head_lines: int | None = None,
        tail_lines: int | None = None,
        max_lines: int | None = None,
        grep: str | None = None,
        ansi: Ansi = "strip",
        final: bool = False,
    ) -> Text:
        """Return a bounded number of lines of the output as text, in one request. See docs/rest.md for the options.

        With `final`, lines that may still change are left out.
        """
        limits: dict[str, Any] = {"head_lines": head_lines, "tail_lines": tail_lines, "max_lines": max_lines}
        if final:
            limits["final"] = "1"
        return cast("Text", self._get(_path(ref, "output"), since=since, mode=mode, grep=grep, ansi=ansi, **limits))

    def raw(self, ref: str, offset: int = 0, limit: int | None = None) -> Piece:
        """Return output bytes from `offset`, or from the oldest byte still kept, in one request."""
        params = _given({"offset": max(offset, 0), "limit": limit, **_IDLE})
        response = self._transport.request("GET", _path(ref, "output/raw"), params=params)
        start, first, end = (int(response.headers[f"X-Ptytasks-{name}"]) for name in ("Start", "Offset", "End"))
        return Piece(first, response.content, start, end, lost=max(first - offset, 0))

    def follow(self, ref: str, since: int = 0) -> Iterator[Piece]:
        """Iterate over the output from offset `since` as it is written, until the task has ended.

        No byte is repeated, and `Piece.lost` counts those that were discarded before they could be read. Survives a
        restart of the server.
        """
        return reading.follow(self, ref, since)

    def lines(
        self,
        ref: str,
        *,
        since: int = 0,
        tail: int | None = None,
        grep: str | None = None,
        ansi: Ansi = "strip",
        follow: bool = False,
    ) -> Iterator[Text]:
        """Iterate over the output as text, from line `since`, or over the last `tail` lines.

        With `follow`, continue as output is written, until the task has ended: every line once, when it is not likely
        to change anymore.
        """
        return reading.lines(self, ref, since=since, tail=tail, grep=grep, ansi=ansi, follow=follow)

    def tail_offset(self, ref: str, count: int) -> int:
        """Return the offset at which the last `count` lines begin."""
        return reading.tail_offset(self, ref, count)

    # -- how ----------------------------------------------------------------------------------------------------------

    def retrying(self, ask: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> Result:
        """Call `ask`, and retry while the server is gone, for up to `patience` seconds."""
        deadline = time.monotonic() + self._patience
        first = self._transport.server is None
        while True:
            try:
                return ask(*args, **kwargs)
            except (ServerNotFound, ConnectionLost):
                # Do not wait for a server that was never there.
                if first or time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY)

    def _get(self, path: str, **params: Any) -> Any:
        return _json(self._transport.request("GET", path, params=_given(params)).content)

    def _task(self, method: str, path: str, **content: Any) -> Task:
        return cast("Task", _json(self._transport.request(method, path, **content).content))


#: Polling must not count as user activity, which would keep the server from being culled.
_IDLE = {"no_track_activity": "1"}


def _path(ref: str, verb: str = "", of: str = "tasks") -> str:
    if not ref:
        raise TaskNotFound("the id or name of a task must not be empty", code="task_not_found", http_status=404)
    # Dots too: proxies resolve `..`.
    try:
        name = quote(ref, safe="").replace(".", "%2E")
    except UnicodeEncodeError as error:
        message = f"no task has the id or name {ref!r}: names are UTF-8"
        raise TaskNotFound(message, code="task_not_found", http_status=404) from error
    return f"{of}/{name}/{verb}" if verb else f"{of}/{name}"


def _group(name: str, verb: str = "") -> str:
    return _path(name, verb, of="groups")


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise ClientError("the server's response is not valid JSON") from error
