"""Connections to tasks whose ptyhosts are jobs: a step of the job runs a relay while it is used."""

from __future__ import annotations

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from ..core.model import Task
    from .handles import Handle
    from .remote import Relay

#: Seconds for which an unused connection is kept.
_KEEP = 60.0
#: Runs the far end of a relay, in a step of the job: an interpreter and the program follow, and its arguments.
_RELAY = (
    'for python in "$0" python3; do '
    'if command -v "$python" > /dev/null; then exec "$python" -I -S -X utf8 "$@"; fi; done; exit 127'
)


def step(handle: Handle, host: Mapping[str, Any], python: str, *program: str) -> list[str]:
    """Return the command that runs the far end of a relay next to the ptyhost of a job, with this interpreter, or with
    `python3` if the node does not have it.
    """
    return [
        "srun", "--quiet", f"--jobid={handle['job']}", "--overlap", "--mem=0", "--nodes=1", "--ntasks=1",
        *([f"--nodelist={host['node']}"] if host.get("node") else []), "--unbuffered", "--mpi=none",
        "--export=NONE", "--chdir=/", "/bin/sh", "-c", _RELAY, python, *program,
    ]  # fmt: skip


class Steps:
    """The relays of tasks, on the loop of a server. `find` returns the command that runs the far end of one (blocking),
    and `start` runs it; both raise HostUnreachable. `close` it.
    """

    def __init__(self, find: Callable[[Task], list[str]], start: Callable[[list[str]], Awaitable[Relay]]) -> None:
        self._find = find
        self._start = start
        self._relays: dict[str, asyncio.Task[Relay]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """Close all relays."""
        for job in self._closing:
            job.cancel()
        for starting in self._relays.values():
            starting.cancel()
            relay = _result(starting)
            if relay is not None:
                relay.close()

    async def reach(self, task: Task) -> Relay:
        """Return the relay to the node of a task; start it if needed. Raises HostUnreachable."""
        starting = self._relays.get(task.id)
        relay = _result(starting) if starting is not None else None
        if relay is not None and relay.is_up:
            relay.touch()
            return relay
        if starting is None or starting.done():
            starting = self._relays[task.id] = asyncio.create_task(self._start_relay(task))
        # A caller may be canceled; the connection is shared by all.
        return await asyncio.shield(starting)

    async def _start_relay(self, task: Task) -> Relay:
        relay = await self._start(await asyncio.to_thread(self._find, task))
        closing = asyncio.create_task(relay.close_when_useless(_KEEP))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        return relay


def _result(starting: asyncio.Task[Relay]) -> Relay | None:
    """Return the relay if it was started successfully, else None."""
    return starting.result() if starting.done() and not starting.cancelled() and starting.exception() is None else None
