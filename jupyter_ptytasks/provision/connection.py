"""The connection to another machine, through OpenSSH with the user's configuration: one for everything there."""

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
#: The name of a host, as ssh takes it; none is an option.
HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,254}")
_CONFIG = "~/.ssh/config"
#: Bytes of it that are read.
_CONFIG_MAX = 1 << 20
#: ssh must never prompt, since nobody could answer. Two minutes of silence end a connection.
_OPTIONS = (
    "-T",
    *("-o", "BatchMode=yes"),
    *("-o", "ConnectTimeout=15"),
    *("-o", "ServerAliveInterval=15"),
    *("-o", "ServerAliveCountMax=4"),
    *("-o", "ClearAllForwardings=yes"),
    *("-o", "RemoteCommand=none"),
)
#: Seconds until a host that could not be reached is tried again; doubled up to the second number.
_RETRY, _RETRY_MAX = 1.0, 60.0
#: What ssh needs of the environment of the server to log in from another process: an agent, a ticket of Kerberos.
_FOR_LOGIN = ("SSH_AUTH_SOCK", "KRB5CCNAME")


class Connection:
    """The relay on a host; `command` is the program, `ssh`, with options of its own, and `env` its environment (None:
    that of this process). All on the loop that `begin` is told, but for `wait`.

    A connection that is of no use any more is kept for `keep` seconds. `close` it. Raises BadRequest for what cannot be
    a host.
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
        #: What closes the relay when it is of no use, and what has old programs deleted there.
        self._closing: asyncio.Task[None] | None = None
        self._tidying: asyncio.Task[None] | None = None
        #: When it may be tried again, and the seconds from then to the next try.
        self._not_before = 0.0
        self._pause = _RETRY
        #: Why the host cannot be reached, empty if it can or was not tried; and whether it asks for something.
        self.problem = ""
        self.wants_login = False
        #: Called when there is a new relay.
        self.on_up: list[Callable[[], None]] = []

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take note of the loop."""
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
        """Return whether the host can be reached (None: not tried yet), and if not, why, and what to do."""
        return {
            "reachable": True if self.is_up else False if self.problem else None,
            "problem": self.problem or None,
            "login": f"ssh {self.host}" if self.wants_login else None,
        }

    async def reach(self) -> Relay:
        """Return the relay; start it if it is not there. Raises HostUnreachable."""
        if self._relay is not None and self._relay.is_up:
            self._relay.touch()
            return self._relay
        if self._connecting is None:
            if time.monotonic() < self._not_before:
                raise HostUnreachable(self.problem)
            self._connecting = asyncio.create_task(self._start_relay())
        # Who waits may give up; the connection is for all.
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
        # When no task runs there, or waits to be removed.
        self._closing = asyncio.create_task(relay.close_when_useless(self._keep))
        self._tidying = asyncio.create_task(self._tidy(relay))
        for tell in self.on_up:
            tell()
        return relay

    async def _tidy(self, relay: Relay) -> None:
        """Have the programs of other versions deleted there that nothing needs."""
        with contextlib.suppress(HostUnreachable):
            removed = (await relay.call("tidy")).get("removed")
            if removed:
                _LOG.info("deleted on %s, where nothing needs them any more: %s", self.host, ", ".join(removed))

    def _explain(self, why: str) -> str:
        if self.wants_login:
            return f"{self.host} requires a login: run `ssh {self.host}` in a terminal, and see docs/cluster.md ({why})"
        return f"{self.host} cannot be reached: {why}"

    def wait(self, work: Coroutine[Any, Any, _T], patience: float) -> _T:
        """Return the result of `work`, done on the loop, to a thread. Raises TimeoutError or what it raises."""
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
        """Have something done on the loop, from whatever thread; nothing if there is no loop yet."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(action)


class Connections:
    """The connections of a process, by their hosts; see Connection for the rest."""

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
        """Return the arguments of this class, with which the scheduler makes its own connections."""
        login = {name: os.environ[name] for name in _FOR_LOGIN if name in os.environ}
        return {"command": list(self._command), "keep": self._keep, "env": {**environment(), **login}}


def hosts() -> list[str]:
    """Return the hosts that the user's configuration (ssh_config(5)) names, in its order; no patterns, and nothing of
    what it includes. Blocking.
    """
    try:
        with open(os.path.expanduser(_CONFIG), encoding="utf-8", errors="replace") as file:
            lines = file.read(_CONFIG_MAX).splitlines()
    except OSError:
        return []
    words = [line.replace("=", " ").split() for line in lines]
    named = [name for line in words if line and line[0].lower() == "host" for name in line[1:]]
    return list(dict.fromkeys(name for name in named if HOST.fullmatch(name)))
