"""Tasks on another machine, reached with OpenSSH: one connection for all of them, with the user's configuration.

The output of a task is copied into its directory here (`copy`), so it is read like any other. Nothing is lost while no
server runs: the files on the other machine are complete, and the copy continues where it stopped.
"""

from __future__ import annotations

import re
import time

from ..core import attempt_env
from ..core.errors import BadRequest, HostUnreachable, InternalError, PlaceUnreachable, StartUnknown
from ..core.files import write_json
from ..core.queue.gates import Gate
from ..core.states import STARTED, State
from .base import Launched, Provisioner, right_away
from .copies import Copies
from .remover import Remover
from .report import read_report

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any

    from ..core.model import Task
    from ..storage.locks import Lock
    from ..storage.task_dirs import TaskDirs
    from .connection import Connection, Connections

#: The prefix of these places; the name of the host follows, as accepted by `ssh`.
PREFIX = "ssh:"
#: Seconds in which a ptyhost must report the result of its start, including the connection and the installation.
PATIENCE = 90.0
#: Seconds to wait for the answer to a call, and for the rest of an output.
ANSWER, REST = 10.0, 10.0
#: How often a start is repeated that other processes have abandoned meanwhile.
_GIVEN_UP = 5
#: Variables of a task that are sent besides those given by the user; all others are from the other machine.
_SENT = re.compile(r"TERM|COLORTERM|PTYTASK_(?!PYTHON$|FUNCTION$).*")


