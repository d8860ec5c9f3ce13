"""The end of a task: waiting for it, its result, and why it failed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..client import ResultLost, StillRunning, TaskFailed, has_ended, is_live, outcome
from ..client import format as formats
from ..functions import outcomes
from . import reading, results, threads
from .colors import plain
from .reference import Reference

if TYPE_CHECKING:
    from collections.abc import Generator

    from typing_extensions import Self

    from ..client import Task as Info
    from ..client.types import Why

#: Seconds of one long poll; less than the timeouts of proxies.
_LONG_POLL = 50.0
#: Lines and bytes of output shown in an error.
_ERROR_LINES = 10
_ERROR_BYTES = 4096


class Ending(Reference):
    """The part of a task that is about its end; the rest is in `task`."""

    def wait(self, timeout: float | None = None, *, check: bool = False) -> Self:
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

    async def wait_async(self, timeout: float | None = None, *, check: bool = False) -> Self:
        """Like `wait`, without blocking the event loop."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _LONG_POLL if deadline is None else min(max(deadline - time.monotonic(), 0.0), _LONG_POLL)
            self._take(await threads.call(self._wait_once, left))
            if has_ended(self._info) or (deadline is not None and time.monotonic() >= deadline):
                return self._waited(timeout) if not check else await threads.call(self._waited, timeout, check=True)

    def __await__(self) -> Generator[Any, None, Self]:
        return self.wait_async().__await__()

    def _wait_once(self, seconds: float) -> Info:
        with self._connections.client() as client:
            return client.retrying(client.wait_once, self.id, seconds)

    def _waited(self, timeout: float | None, *, check: bool = False) -> Self:
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
        """Return why the task failed, or why it is not running: `message`, one sentence; `kind`; and the `lines` of its
        output that show it, each with `line` (its number) and `text`.
        """
        with self._connections.client() as client:
            return client.why(self.id)

    def check(self) -> Self:
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
