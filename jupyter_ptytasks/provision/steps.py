"""The way to tasks whose ptyhosts are jobs: a step of the job carries a relay, as long as somebody has use for it."""

from __future__ import annotations

import asyncio
import sys

from ..core.errors import HostUnreachable
from .remote import Relay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..core.model import Task
    from ..storage.task_dirs import TaskDirs
    from .handles import Handle, Handles

#: Seconds for which a connection is kept of which nothing uses is made.
_KEEP = 60.0
#: Runs the far end of a relay, in a step of the job: the interpreter here and the program follow.
_RELAY = (
    'for python in "$0" python3; do '
    'if command -v "$python" > /dev/null; then exec "$python" -I -S -X utf8 "$1" relay; fi; done; exit 127'
)


class Steps:
    """The relays of tasks, on the loop of a server. `program` returns the path of what a relay runs, and `env` is the
    environment of srun. `close` it.
    """

    def __init__(
        self, task_dirs: TaskDirs, handles: Handles, program: Callable[[], str], env: Mapping[str, str]
    ) -> None:
        self._task_dirs = task_dirs
        self._handles = handles
        self._program = program
        self._env = env
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
        """Return the relay to the node of a task; start it if it is not there. Raises HostUnreachable."""
        starting = self._relays.get(task.id)
        relay = _result(starting) if starting is not None else None
        if relay is not None and relay.is_up:
            relay.touch()
            return relay
        if starting is None or starting.done():
            starting = self._relays[task.id] = asyncio.create_task(self._start_relay(task))
        # Who waits may give up; the connection is for all.
        return await asyncio.shield(starting)

    async def _start_relay(self, task: Task) -> Relay:
        handle, host, path = await asyncio.to_thread(self._where, task)
        if handle is None or "job" not in handle or host is None:
            raise HostUnreachable("the job does not run yet")
        argv = [
            "srun", "--quiet", f"--jobid={handle['job']}", "--overlap", "--mem=0", "--nodes=1", "--ntasks=1",
            *([f"--nodelist={host['node']}"] if host.get("node") else []), "--unbuffered", "--mpi=none",
            "--export=NONE", "--chdir=/", "/bin/sh", "-c", _RELAY, sys.executable, path,
        ]  # fmt: skip
        relay = await Relay.start(argv, env=self._env)
        closing = asyncio.create_task(relay.close_when_useless(_KEEP))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        return relay

    def _where(self, task: Task) -> tuple[Handle | None, dict[str, Any] | None, str]:
        return self._handles.of(task), self._task_dirs.host(task), self._program()


def _result(starting: asyncio.Task[Relay]) -> Relay | None:
    """Return a relay whose start has succeeded."""
    return starting.result() if starting.done() and not starting.cancelled() and starting.exception() is None else None
