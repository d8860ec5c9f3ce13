"""A conversation with a task: typing into it, and waiting for a question, a line or silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..client import NoMatch
from . import results, threads
from .reference import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from ..client.literals import Until
    from ..client.types import Executed, ShellCommand, Waited, WaitsFor


class Conversation(Reference):
    """The part of a task that types into it and waits for conditions; the rest is in `task`."""

    #: The line after the last one that `expect` has matched.
    _expected = 0

    @property
    def waiting(self) -> WaitsFor | None:
        """What the program is waiting for: `kind` (line, password, keys, shell), `prompt`, `since`, `sure`; None if it
        is not waiting for input.
        """
        self.refresh()
        return self._info["waiting"]

    def send_input(
        self,
        text: str = "",
        *,
        keys: Sequence[str] | None = None,
        newline: bool | None = None,
        only_if_waiting: bool = False,
        secret: bool = False,
    ) -> Self:
        """Type text or keys into the task, as in `send_input("y")` and `send_input(keys=["C-c"])`, and return self.

        Args:
            keys: keys by their tmux names: `C-c`, `Up`, `Enter`.
            newline: whether to press Enter after it; by default after text without control characters.
            only_if_waiting: raise RequestFailed (`not_waiting`) unless the program is waiting for input right now, or
                (`password_wanted`) if it is asking for a password and the text is not `secret`.
            secret: the text is a password.
        """
        with self._connections.client() as client:
            client.send_input(self.id, text, keys=keys, newline=newline, only_if_waiting=only_if_waiting, secret=secret)
        return self

    def exec(self, command: str, timeout: float | None = None) -> Executed:
        """Run a command at the prompt of a shell, and return its `exit` code, its `output` and its `duration`.

        After `timeout` seconds (default and maximum: 55) the command keeps running, `reason` is `timeout`, and `output`
        the output so far. Raises RequestFailed (`not_at_prompt`, `no_marks`) if nothing was typed.
        """
        with self._connections.client() as client:
            return client.exec(self.id, command, timeout)

    def commands(self, limit: int | None = None) -> list[ShellCommand]:
        """Return the last commands of a shell (100), the newest last: `command`, `exit`, `cwd`, `started`, `duration`,
        and where their `output` is.
        """
        with self._connections.client() as client:
            return client.commands(self.id, limit)["commands"]

    def expect(self, pattern: str, timeout: float | None = None, *, since: int | None = None) -> str:
        """Wait for a line that matches a regular expression, also while it is unfinished, and return its text.

        An interrupt leaves the task running.

        Args:
            timeout: seconds to wait.
            since: the number of the first line to search; by default the one after the last match.

        Raises:
            StillRunning: there is no such line within `timeout` seconds.
            NoMatch: the task has ended without such a line.
        """
        start = self._expected if since is None else since
        waited = self._wait_for((), timeout, match=pattern, since=start)
        line = waited["line"]
        if line is None:
            raise NoMatch(f"task {self._info['name']!r} has ended without a line that matches {pattern!r}")
        self._expected = line["number"] + 1
        return line["text"]

    def wait_until(
        self,
        *conditions: Until,
        match: str | None = None,
        since: int | None = None,
        quiet: float | None = None,
        timeout: float | None = None,
    ) -> str:
        """Wait until the task has ended (`exit`) or one of these conditions is met, and return which one: `waiting` for
        input, `progress`, `output`, `quiet` (no output for `quiet` seconds, by default 3), or `match` (a line from
        number `since` on matches). An interrupt leaves the task running.

        Raises StillRunning if no condition was met within `timeout` seconds.
        """
        return self._wait_for(conditions, timeout, match=match, since=since, quiet=quiet)["reason"]

    async def until(
        self,
        *conditions: Until,
        match: str | None = None,
        since: int | None = None,
        quiet: float | None = None,
        timeout: float | None = None,
    ) -> str:
        """Like `wait_until`, without blocking the event loop."""
        about: dict[str, Any] = {"match": match, "since": since, "quiet": quiet, "timeout": timeout}
        return await threads.call(self.wait_until, *conditions, **about)

    def _wait_for(self, until: tuple[Until, ...], timeout: float | None, **about: Any) -> Waited:
        with self._unharmed(), self._connections.client() as client:
            waited = client.wait_for(self.id, until, timeout=timeout, **about)
        self._take(waited["task"])
        if waited["reason"] == "timeout":
            raise results.still_waiting(self._info["name"], timeout)
        return waited
