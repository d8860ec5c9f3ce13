"""The connection to another machine, through OpenSSH with the user's configuration. There is one per machine."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import os
import re
import time

from ..core.errors import BadRequest, HostUnreachable
from .commands import environment
from .program import LOADER, program
from .remote import Relay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from typing import Any, TypeVar

    _T = TypeVar("_T")

_LOG = logging.getLogger(__name__)
#: The name of a host, as accepted by ssh; it cannot be mistaken for an option.
HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,254}")
_CONFIG = "~/.ssh/config"
#: The most bytes of it that are read.
_CONFIG_MAX = 1 << 20
#: ssh must never prompt, because no one could answer. A silent connection ends after about a minute.
_OPTIONS = (
    "-T",
    *("-o", "BatchMode=yes"),
    *("-o", "ConnectTimeout=15"),
    *("-o", "ServerAliveInterval=15"),
    *("-o", "ServerAliveCountMax=4"),
    *("-o", "ClearAllForwardings=yes"),
    *("-o", "RemoteCommand=none"),
)
#: Seconds until an unreachable host is tried again; doubled up to the second number.
_RETRY, _RETRY_MAX = 1.0, 60.0
#: The variables that ssh needs to log in from another process: for an agent, and for Kerberos tickets.
_FOR_LOGIN = ("SSH_AUTH_SOCK", "KRB5CCNAME")


class Connection:
    """The relay on a host. `command` is `ssh` with its options, and `env` its environment (None: that of this process).
    Everything runs on the loop given to `begin`, except for `wait` and `soon`.

    An unused connection is kept for `keep` seconds. `close` it. Raises BadRequest for an invalid host name.
    """

    def __init__(self, host: str, command: Sequence[str], keep: float, env: Mapping[str, str] | None = None) -> None:
        if not HOST.fullmatch(host):
            raise BadRequest(f"place: {host!r} is not the name of a host", field="place")
        self.host = host
        self._command = tuple(command)
        self._keep = keep
        self._env = env
        self._loop: asyncio.AbstractEventLoop | None = None
        self._relay: Relay | None = None
        self._connecting: asyncio.Task[Relay] | None = None
        #: Closes the relay when it is unused; deletes old programs on the host.
        self._closing: asyncio.Task[None] | None = None
        self._tidying: asyncio.Task[None] | None = None
        #: When it may be tried again (monotonic seconds), and the seconds until the try after that.
        self._not_before = 0.0
        self._pause = _RETRY
        #: Why the host cannot be reached, empty if it can or was not tried; and whether the user must log in.
        self.problem = ""
        self.wants_login = False
        #: Called when there is a new relay.
        self.on_up: list[Callable[[], None]] = []

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the loop."""
        self._loop = loop

    def close(self) -> None:
        """Close it; tasks there keep running."""
        for job in (self._connecting, self._closing, self._tidying):
            if job is not None:
                job.cancel()
        if self._relay is not None:
            self._relay.close()

    @property
    def is_up(self) -> bool:
        """Whether the host answers."""
        return self._relay is not None and self._relay.is_up

    def to_json(self) -> dict[str, Any]:
        """Return whether the host is reachable (None if not tried yet), and if not, why, and how to log in."""
        return {
            "reachable": True if self.is_up else False if self.problem else None,
            "problem": self.problem or None,
            "login": f"ssh {self.host}" if self.wants_login else None,
        }

    async def reach(self) -> Relay:
        """Return the relay; start it if needed. Raises HostUnreachable."""
        if self._relay is not None and self._relay.is_up:
            self._relay.touch()
            return self._relay
        if self._connecting is None:
            if time.monotonic() < self._not_before:
                raise HostUnreachable(self.problem)
            self._connecting = asyncio.create_task(self._start_relay())
        # A caller may be canceled; the connection is shared by all.
        return await asyncio.shield(self._connecting)

    async def _start_relay(self) -> Relay:
        try:
            found = await asyncio.to_thread(program)
            line = f"exec python3 -I -S -X utf8 -c '{LOADER}'"
            relay = await Relay.start([*self._command, *_OPTIONS, "--", self.host, line], found, self._env)
        except (HostUnreachable, OSError) as error:
            self.wants_login = "permission denied" in str(error).lower()
            self.problem = self._explain(str(error))
            self._not_before = time.monotonic() + self._pause
            self._pause = min(self._pause * 2, _RETRY_MAX)
            raise HostUnreachable(self.problem) from error
        finally:
            self._connecting = None
        self._relay = relay
        self._pause = _RETRY
        self.problem = ""
        self.wants_login = False
        self._closing = asyncio.create_task(relay.close_when_useless(self._keep))
        self._tidying = asyncio.create_task(self._tidy(relay))
        for tell in self.on_up:
            tell()
        return relay

    async def _tidy(self, relay: Relay) -> None:
        """Delete unused programs of other versions on the host."""
        with contextlib.suppress(HostUnreachable):
            removed = (await relay.call("tidy")).get("removed")
            if removed:
                _LOG.info("deleted unused programs on %s: %s", self.host, ", ".join(removed))

    def _explain(self, why: str) -> str:
        if self.wants_login:
            return f"{self.host} requires a login: run `ssh {self.host}` in a terminal, and see docs/cluster.md ({why})"
        return f"{self.host} cannot be reached: {why}"

    def wait(self, work: Coroutine[Any, Any, _T], patience: float) -> _T:
        """Run `work` on the loop, and return its result; for threads. Raises TimeoutError, or what `work` raises."""
        if self._loop is None:
            work.close()
            raise HostUnreachable("the server has not started yet")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(patience)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise TimeoutError from None

    def soon(self, action: Callable[[], None]) -> None:
        """Run an action on the loop, from any thread. Does nothing if there is no loop yet."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(action)


class Connections:
    """The connections of a process, by host. For the arguments see Connection."""

    def __init__(self, command: Sequence[str], keep: float, env: Mapping[str, str] | None = None) -> None:
        self._command = tuple(command)
        self._keep = keep
        self._env = env
        self._known: dict[str, Connection] = {}

    def to(self, host: str) -> Connection:
        """Return the connection to a host, which all its places share. Raises BadRequest for an invalid host name."""
        if host not in self._known:
            self._known[host] = Connection(host, self._command, self._keep, self._env)
        return self._known[host]

    def for_scheduler(self) -> dict[str, Any]:
        """Return the arguments of this class, so that the scheduler can open its own connections."""
        login = {name: os.environ[name] for name in _FOR_LOGIN if name in os.environ}
        return {"command": list(self._command), "keep": self._keep, "env": {**environment(), **login}}


def hosts() -> list[str]:
    """Return the hosts in the user's configuration (ssh_config(5)), in its order, without patterns and included files.
    Blocking.
    """
    try:
        with open(os.path.expanduser(_CONFIG), encoding="utf-8", errors="replace") as file:
            lines = file.read(_CONFIG_MAX).splitlines()
    except OSError:
        return []
    words = [line.replace("=", " ").split() for line in lines]
    named = [name for line in words if line and line[0].lower() == "host" for name in line[1:]]
    return list(dict.fromkeys(name for name in named if HOST.fullmatch(name)))
