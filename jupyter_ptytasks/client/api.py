"""The client: one method per route of the REST API (docs/rest.md), and a few built on several of them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Literal, cast

from . import reading
from .about import AboutMethods
from .archives import ArchiveMethods
from .cleaning import CleanUpMethods
from .connection import IDLE, SLOW, decoded, path_of, without_none
from .groups import GroupMethods
from .piece import Piece
from .searching import SearchMethods
from .sweeps import SweepMethods
from .talking import TalkMethods
from .transport import pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from .literals import Ansi, Command, HowMetricsAreRead, IfExists, Mode, Place, StateName, Target, Warn
    from .types import (
        After,
        Changes,
        Metrics,
        Page,
        PlaceAbout,
        PlaceOptions,
        Replay,
        Resources,
        Retry,
        Screen,
        Stats,
        Status,
        Task,
        Text,
        Why,
    )

#: The HTTP status if `if_exists` found a task; 201 if one was started.
_FOUND = 200


class Client(TalkMethods, AboutMethods, GroupMethods, SweepMethods, SearchMethods, CleanUpMethods, ArchiveMethods):
    """A client of the Jupyter server, over HTTP. The server may be on another machine, and may restart.

    Use it as a context manager, or call `close`. Use one client per thread. Methods take the id or name of a task as
    `ref`, and raise errors of client.errors.

    Args:
        url: address of the server. Without it the server is found (see discovery), again whenever it has moved.
        token: its token.
        timeout: seconds to wait for each response.
        patience: seconds for which waiting and following continue while the server is gone.
        carrier: what carries requests in place of the network, as within the server.
    """

    #: Whether the last `create` returned an existing task instead of starting one.
    found = False

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    # -- the service, and its tasks -----------------------------------------------------------------------------------

    def status(self) -> Status:
        """Return version, number of tasks by state, limits and provisioners."""
        return cast("Status", self._get("status"))

    def places(self) -> Sequence[PlaceAbout]:
        """Return where tasks can run."""
        return cast("Sequence[PlaceAbout]", self._get("places")["places"])

    def place_options(self, name: str) -> PlaceOptions:
        """Return what a task at a place can ask for (`resources` of `create`)."""
        return cast("PlaceOptions", self._get(path_of(name, "options", of="places")))

    def list(
        self,
        *,
        state: Iterable[StateName] = (),
        name: str | None = None,
        group: str | None = None,
        tag: str | None = None,
        sweep: str | None = None,
        q: str | None = None,
        since: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page:
        """List tasks that match all given filters, newest first, one page at a time.

        Args:
            sweep: the id or name of a sweep.
            q: a substring of the id, name, command, group or a tag.
            since: only tasks that ended at this time (ISO 8601 with an offset from UTC) or later, or have not ended.
            sort: another order: `name`, `created`, `started`, `ended`, `duration`, a parameter (`params.lr`), or a
                metric: its last, lowest or highest value (`metrics.loss`, `min.loss`, `max.loss`). With `-` before it
                the other way round.
            limit: size of the page, at most 1000.
            cursor: the `next_cursor` of the page before.
        """
        given = {
            "name": name,
            "group": group,
            "tag": tag,
            "sweep": sweep,
            "q": q,
            "since": since,
            "sort": sort,
            "limit": limit,
            "cursor": cursor,
        }
        return cast("Page", self._get("tasks", state=",".join(state) or None, **given))

    def changes(self, since: str, *, active: bool = False) -> Changes:
        """Return what has changed since the `revision` of a page, or of the last changes; `active` adds what runs."""
        return cast("Changes", self._get("changes", since=since, active=active or None))

    def all(
        self,
        *,
        state: Iterable[StateName] = (),
        name: str | None = None,
        group: str | None = None,
        tag: str | None = None,
        sweep: str | None = None,
        q: str | None = None,
        since: str | None = None,
        sort: str | None = None,
    ) -> Iterator[Task]:
        """Iterate over all matching tasks, newest first or by `sort`. For the filters see `list`."""
        cursor: str | None = None
        while True:
            page = self.list(
                state=state, name=name, group=group, tag=tag, sweep=sweep, q=q, since=since, sort=sort, cursor=cursor
            )
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
        place: str | None = None,
        resources: Resources | Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        hold: bool = False,
        priority: int | None = None,
        slots: int | None = None,
        gpus: float | None = None,
        after: Sequence[str | After] = (),
        not_before: str | None = None,
        retry: Retry | None = None,
        metrics: HowMetricsAreRead | None = None,
        function: bytes | None = None,
    ) -> Task:
        """Start or queue a task and return it. See docs/rest.md for the options, and docs/queue.md for the queue.

        Args:
            command: a shell command line, or a list of arguments; None for an interactive shell.
            if_exists: what to do if a live task has this name. `found` is True if that task was returned.
            place: where it runs, such as `ssh:gpu1`; by default on the server's machine. `cwd` is there.
            resources: what it asks a batch system for, such as `{"cpus": 4, "gpus": "1", "time": "2h"}`.
            hold: do not start it before `release`.
            priority: tasks of a group with a higher one start first.
            slots: how many slots of its group it takes.
            gpus: how many GPUs it gets: whole ones, or a share of one below 1; by default what its group gives.
            after: ids or names of tasks that must have succeeded before, or `{"ref", "when": "ok" | "any" | "failed"}`.
            not_before: the earliest time to start, in ISO 8601 with an offset from UTC.
            retry: how to run it again if it fails.
            metrics: how metrics are read from its output (docs/metrics.md).
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
            "place": place,
            "resources": resources,
            "metadata": metadata,
            "hold": hold or None,
            "priority": priority,
            "slots": slots,
            "gpus": gpus,
            "after": list(after) or None,
            "not_before": not_before,
            "retry": retry,
            "metrics": metrics,
            "function": None if function is None else base64.b64encode(function).decode(),
        }
        response = self._transport.request("POST", "tasks", json=without_none(given))
        self.found = response.status_code == _FOUND
        return cast("Task", decoded(response.content))

    def get(self, ref: str) -> Task:
        """Return a task."""
        return self._task("GET", path_of(ref))

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
        return self._task("PATCH", path_of(ref), json=without_none(given))

    def delete(self, ref: str, *, stop: bool = False, force: bool = False) -> None:
        """Delete a finished task and its output.

        Args:
            stop: stop a live task first, with its stop sequence.
            force: also delete a task that runs on another machine, without stopping it.
        """
        params = {name: "1" for name, said in (("stop", stop), ("force", force)) if said}
        self._transport.request("DELETE", path_of(ref), params=params, timeout=SLOW if stop else None)

    # -- verbs --------------------------------------------------------------------------------------------------------

    def hold(self, ref: str) -> Task:
        """Keep a queued task from being started before `release`."""
        return self._task("POST", path_of(ref, "hold"))

    def release(self, ref: str) -> Task:
        """Let a held task take its turn."""
        return self._task("POST", path_of(ref, "start"))

    def move(
        self,
        ref: str,
        *,
        before: str | None = None,
        after: str | None = None,
        to: Place | None = None,
        group: str | None = None,
    ) -> Task:
        """Put a pending task right `before` or `after` another one of its group, or `to` the first or last place.

        Args:
            group: another group, in which it is to wait; there it is the last one unless another place is given.
        """
        given = without_none({"before": before, "after": after, "to": to, "group": group})
        return self._task("POST", path_of(ref, "move"), json=given)

    def stop(self, ref: str, *, grace: float | None = None, signals: Sequence[str] | None = None) -> Task:
        """Start the stop sequence of a task, and return.

        Args:
            grace: seconds after each signal; by default those of the task.
            signals: names of signals; by default those of the task.
        """
        return self._task("POST", path_of(ref, "stop"), json=without_none({"grace": grace, "signals": signals}))

    def end_leftover(self, ref: str) -> Task:
        """End the processes that a finished task left running.

        Returns the task; its `leftover` counts the processes that could not be ended.
        """
        return self._task("DELETE", path_of(ref, "leftover"), timeout=SLOW)

    def pause(self, ref: str) -> Task:
        """Pause a task (SIGSTOP)."""
        return self._task("POST", path_of(ref, "pause"))

    def resume(self, ref: str) -> Task:
        """Resume a paused task."""
        return self._task("POST", path_of(ref, "resume"))

    def restart(self, ref: str, *, grace: float | None = None, signals: Sequence[str] | None = None) -> Task:
        """Run a task again, under the same id. A live task is stopped first, as by `stop`."""
        return self._task("POST", path_of(ref, "restart"), json=without_none({"grace": grace, "signals": signals}))

    def signal(self, ref: str, signal: str, *, target: Target = "tree") -> None:
        """Send a signal to the whole process `tree`, the `foreground` process group, or the command only (`leader`)."""
        self._transport.request("POST", path_of(ref, "signal"), json={"signal": signal, "target": target})

    def resize(self, ref: str, rows: int, cols: int) -> None:
        """Set the size of the task's terminal."""
        self._transport.request("POST", path_of(ref, "resize"), json={"rows": rows, "cols": cols})

    def why(self, ref: str) -> Why:
        """Return why a task has failed, with the lines of its output that say it, or why it does not run."""
        return cast("Why", self._get(path_of(ref, "why"), **IDLE))

    def metrics(
        self,
        ref: str,
        *,
        names: Sequence[str] = (),
        since: float | None = None,
        points: int | None = None,
        x: Literal["step", "time"] | None = None,
        attempt: int | None = None,
    ) -> Metrics:
        """Return the metrics of a task with their points.

        Args:
            names: only these.
            since: only points behind this step or, with `x="time"`, this time (Unix seconds).
            points: at most so many of each; between the lowest and highest of a stretch others are left out.
            attempt: an earlier attempt.
        """
        given = without_none({"since": since, "points": points, "x": x, "attempt": attempt})
        params = {name: str(value) for name, value in given.items()}
        if names:
            params["names"] = ",".join(names)
        return cast("Metrics", self._get(path_of(ref, "metrics"), **params))

    def stats(self, ref: str) -> Stats:
        """Return the recent resource usage of a live task, which is sampled more often for the next 10 seconds."""
        return cast("Stats", self._get(path_of(ref, "stats"), **IDLE))

    def screen(self, ref: str) -> Screen:
        """Return what the terminal of a task shows now, or showed in the end.

        Raises RequestFailed with the code `extra_missing` if the server has no emulator.
        """
        return cast("Screen", self._get(path_of(ref, "screen"), **IDLE))

    def screen_text(self, ref: str, *, ansi: bool = False) -> str:
        """Return the same as text, without the empty lines at its end; with `ansi` in its colors."""
        params = {"format": "ansi" if ansi else "text", **IDLE}
        return self._transport.request("GET", path_of(ref, "screen"), params=params).content.decode()

    def result(self, ref: str) -> bytes:
        """Return what the function of a task has returned or raised (functions.outcomes.result).

        Raises RequestFailed with the code `invalid_state` until it has ended for good, and `no_result` if there is
        nothing: the task runs no function, or was stopped.
        """
        return self._transport.request("GET", path_of(ref, "result"), params=dict(IDLE)).content

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
        return cast("Text", self._get(path_of(ref, "output"), since=since, mode=mode, grep=grep, ansi=ansi, **limits))

    def raw(self, ref: str, offset: int = 0, limit: int | None = None) -> Piece:
        """Return output bytes from `offset`, or from the oldest byte still kept, in one request."""
        params = without_none({"offset": max(offset, 0), "limit": limit, **IDLE})
        response = self._transport.request("GET", path_of(ref, "output/raw"), params=params)
        start, first, end = (int(response.headers[f"X-Ptytasks-{name}"]) for name in ("Start", "Offset", "End"))
        return Piece(first, response.content, start, end, lost=max(first - offset, 0))

    def record(self, ref: str, *, version: Literal[2, 3] = 3, idle: float = 2.0) -> Iterator[bytes]:
        """Iterate over the bytes of a recording of the output, in the format asciicast.

        Args:
            version: of the format. Only 3 has the exit code; older players know only 2.
            idle: seconds between two events at most; 0 keeps all times.

        Raises:
            ConnectionLost: also while iterating.
        """
        params = {"version": str(version), "idle": str(idle), **IDLE}
        return pieces(self._transport.request("GET", path_of(ref, "record"), params=params, stream=True))

    def replay(self, ref: str, *, offset: int | None = None, time: str | None = None, lines: int = 0) -> Replay:
        """Return what draws the screen as it was at an offset or a time (ISO 8601 with an offset from UTC), or in the
        end, with so many lines above it (at most 1000).
        """
        return cast("Replay", self._get(path_of(ref, "replay"), offset=offset, time=time, lines=lines))

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
