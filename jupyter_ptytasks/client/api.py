"""The client: one method for each route of the server (docs/rest.md), and what takes several of them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast
from urllib.parse import quote

from . import discovery, reading
from .errors import ClientError, ConnectionLost, ServerNotFound, TaskNotFound
from .outcome import is_live
from .transport import Transport
from .types import Piece

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from .types import Ansi, Command, IfExists, Mode, Page, StateName, Stats, Status, Target, Task, Text, Warn

    Answer = TypeVar("Answer")
    Asked = ParamSpec("Asked")

#: Seconds for the server to hold a `wait`, and for it to do what takes its time: to stop a task and then delete it.
_LONG_POLL = 50.0
_SLOW = 600.0
#: The answer where `if_exists` has found one; 201 where one was started.
_FOUND = 200
#: Seconds between two tries to reach a server that is being started again.
_RETRY = 0.5


class Client:
    """Speaks to the Jupyter server, over HTTP and nothing else; it may be on another machine, and may come and go.

    `url` and `token` say where; without them it is found (see discovery), at the first request and whenever it has
    moved. `timeout` seconds at most pass without an answer; `patience` seconds are borne with a server that is gone
    while one waits or follows. Every method raises errors of client.errors, and takes an id or a name as `ref`. A
    context manager, or `close` it; each thread has its own.
    """

    def __init__(self, url: str = "", token: str = "", *, timeout: float = 30.0, patience: float = 60.0) -> None:
        self._patience = patience
        self._address = (url, token)
        self._transport = Transport(self._find, timeout)
        #: Whether the last `create` found a task by its name, where it did not start one.
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
        """Close what connections there are."""
        self._transport.close()

    @property
    def server(self) -> discovery.Server:
        """The server that answers; asks it if none was asked yet."""
        if self._transport.server is None:
            self.status()
        assert self._transport.server is not None  # it has just answered
        return self._transport.server

    # -- the service, and its tasks -----------------------------------------------------------------------------------

    def status(self) -> Status:
        """Give version, counts by state, limits and provisioners."""
        return cast("Status", self._get("status"))

    def list(
        self,
        *,
        state: Iterable[StateName] = (),
        name: str | None = None,
        group: str | None = None,
        tag: str | None = None,
        q: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page:
        """Give tasks, newest first: those of which all that is said is true; `q` is part of what one searches for."""
        said = {"name": name, "group": group, "tag": tag, "q": q, "limit": limit, "cursor": cursor}
        return cast("Page", self._get("tasks", state=",".join(state) or None, **said))

    def all(
        self,
        *,
        state: Iterable[StateName] = (),
        name: str | None = None,
        group: str | None = None,
        tag: str | None = None,
        q: str | None = None,
    ) -> Iterator[Task]:
        """Iterate over all such tasks, newest first, page by page."""
        cursor: str | None = None
        while True:
            page = self.list(state=state, name=name, group=group, tag=tag, q=q, cursor=cursor)
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
    ) -> Task:
        """Start a task and give it: a shell line, or arguments, or without a command an interactive shell.

        It runs when this returns, or has run; or `if_exists` has found one. What cannot be started raises
        RequestFailed and leaves nothing.
        """
        said = {
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
        }
        response = self._transport.request("POST", "tasks", json=_only_said(said))
        self.found = response.status_code == _FOUND
        return cast("Task", _json(response.content))

    def get(self, ref: str) -> Task:
        """Give a task."""
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
    ) -> Task:
        """Change what a task is called, or whether it is kept for good, and return it; what is None stays as it is."""
        said = {"name": name, "tags": tags, "group": group, "metadata": metadata, "pinned": pinned}
        return self._task("PATCH", _path(ref), json=_only_said(said))

    def delete(self, ref: str, *, stop: bool = False, force: bool = False) -> None:
        """Forget a task that has ended, and its output; with `stop` a live one is stopped first, in its time, with
        `force` one that runs on another machine is given up.
        """
        params = {name: "1" for name, said in (("stop", stop), ("force", force)) if said}
        self._transport.request("DELETE", _path(ref), params=params, timeout=_SLOW if stop else None)

    # -- verbs --------------------------------------------------------------------------------------------------------

    def stop(self, ref: str, *, grace: float | None = None, signals: Sequence[str] | None = None) -> Task:
        """Begin to stop a task: `signals` (or its own), with `grace` seconds after each."""
        return self._task("POST", _path(ref, "stop"), json=_only_said({"grace": grace, "signals": signals}))

    def end_leftover(self, ref: str) -> Task:
        """End the processes that the command of a finished task has left running; return the task, whose `leftover`
        counts those that could not be ended.
        """
        return self._task("DELETE", _path(ref, "leftover"), timeout=_SLOW)

    def pause(self, ref: str) -> Task:
        """Stop a task in its tracks, until `resume`."""
        return self._task("POST", _path(ref, "pause"))

    def resume(self, ref: str) -> Task:
        """Let a paused task go on."""
        return self._task("POST", _path(ref, "resume"))

    def restart(self, ref: str, *, grace: float | None = None, signals: Sequence[str] | None = None) -> Task:
        """Run a task once more; a live one is stopped first, as by `stop`, and starts when it has ended."""
        return self._task("POST", _path(ref, "restart"), json=_only_said({"grace": grace, "signals": signals}))

    def again(self, ref: str, *, name: str | None = None) -> Task:
        """Start another task with the command, environment and limits of this one, and return it. Its name is the same
        unless `name` is given.
        """
        return self._task("POST", _path(ref, "again"), json=_only_said({"name": name}))

    def signal(self, ref: str, signal: str, *, target: Target = "tree") -> None:
        """Send a signal: to the `foreground` group, the whole `tree`, or the command itself (`leader`)."""
        self._transport.request("POST", _path(ref, "signal"), json={"signal": signal, "target": target})

    def input(self, ref: str, data: str, *, newline: bool | None = None) -> None:
        """Type `data`. The Enter key follows with `newline`; by default after data without control characters."""
        self._transport.request("POST", _path(ref, "input"), json=_only_said({"data": data, "newline": newline}))

    def resize(self, ref: str, rows: int, cols: int) -> None:
        """Give the task's terminal a size."""
        self._transport.request("POST", _path(ref, "resize"), json={"rows": rows, "cols": cols})

    def wait(self, ref: str, timeout: float | None = None) -> Task:
        """Give the task when it has ended, or as it is after `timeout` seconds. Bears with a server's restart."""
        deadline = None if timeout is None else time.monotonic() + timeout
        task = self.retrying(self.get, ref)
        while is_live(task):
            left = _LONG_POLL if deadline is None else min(max(deadline - time.monotonic(), 0.0), _LONG_POLL)
            if left <= 0:
                break
            task = self.retrying(self.wait_once, task["id"], left)
        return task

    def wait_once(self, ref: str, timeout: float) -> Task:
        """Give the task when it has ended, or as it is after `timeout` seconds, at most 55: one request."""
        return self._task("GET", _path(ref, "wait"), params={"timeout": timeout, **_IDLE}, timeout=timeout + 15.0)

    def stats(self, ref: str) -> Stats:
        """Give what a live task used in the last minutes; it is sampled more often for the next 10 seconds."""
        return cast("Stats", self._get(_path(ref, "stats"), **_IDLE))

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
        """Return some lines of the output as text, bounded: one request. `final`: none that is likely to change."""
        limits: dict[str, Any] = {"head_lines": head_lines, "tail_lines": tail_lines, "max_lines": max_lines}
        if final:
            limits["final"] = "1"
        return cast("Text", self._get(_path(ref, "output"), since=since, mode=mode, grep=grep, ansi=ansi, **limits))

    def raw(self, ref: str, offset: int = 0, limit: int | None = None) -> Piece:
        """Give bytes of the output from `offset` on, or from where they are still kept: one request, all in memory."""
        params = _only_said({"offset": max(offset, 0), "limit": limit, **_IDLE})
        response = self._transport.request("GET", _path(ref, "output/raw"), params=params)
        start, first, end = (int(response.headers[f"X-Ptytasks-{name}"]) for name in ("Start", "Offset", "End"))
        return Piece(first, response.content, start, end, lost=max(first - offset, 0))

    def follow(self, ref: str, since: int = 0) -> Iterator[Piece]:
        """Iterate over the output from the offset `since` on, as it comes, until the task has ended.

        No byte comes twice, and none is missed unsaid: `lost` tells how many went before we came. Bears with a
        server's restart.
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
        """Iterate over the output as text, from the line `since` on, or the last `tail` lines.

        With `follow` as it comes, until the task has ended: every line once, when it is not likely to change any more.
        """
        return reading.lines(self, ref, since=since, tail=tail, grep=grep, ansi=ansi, follow=follow)

    def tail_offset(self, ref: str, count: int) -> int:
        """Give the offset at which the last `count` lines begin."""
        return reading.tail_offset(self, ref, count)

    # -- how ----------------------------------------------------------------------------------------------------------

    def retrying(self, ask: Callable[Asked, Answer], *args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        """Give what `ask` gives; while the server is gone try again, for it may be coming back."""
        deadline = time.monotonic() + self._patience
        first = self._transport.server is None
        while True:
            try:
                return ask(*args, **kwargs)
            except (ServerNotFound, ConnectionLost):
                # There is no coming back for one that never was there.
                if first or time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY)

    def _get(self, path: str, **params: Any) -> Any:
        return _json(self._transport.request("GET", path, params=_only_said(params)).content)

    def _task(self, method: str, path: str, **content: Any) -> Task:
        return cast("Task", _json(self._transport.request(method, path, **content).content))


#: Looking on is no activity for which a server should be kept running.
_IDLE = {"no_track_activity": "1"}


def _path(ref: str, verb: str = "") -> str:
    if not ref:
        raise TaskNotFound("a task has an id and a name; neither is empty", code="task_not_found", status=404)
    # Dots too: a name may be `..`, and that would be taken for a way up.
    try:
        name = quote(ref, safe="").replace(".", "%2E")
    except UnicodeEncodeError as error:
        message = f"there is no task with the id or name {ref!r}: names are UTF-8"
        raise TaskNotFound(message, code="task_not_found", status=404) from error
    return f"tasks/{name}/{verb}" if verb else f"tasks/{name}"


def _only_said(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise ClientError("the server's answer is no JSON") from error