class SshProvisioner(Provisioner):
    """Tasks on the host that a `connection` leads to."""

    waits = True

    def __init__(self, connection: Connection, task_dirs: TaskDirs) -> None:
        self.name = f"{PREFIX}{connection.host}"
        self._connection = connection
        self._task_dirs = task_dirs
        self._copies = Copies(connection, task_dirs)
        self._remover = Remover(connection, task_dirs, self.name)

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """See Provisioner.begin."""
        self._connection.begin(loop)

    def close(self) -> None:
        """See Provisioner.close."""
        self._remover.close()
        self._connection.close()

    def to_json(self) -> dict[str, Any]:
        """See Provisioner.to_json."""
        return {"name": self.name, "kind": "ssh", **self._connection.to_json()}

    def gate(self) -> Gate:
        """See Provisioner.gate."""
        return Gate()

    def reach(self) -> None:
        """See Provisioner.reach."""
        reach(self._connection)

    # -- starting -----------------------------------------------------------------------------------------------------

    def launch(
        self,
        task: Task,
        lock: Lock,  # noqa: ARG002  the ptyhost holds a lock on its machine
        env: Mapping[str, str],
        go: Callable[[], None] = right_away,
    ) -> Launched:
        """See Provisioner.launch."""
        go()
        files = self._task_dirs.files(task.id)
        spec = self._task_dirs.specs.read(task.id)
        sent = sent_environment(task, spec, env)
        with self._task_dirs.open_ring(task.id) as ring:
            end = ring.bounds()[1]
        reach(self._connection)
        said = {"spec": {**spec, "given_env": {}}, "env": sent, "end": end}
        try:
            report = self._connection.wait(self._start(said), PATIENCE)
        except (HostUnreachable, TimeoutError) as error:
            host = self._connection.host
            raise StartUnknown(f"the connection to {host} was lost while the task was being started") from error
        if report.get("was_started"):
            raise StartUnknown("it was started before")  # by a process that seemed to have failed
        launched = read_report(report, str(report.get("log", "")))
        host_record = report.get("host")
        if isinstance(host_record, dict):
            write_json(files.host, host_record)
        return launched

    async def _start(self, said: dict[str, Any]) -> dict[str, Any]:
        relay = await self._connection.reach()
        report = await relay.call("start", **said)
        for _ in range(_GIVEN_UP):
            if "given_up" not in report:
                break
            # Another process has abandoned an interrupted start. This is a new one.
            report = await relay.call("start", **said, given_up=report["given_up"])
        return report

    # -- outcomes -----------------------------------------------------------------------------------------------------

    def poll(self, tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
        """See Provisioner.poll. If the host cannot be reached, there is no news."""
        found = {}
        for task in tasks:
            if self._connection.is_up:
                try:
                    news = self._find_news(task)
                except (HostUnreachable, TimeoutError):
                    continue
                if news is not None:
                    found[task.id] = news
        return found

    def _find_news(self, task: Task) -> dict[str, Any] | None:
        is_starting = task.state not in STARTED
        if is_starting and self._task_dirs.is_hosted(task):
            return None  # a server is just starting it
        seen = self._connection.wait(self._look(task, abandon=is_starting), ANSWER)
        if "error" in seen:
            raise InternalError(f"{self._connection.host}: {seen['error'].get('message')}")
        if seen["hosted"] and not seen["exited"]:
            host = seen["host"]
            if is_starting and host is not None:
                return {"state": State.RUNNING, **{name: host[name] for name in ("pid", "host_pid", "started")}}
            return None
        if seen["exists"] and not self._connection.wait(self._copies.fetch_rest(task), REST):
            return None
        ending = self._task_dirs.read_exit(task)
        if ending is not None:
            return ending
        if seen["host"] is None and is_starting:
            if self._task_dirs.specs.keeps_environment(task.id):
                return {"state": State.QUEUED}  # it still waits for its turn
            return {
                "state": State.FAILED,
                "state_reason": "start_interrupted",
                "state_message": "the server died while starting the task; nothing was run",
                "ended": time.time(),
            }
        return self._lost(task, seen)

    def _lost(self, task: Task, seen: Mapping[str, Any]) -> dict[str, Any]:
        reason, message = "host_vanished", f"the ptyhost on {self._connection.host} died; the command was sent SIGHUP"
        host = seen["host"]
        if not seen["exists"]:
            reason, message = "directory_removed", f"the task's directory on {self._connection.host} was removed"
        elif host is not None and host.get("boot_id") != seen["boot_id"]:
            reason, message = "reboot", f"{self._connection.host} rebooted"
        return {
            "state": State.LOST,
            "state_reason": reason,
            "state_message": f"{message} ({seen['log']})" if seen["log"] else message,
            "ended": time.time(),
            "output": self._task_dirs.output(task.id),
        }

    async def _look(self, task: Task, *, abandon: bool) -> dict[str, Any]:
        relay = await self._connection.reach()
        return await relay.call("look", id=task.id, attempt=task.attempt, abandon=abandon)

    # -- connections --------------------------------------------------------------------------------------------------

    async def connect(self, task: Task, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        """See Provisioner.connect."""
        tail = await self._copies.follow(task)
        (await self._connection.reach()).connect(task.id, protocol, tail)

    def machine(self, task: Task) -> str | None:  # noqa: ARG002
        """See Provisioner.machine."""
        return self._connection.host if self._connection.problem else None

    def clean_up(self, active: Collection[str]) -> None:
        """See Provisioner.clean_up."""
        known = frozenset(active)
        self._connection.soon(lambda: self._copies.forget_all_but(known))
        if self._connection.is_up:
            self.remove_deleted()

    def remove_deleted(self) -> None:
        """See Provisioner.remove_deleted."""
        self._connection.soon(self._remover.remove_soon)


def reach(connection: Connection) -> None:
    """Connect, and wait until connected. Blocking. Raises PlaceUnreachable."""
    try:
        connection.wait(connection.reach(), PATIENCE)
    except TimeoutError:
        raise PlaceUnreachable(f"{connection.host} does not respond") from None
    except HostUnreachable as error:
        raise PlaceUnreachable(error.message) from error


def sent_environment(task: Task, spec: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, str]:
    """Return the part of a task's environment that is sent to another machine."""
    given = attempt_env.environment(task, env)
    return {name: value for name, value in given.items() if name in spec["given_env"] or _SENT.fullmatch(name)}


def find(place: str, connections: Connections | None, task_dirs: TaskDirs) -> SshProvisioner:
    """Return a provisioner for a place on another machine. Raises BadRequest if there is no such place."""
    if not place.startswith(PREFIX) or connections is None:
        raise BadRequest(f"place: there is no place {place!r}", field="place")
    return SshProvisioner(connections.to(place[len(PREFIX) :]), task_dirs)
