"""The client's methods for interacting with a task: typing into it, and waiting for conditions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

from .connection import IDLE, Connection, decoded, path_of, without_none
from .outcome import has_ended

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .literals import Until
    from .types import Executed, ShellCommands, Task, Typed, Waited

#: Seconds that the server holds a `wait` request.
_LONG_POLL = 50.0


class TalkMethods(Connection):
    """Typing and waiting."""

    def send_input(
        self,
        ref: str,
        data: str = "",
        *,
        keys: Sequence[str] | None = None,
        newline: bool | None = None,
        only_if_waiting: bool = False,
        secret: bool = False,
    ) -> Typed:
        """Type `data` or `keys` into a task.

        With `only_if_waiting`, raises RequestFailed (`not_waiting`, `password_wanted`).

        Args:
            keys: keys by their tmux names, such as `C-c`, `Up` and `Enter`; other text is typed.
            newline: whether to press Enter after it; by default after `data` without control characters.
            only_if_waiting: type nothing unless the program is waiting for input right now.
            secret: the input is a password, for a program that asks for one.
        """
        content = {
            "data": data if keys is None or data else None,
            "keys": None if keys is None else list(keys),
            "newline": newline,
            "only_if": "waiting" if only_if_waiting else None,
            "secret": secret or None,
        }
        response = self._transport.request("POST", path_of(ref, "input"), json=without_none(content))
        return cast("Typed", decoded(response.content))

    def commands(self, ref: str, limit: int | None = None) -> ShellCommands:
        """Return the last commands of a shell (100 by default), and whether it is at its prompt."""
        params = without_none({"limit": limit, **IDLE})
        return cast(
            "ShellCommands", decoded(self._transport.request("GET", path_of(ref, "commands"), params=params).content)
        )

    def exec(
        self,
        ref: str,
        command: str,
        timeout: float | None = None,
        *,
        head_lines: int | None = None,
        tail_lines: int | None = None,
    ) -> Executed:
        """Type a command at the prompt of a shell, and return its exit code and output when it has ended, or its output
        so far after `timeout` seconds (at most 55), when it keeps running.

        Raises RequestFailed (`not_at_prompt`, `no_marks`): nothing was typed.
        """
        content = {"command": command, "timeout": timeout, "head_lines": head_lines, "tail_lines": tail_lines}
        response = self._transport.request(
            "POST", path_of(ref, "exec"), json=without_none(content), timeout=_LONG_POLL + 20.0
        )
        return cast("Executed", decoded(response.content))

    def wait(self, ref: str, timeout: float | None = None) -> Task:
        """Wait until a task has ended, for at most `timeout` seconds, and return it. Survives a server restart."""
        deadline = None if timeout is None else time.monotonic() + timeout
        task = self.retrying(self._task, "GET", path_of(ref))
        while not has_ended(task):
            left = _LONG_POLL if deadline is None else min(max(deadline - time.monotonic(), 0.0), _LONG_POLL)
            if left <= 0:
                break
            task = self.retrying(self.wait_once, task["id"], left)
        return task

    def wait_once(self, ref: str, timeout: float) -> Task:
        """Like `wait`, in a single request: `timeout` is at most 55 seconds."""
        found: Any = self._wait_for_once(ref, {}, timeout)
        # Servers of earlier versions responded with the task itself.
        return cast("Task", found.get("task", found))

    def wait_for(
        self,
        ref: str,
        until: Iterable[Until] = (),
        *,
        match: str | None = None,
        since: int | None = None,
        quiet: float | None = None,
        offset: int | None = None,
        timeout: float | None = None,
    ) -> Waited:
        """Wait until a task has ended or another condition is met, and return the result. Survives a server restart.

        Args:
            until: `waiting` for input, `progress`, `quiet` (no output for some seconds), or `output`.
            match: a regular expression that a line must match, from line `since` on, including an unfinished last one.
            since: also return the first and last lines of the output from this line on.
            quiet: the seconds of `until` quiet; by default 3.
            offset: for `until` output, wait for output after this offset; by default after its current end.
            timeout: seconds to wait.
        """
        about = without_none(
            {"until": ",".join(until) or None, "match": match, "since": since, "quiet": quiet, "offset": offset}
        )
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _LONG_POLL if deadline is None else min(max(deadline - time.monotonic(), 0.0), _LONG_POLL)
            waited = self.retrying(self._wait_for_once, ref, about, left)
            if waited["reason"] != "timeout" or (deadline is not None and time.monotonic() >= deadline):
                return waited
            ref = waited["task"]["id"]

    def _wait_for_once(self, ref: str, about: Mapping[str, Any], timeout: float) -> Waited:
        params = {"timeout": timeout, **about, **IDLE}
        response = self._transport.request("GET", path_of(ref, "wait"), params=params, timeout=timeout + 15.0)
        return cast("Waited", decoded(response.content))
