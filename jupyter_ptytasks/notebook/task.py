"""A task as a Python object: a reference to the task on the server, which stays valid across restarts."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..client import ClientError, ResultLost, StillRunning, TaskFailed, has_ended, is_live, outcome
from ..client import format as formats
from ..functions import outcomes
from . import bundle, pictures, reading, results, threads
from .about import About
from .colors import plain
from .talking import Conversation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator, Sequence
    from datetime import datetime

    from ..client import Task as Info
    from ..client.literals import Command, Place, Scalar, StateName
    from ..client.types import Progress, Screen, Usage, Why
    from .clients import Connections

#: Seconds for which the last known state of a live task is reused.
_FRESH = 0.5
#: Seconds of one long poll; less than the timeouts of proxies.
_LONG_POLL = 50.0
#: Lines and bytes of output shown in an error.
_ERROR_LINES = 10
_ERROR_BYTES = 4096


class Task(Conversation, About):
    """A task of the server, as returned by `run`, `get` and `tasks`. Two with the same id are equal.

    Properties are at most half a second old; those of a finished task are not updated, except by `restart` and
    `refresh`. Methods always ask the server. While the server is gone, `wait` and following the output retry for five
    minutes; everything else raises ServerNotFound. All errors are those of client.errors. Thread-safe.
    """

    def __init__(self, info: Info, connections: Connections) -> None:
        self._connections = connections
        self._tail = ""
        self._take(info)

    def _take(self, info: Info) -> Task:
        self._info = info
        self._heard, self._heard_at = time.monotonic(), formats.now()
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __reduce__(self) -> tuple[object, ...]:
        return Task, (self._info, self._connections)

    def __repr__(self) -> str:
        return f"<Task {self._info['name']!r} {self.id} {formats.in_brief(self._info)}>"

    # -- what it is ---------------------------------------------------------------------------------------------------

    def refresh(self) -> Task:
        """Update from the server, and return self."""
        with self._connections.client() as client:
            return self._take(client.get(self.id))

    @property
    def info(self) -> Info:
        """The task's JSON, as in docs/rest.md."""
        if is_live(self._info) and time.monotonic() - self._heard > _FRESH:
            self.refresh()
        return self._info

    @property
    def as_heard(self) -> Info:
        """The last known JSON, without asking the server."""
        return self._info

    @property
    def id(self) -> str:
        """The id: unique, and never changes."""
        return self._info["id"]

    @property
    def name(self) -> str:
        """The name."""
        return self.info["name"]

    @property
    def command(self) -> Command:
        """The command: a shell command line, or a list of arguments."""
        return self.info["command"]

    @property
    def cwd(self) -> str:
        """The working directory it was started in."""
        return self.info["cwd"]

    @property
    def state(self) -> StateName:
        """The state: `running`, `paused`, ..., `succeeded`, `failed`, `cancelled`, `timed_out` or `lost`."""
        return self.info["state"]

    @property
    def live(self) -> bool:
        """Whether the task has not ended yet."""
        return is_live(self.info)

    @property
    def exit_status(self) -> int | None:
        """The exit status as a shell would report it (128 + the number of a signal); None while the task is live.

        It is 0 only if the task succeeded: otherwise 124 stands for a timeout, and 1 for a task that was stopped or
        lost, unless the command itself reported an error.
        """
        return None if is_live(info := self.info) else outcome.exit_status(info)

    @property
    def attempt(self) -> int:
        """How many times the task has been started."""
        return self.info["attempt"]

    @property
    def pid(self) -> int | None:
        """The command's process id on the server's machine."""
        return self.info["pid"]

    @property
    def group(self) -> str:
        """The group."""
        return self.info["group"]

    @property
    def tags(self) -> list[str]:
        """The tags."""
        return list(self.info["tags"])

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata given when it was created."""
        return dict(self.info["metadata"])

    @property
    def params(self) -> dict[str, Scalar]:
        """The parameters that its sweep gave it; empty for a task without."""
        return dict(self._info.get("params", {}))

    @property
    def started(self) -> datetime | None:
        """When the current attempt was started."""
        return None if (iso := self.info["started"]) is None else formats.moment(iso)

    @property
    def ended(self) -> datetime | None:
        """When the task ended; None while it is live."""
        return None if (iso := self.info["ended"]) is None else formats.moment(iso)

    @property
    def runtime(self) -> float | None:
        """The seconds that the task has run; None if it never ran."""
        return formats.runtime(self.info)

    @property
    def progress(self) -> Progress | None:
        """Progress as in docs/rest.md, with `fraction`, `text`, `eta` and more; None if the task reports none."""
        return self.info["progress"]

    @property
    def metrics(self) -> pictures.Metrics:
        """Metrics with their points: `task.metrics["loss"]` has the lists `step`, `time` (Unix seconds) and `value`.

        In a notebook they are displayed as charts, which are saved with it. See docs/metrics.md for what counts.
        """
        with self._connections.client() as client:
            told = client.metrics(self.id, points=4096)
        return pictures.Metrics(
            (
                one["name"],
                {
                    "step": [float(step) for step in one["steps"]],
                    "time": list(one["times"]),
                    "value": [float(value) for value in one["values"]],
                },
            )
            for one in told["metrics"]
        )

    @property
    def usage(self) -> Usage | None:
        """Resource usage as in docs/rest.md: CPU, memory, GPU; None if unknown."""
        return self.info["usage"]

    # -- its output ---------------------------------------------------------------------------------------------------

    def output(self, tail: int | None = None, *, grep: str | None = None) -> str:
        """Return the output so far as plain text, with carriage returns applied.

        Args:
            tail: only the last so many lines.
            grep: only lines that match this regular expression.
        """
        with self._connections.client() as client:
            lines = reading.finished(client.lines(self.id, tail=tail, grep=grep))
            return "".join(f"{line}\n" for line in lines)

    def follow(self, tail: int | None = None) -> Iterator[str]:
        """Iterate over the output as it is written, with colors and carriage returns, until the task has ended.

        Starts at the oldest output kept, or with the last `tail` lines. An interrupt leaves the task running.
        """
        with self._unharmed(), self._connections.client() as client:
            since = 0 if tail is None else client.tail_offset(self.id, tail)
            yield from reading.decoded(client.follow(self.id, since))

    def lines(self, tail: int | None = None, *, grep: str | None = None, follow: bool = True) -> Iterator[str]:
        """Iterate over the lines of the output as plain text without line ends, until the task has ended.

        Without `follow`, iterate over the existing lines only. For the other arguments see `output`.
        """
        with self._unharmed(), self._connections.client() as client:
            yield from reading.finished(client.lines(self.id, tail=tail, grep=grep, follow=follow))

    __iter__ = lines

    def follow_async(self, tail: int | None = None) -> AsyncIterator[str]:
        """Like `follow`, without blocking the event loop."""
        return threads.iterate(self.follow(tail))

    def lines_async(self, tail: int | None = None, *, grep: str | None = None) -> AsyncIterator[str]:
        """Like `lines`, without blocking the event loop."""
        return threads.iterate(self.lines(tail, grep=grep))

    __aiter__ = lines_async

    # -- its end ------------------------------------------------------------------------------------------------------

    def wait(self, timeout: float | None = None, *, check: bool = False) -> Task:
        """Wait until the task has ended, and return self. An interrupt leaves the task running.

        Args:
            timeout: seconds to wait.
            check: also call `check`.

        Raises:
            StillRunning: the task has not ended within `timeout` seconds.
        """
        with self._unharmed(), self._connections.client() as client:
            self._take(client.wait(self.id, timeout))
        return self._waited(timeout, check=check)

    async def wait_async(self, timeout: float | None = None, *, check: bool = False) -> Task:
        """Like `wait`, without blocking the event loop."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _LONG_POLL if deadline is None else min(max(deadline - time.monotonic(), 0.0), _LONG_POLL)
            self._take(await threads.call(self._wait_once, left))
            if has_ended(self._info) or (deadline is not None and time.monotonic() >= deadline):
                return self._waited(timeout) if not check else await threads.call(self._waited, timeout, check=True)

    def __await__(self) -> Generator[Any, None, Task]:
        return self.wait_async().__await__()

    def _wait_once(self, seconds: float) -> Info:
        with self._connections.client() as client:
            return client.retrying(client.wait_once, self.id, seconds)

    def _waited(self, timeout: float | None, *, check: bool = False) -> Task:
        if not has_ended(self._info):
            raise results.still_running(self._info["name"], timeout)
        return self.check() if check else self

    def result(self, timeout: float | None = None) -> Any:
        """Wait until the function that the task runs has ended, and return its value, or raise its exception.

        The exception is caused by its traceback in the task. The value is that of the last attempt. It is unpickled,
        which may run code that the server chooses (see docs/functions.md). An interrupt leaves the task running.

        Args:
            timeout: seconds to wait.

        Raises:
            StillRunning: the function has not ended within `timeout` seconds.
            TaskFailed: it was stopped, has called `sys.exit`, or has raised an exception that cannot be pickled.
            ResultLost: its value could not be pickled or is too large, or the task runs no function.
        """
        with self._unharmed(), self._connections.client() as client:
            data = results.fetch(client, self.id, timeout)
            info = self._take(client.get(self.id)).as_heard
        if data is not None:
            return outcomes.result(data, info)
        if not is_live(info):
            self.check()
        raise ResultLost(f"task {info['name']!r} has no result: it runs no function, or one that ended its process")

    async def result_async(self, timeout: float | None = None) -> Any:
        """Like `result`, without blocking the event loop."""
        return await threads.call(self.result, timeout)

    def why(self) -> Why:
        """Return why the task has failed, or why it does not run: `message`, one sentence; `kind`; and `lines` of its
        output that say it, each with `line` (its number) and `text`.
        """
        with self._connections.client() as client:
            return client.why(self.id)

    def screen(self) -> Screen:
        """Return what the task's terminal shows now, or showed in the end: `lines`, one for each row, `cursor`,
        `title`, and whether a full-screen program has the screen (`alternate`).

        Raises RequestFailed if the server lacks the extra `screen`.
        """
        with self._connections.client() as client:
            return client.screen(self.id)

    def check(self) -> Task:
        """Return self if the task succeeded. Raises TaskFailed if it did not, StillRunning if it has not ended."""
        info = self.refresh().as_heard
        if is_live(info):
            raise StillRunning(f"task {info['name']!r} has not ended yet", hint="Use `wait` to wait for it.")
        if info["state"] == "succeeded":
            return self
        with self._connections.client() as client:
            tail = plain(reading.tail(client, info, _ERROR_LINES, _ERROR_BYTES)).rstrip()
        reason = formats.reason(info)
        message = f"task {info['name']!r}: {formats.in_brief(info)}" + (f": {reason}" if reason else "")
        hint = f"Full output: get({self.id!r}).output()"
        raise TaskFailed(message, task=info, exit_status=outcome.exit_status(info), tail=tail, hint=hint)

    @contextmanager
    def _unharmed(self) -> Iterator[None]:
        """On an interrupt, say that the task keeps running."""
        try:
            yield
        except KeyboardInterrupt:
            if is_live(self._info):
                name = self._info["name"]
                print(
                    f"Task {name!r} keeps running in the background; get({name!r}).stop() stops it.",
                    file=sys.stderr,
                )
            raise

    # -- verbs --------------------------------------------------------------------------------------------------------

    def stop(self, *, grace: float | None = None, signals: Sequence[str] | None = None) -> Task:
        """Start the stop sequence and return self; use `wait` to wait for the end.

        Args:
            grace: seconds after each signal.
            signals: names of signals; by default SIGINT, SIGTERM, SIGKILL, or those the task was started with.
        """
        with self._connections.client() as client:
            return self._take(client.stop(self.id, grace=grace, signals=signals))

    def pause(self) -> Task:
        """Pause the task (SIGSTOP), and return self."""
        with self._connections.client() as client:
            return self._take(client.pause(self.id))

    def resume(self) -> Task:
        """Resume the task, and return self."""
        with self._connections.client() as client:
            return self._take(client.resume(self.id))

    def restart(self, *, grace: float | None = None, signals: Sequence[str] | None = None) -> Task:
        """Run the task again under the same id, and return self. A live task is stopped first, as by `stop`.

        New output is appended to the old.
        """
        with self._connections.client() as client:
            return self._take(client.restart(self.id, grace=grace, signals=signals))

    def hold(self) -> Task:
        """Keep the task from being started before `release` if it is queued, and return self."""
        with self._connections.client() as client:
            return self._take(client.hold(self.id))

    def release(self) -> Task:
        """Let the task take its turn if it is held, and return self."""
        with self._connections.client() as client:
            return self._take(client.release(self.id))

    def move(
        self,
        *,
        before: str | Task | None = None,
        after: str | Task | None = None,
        to: Place | None = None,
        group: str | None = None,
    ) -> Task:
        """Put the task elsewhere in the queue of its group, or of another one, while it waits, and return self.

        Args:
            before: a task of the group, or its name or id, that is to start right after this one.
            after: one that is to start right before it.
            to: `first` or `last`, before or after all others.
            group: another group, in which it is to wait; there it is the last one unless another place is given.
        """
        refs = {name: ref.id if isinstance(ref, Task) else ref for name, ref in (("before", before), ("after", after))}
        with self._connections.client() as client:
            return self._take(client.move(self.id, **refs, to=to, group=group))

    def signal(self, signal: str) -> Task:
        """Send a signal to all processes of the task, and return self."""
        with self._connections.client() as client:
            client.signal(self.id, signal)
        return self

    def delete(self, *, stop: bool = False) -> None:
        """Delete the task and its output.

        Args:
            stop: stop the task first if it is live.
        """
        with self._connections.client() as client:
            client.delete(self.id, stop=stop)

    # -- its view -----------------------------------------------------------------------------------------------------

    def _repr_mimebundle_(self, include: object = None, exclude: object = None, **_: object) -> dict[str, Any]:  # noqa: ARG002
        """Return the display of the task in a notebook."""
        return self.view()

    def view(self, lines: int = bundle.LINES) -> dict[str, Any]:
        """Return a MIME bundle with the last `lines` of output.

        If the server cannot be reached, this is the last known state. Never raises ClientError.
        """
        try:
            with self._connections.client() as client:
                self._take(client.get(self.id))
                self._tail = reading.tail(client, self._info, lines, bundle.BYTES)
        except ClientError as error:
            return bundle.bundle(self._info, self._tail, self._heard_at, note=f"last known state: {error.message}")
        return bundle.bundle(self._info, self._tail, self._heard_at)
