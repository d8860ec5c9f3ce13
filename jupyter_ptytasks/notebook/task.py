"""A task as a Python object: it refers to the task on the server, and stays good after any restart."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..client import ClientError, StillRunning, TaskFailed, exit_status, is_live
from ..client import format as formats
from . import bundle, reading, threads
from .colours import plain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator, Sequence
    from datetime import datetime

    from ..client import Task as Info
    from ..client.types import Command, Progress, StateName, Usage
    from .clients import Connections

#: Seconds for which what was last heard of a live task is good enough.
_FRESH = 0.5
#: Seconds of one request that waits: the server answers before proxies lose patience.
_LONG_POLL = 50.0
#: Lines that an error shows.
_ERROR_LINES = 10
_ERROR_BYTES = 4096


class Task:
    """A task of the server. Made by `run`, `get` and `tasks`; two of the same id are equal.

    Properties tell the present, at most half a second old; of a task that has ended they are not asked for again,
    unless it was restarted from here, or by `refresh`. Methods always ask. While the server is away, `wait` and what
    follows the output bear with it for five minutes; everything else raises ServerNotFound. All errors are of
    client.errors. Any thread may use it.
    """

    def __init__(self, info: Info, connections: Connections) -> None:
        self._connections = connections
        self._tail = ""
        self._take(info)

    def _take(self, info: Info) -> Task:
        self._info = info
        self._heard = time.monotonic()
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<Task {self._info['name']!r} {self.id} {formats.in_brief(self._info)}>"

    # -- what it is ---------------------------------------------------------------------------------------------------

    def refresh(self) -> Task:
        """Ask the server, and give the task itself."""
        with self._connections.client() as client:
            return self._take(client.get(self.id))

    @property
    def info(self) -> Info:
        """All that the server tells of the task, as in docs/rest.md."""
        if is_live(self._info) and time.monotonic() - self._heard > _FRESH:
            self.refresh()
        return self._info

    @property
    def as_heard(self) -> Info:
        """What the server told last, without asking it again."""
        return self._info

    @property
    def id(self) -> str:
        """Its id: it never changes, and nothing else has it."""
        return self._info["id"]

    @property
    def name(self) -> str:
        """Its name."""
        return self.info["name"]

    @property
    def command(self) -> Command:
        """What runs: a shell line, or a list of arguments."""
        return self.info["command"]

    @property
    def cwd(self) -> str:
        """The directory in which it was started."""
        return self.info["cwd"]

    @property
    def state(self) -> StateName:
        """Where it stands: `running`, `paused`, ..., `succeeded`, `failed`, `cancelled`, `timed_out` or `lost`."""
        return self.info["state"]

    @property
    def live(self) -> bool:
        """Whether it has not ended yet."""
        return is_live(self.info)

    @property
    def exit(self) -> int | None:
        """The status that it ended with, as a shell has it (128 + the number of a signal); None while it lives.

        0 means that it has succeeded: one that was stopped or lost has 1 where its command says 0 or nothing, one
        whose time was up 124.
        """
        return None if is_live(info := self.info) else exit_status(info)

    @property
    def attempt(self) -> int:
        """How many times it was started."""
        return self.info["attempt"]

    @property
    def pid(self) -> int | None:
        """The process id of the command, on the server's machine."""
        return self.info["pid"]

    @property
    def group(self) -> str:
        """The group that it belongs to."""
        return self.info["group"]

    @property
    def tags(self) -> list[str]:
        """Its tags."""
        return list(self.info["tags"])

    @property
    def metadata(self) -> dict[str, Any]:
        """What its maker wrote on it."""
        return dict(self.info["metadata"])

    @property
    def started(self) -> datetime | None:
        """When its present attempt was started."""
        return None if (iso := self.info["started"]) is None else formats.moment(iso)

    @property
    def ended(self) -> datetime | None:
        """When it ended."""
        return None if (iso := self.info["ended"]) is None else formats.moment(iso)

    @property
    def runtime(self) -> float | None:
        """The seconds that it has run; None if it never has."""
        return formats.runtime(self.info)

    @property
    def progress(self) -> Progress | None:
        """How far it is, `progress` of docs/rest.md: `fraction`, `text`, `eta` and more; None where nothing tells."""
        return self.info["progress"]

    @property
    def usage(self) -> Usage | None:
        """What it uses, `usage` of docs/rest.md: CPU, memory, GPU; None where it is not known."""
        return self.info["usage"]

    # -- its output ---------------------------------------------------------------------------------------------------

    def output(self, tail: int | None = None, *, grep: str | None = None) -> str:
        """Give its output so far as plain text, as it stands after carriage returns; or of it the last `tail` lines.

        `grep` picks the lines that match a regular expression.
        """
        with self._connections.client() as client:
            lines = reading.finished(client.lines(self.id, tail=tail, grep=grep))
            return "".join(f"{line}\n" for line in lines)

    def follow(self, tail: int | None = None) -> Iterator[str]:
        """Iterate over its output as it comes, until it has ended: text with its colours and carriage returns.

        From the beginning of what is kept, or from the last `tail` lines on. An interrupt leaves the task running.
        """
        with self._unharmed(), self._connections.client() as client:
            since = 0 if tail is None else client.tail_offset(self.id, tail)
            yield from reading.decoded(client.follow(self.id, since))

    def lines(self, tail: int | None = None, *, grep: str | None = None, follow: bool = True) -> Iterator[str]:
        """Iterate over its lines as plain text without their ends, as they are finished, until it has ended.

        Without `follow` over those that there are. Otherwise as `output`.
        """
        with self._unharmed(), self._connections.client() as client:
            yield from reading.finished(client.lines(self.id, tail=tail, grep=grep, follow=follow))

    __iter__ = lines

    def follow_async(self, tail: int | None = None) -> AsyncIterator[str]:
        """Iterate as `follow` does, without blocking the loop."""
        return threads.iterate(self.follow(tail))

    def lines_async(self, tail: int | None = None, *, grep: str | None = None) -> AsyncIterator[str]:
        """Iterate as `lines` does, without blocking the loop."""
        return threads.iterate(self.lines(tail, grep=grep))

    __aiter__ = lines_async

    # -- its end ------------------------------------------------------------------------------------------------------

    def wait(self, timeout: float | None = None, *, check: bool = False) -> Task:
        """Wait until it has ended, and give the task itself. An interrupt leaves it running.

        Raises StillRunning after `timeout` seconds, as subprocess raises TimeoutExpired; with `check` what `check`
        raises.
        """
        with self._unharmed(), self._connections.client() as client:
            self._take(client.wait(self.id, timeout))
        return self._waited(timeout, check=check)

    async def wait_async(self, timeout: float | None = None, *, check: bool = False) -> Task:
        """Wait as `wait` does, without blocking the loop."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _LONG_POLL if deadline is None else min(max(deadline - time.monotonic(), 0.0), _LONG_POLL)
            self._take(await threads.call(self._wait_once, left))
            if not is_live(self._info) or (deadline is not None and time.monotonic() >= deadline):
                return self._waited(timeout) if not check else await threads.call(self._waited, timeout, check=True)

    def __await__(self) -> Generator[Any, None, Task]:
        return self.wait_async().__await__()

    def _wait_once(self, seconds: float) -> Info:
        with self._connections.client() as client:
            return client.retrying(client.wait_once, self.id, seconds)

    def _waited(self, timeout: float | None, *, check: bool = False) -> Task:
        if is_live(self._info):
            message = f"task {self._info['name']!r} has not ended within {timeout:g} s"
            raise StillRunning(message, hint="It goes on in the background.")
        return self.check() if check else self

    def check(self) -> Task:
        """Give the task itself if it has succeeded. Raises TaskFailed if it ended otherwise, StillRunning before."""
        info = self.refresh().as_heard
        if is_live(info):
            raise StillRunning(f"task {info['name']!r} has not ended yet", hint="`wait` waits for that.")
        if info["state"] == "succeeded":
            return self
        with self._connections.client() as client:
            tail = plain(reading.tail(client, info, _ERROR_LINES, _ERROR_BYTES)).rstrip()
        reason = "" if formats.ending(info) else info["state_message"]
        message = f"task {info['name']!r}: {formats.in_brief(info)}" + (f": {reason}" if reason else "")
        hint = f"All of its output: get({self.id!r}).output()"
        raise TaskFailed(message, task=info, status=exit_status(info), tail=tail, hint=hint)

    @contextmanager
    def _unharmed(self) -> Iterator[None]:
        """Say at an interrupt that it is not the task's."""
        try:
            yield
        except KeyboardInterrupt:
            if is_live(self._info):
                name = self._info["name"]
                print(  # a cell, or a terminal: a person has interrupted it
                    f"Task {name!r} goes on in the background: get({name!r}) finds it, its stop() ends it.",
                    file=sys.stderr,
                )
            raise

    # -- verbs --------------------------------------------------------------------------------------------------------

    def send(self, text: str, *, newline: bool | None = None) -> Task:
        """Type something: `send("y")`. Enter follows with `newline`, by default after text without control
        characters.
        """
        with self._connections.client() as client:
            client.input(self.id, text, newline=newline)
        return self

    def stop(self, *, grace: float | None = None, signals: Sequence[str] | None = None) -> Task:
        """Begin to stop it: SIGINT, after `grace` seconds SIGTERM, then SIGKILL, or `signals`. `wait` for its end."""
        with self._connections.client() as client:
            return self._take(client.stop(self.id, grace=grace, signals=signals))

    def pause(self) -> Task:
        """Stop it in its tracks, until `resume`."""
        with self._connections.client() as client:
            return self._take(client.pause(self.id))

    def resume(self) -> Task:
        """Let it go on."""
        with self._connections.client() as client:
            return self._take(client.resume(self.id))

    def restart(self, *, grace: float | None = None, signals: Sequence[str] | None = None) -> Task:
        """Run it once more: same id, same output, another attempt. A live one is stopped first, as by `stop`."""
        with self._connections.client() as client:
            return self._take(client.restart(self.id, grace=grace, signals=signals))

    def signal(self, signal: str) -> Task:
        """Send a signal to all of its processes."""
        with self._connections.client() as client:
            client.signal(self.id, signal)
        return self

    def delete(self, *, stop: bool = False) -> None:
        """Forget it and its output; with `stop` a live one is stopped first."""
        with self._connections.client() as client:
            client.delete(self.id, stop=stop)

    # -- its view -----------------------------------------------------------------------------------------------------

    def _repr_mimebundle_(self, include: object = None, exclude: object = None, **_: object) -> dict[str, Any]:  # noqa: ARG002
        """Give what a notebook shows and keeps of it."""
        return self.view()

    def view(self, lines: int = bundle.LINES) -> dict[str, Any]:
        """Give that as a MIME bundle with the last `lines`; with the server gone, what was last known. Never raises
        ClientError.
        """
        try:
            with self._connections.client() as client:
                self._take(client.get(self.id))
                self._tail = reading.tail(client, self._info, lines, bundle.BYTES)
        except ClientError as error:
            return bundle.bundle(self._info, self._tail, note=f"as last known: {error.message}")
        return bundle.bundle(self._info, self._tail)
