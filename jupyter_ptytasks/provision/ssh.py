"""Tasks on another machine, reached by OpenSSH: one connection for all of them, with the user's own configuration.

What a task has written comes back into its directory here (`copy`), so that whatever reads it knows no difference, and
nothing is lost while no server runs: the files on the other machine are complete, and the copy goes on where it ended.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import os
import re
import time

from ..core import attempt_env
from ..core.errors import BadRequest, HostUnreachable, InternalError, PlaceUnreachable, StartUnknown
from ..core.files import write_json
from ..core.states import STARTED, State
from .base import Launched, Provisioner
from .program import LOADER, program
from .remote import Relay
from .report import read_report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
    from typing import Any, TypeVar

    from ..core.model import Task
    from ..storage.locks import Lock
    from ..storage.task_dirs import TaskDirs
    from .remote import Tail

    _T = TypeVar("_T")

_LOG = logging.getLogger(__name__)
#: What places begin with that are reached so; the name of the host follows, as `ssh` takes it.
PREFIX = "ssh:"
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,254}")
_CONFIG = "~/.ssh/config"
#: Bytes of it that are read.
_CONFIG_MAX = 1 << 20
#: No question is ever asked: there is nobody to answer. Two minutes of silence end a connection.
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
#: Seconds until a ptyhost must have reported how its start went, with the connection and, the first time, the program.
_PATIENCE = 90.0
#: Seconds for which it is waited for the answer to a question.
_ANSWER = 10.0
#: Seconds for which it is waited for the rest of the output of a task that has ended; then it is looked again.
_REST = 5.0
#: Seconds between tries to remove what a ptyhost has that has reported its end, and is just leaving.
_LEAVING = (0.1, 0.5, 2.0)
#: What of a task's environment is sent besides what the user gave; all else is that of the other machine.
_SENT = re.compile(r"TERM|COLORTERM|PTYTASK_(?!PYTHON$|FUNCTION$).*")


class SshProvisioner(Provisioner):
    """Tasks on the host of a place `ssh:<host>`; `command` is the program, `ssh`, and options of its own.

    A connection that is of no use any more is kept for `keep` seconds.
    """

    def __init__(self, place: str, command: Sequence[str], task_dirs: TaskDirs, keep: float) -> None:
        self.name = place
        self.host = place[len(PREFIX) :]
        if not _HOST.fullmatch(self.host):
            raise BadRequest(f"place: {self.host!r} is not the name of a host", field="place")
        self._command = tuple(command)
        self._task_dirs = task_dirs
        self._keep = keep
        self._loop: asyncio.AbstractEventLoop | None = None
        self._relay: Relay | None = None
        self._connecting: asyncio.Task[Relay] | None = None
        #: When it may be tried again, and the seconds from then to the next try.
        self._not_before = 0.0
        self._pause = _RETRY
        #: The copies that follow tasks, and those of the rest of what has ended, by id.
        self._tails: dict[str, Tail] = {}
        self._rests: dict[str, Tail] = {}
        #: What removes what is left there of deleted tasks, and whether it is to look once more.
        self._removing: asyncio.Task[None] | None = None
        self._is_removal_due = False
        #: What closes the connection.
        self._closing: asyncio.Task[None] | None = None
        #: Why the host cannot be reached, empty if it can or was not tried; and whether it asks for something.
        self.problem = ""
        self._wants_login = False

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """See Provisioner.begin."""
        self._loop = loop

    def close(self) -> None:
        """See Provisioner.close."""
        for job in (self._connecting, self._removing, self._closing):
            if job is not None:
                job.cancel()
        if self._relay is not None:
            self._relay.close()

    def to_json(self) -> dict[str, Any]:
        """See Provisioner.to_json."""
        reachable = True if self.is_connected else False if self.problem else None
        login = f"ssh {self.host}" if self._wants_login else None
        return {
            "name": self.name,
            "kind": "ssh",
            "reachable": reachable,
            "problem": self.problem or None,
            "login": login,
        }

    @property
    def is_connected(self) -> bool:
        """Whether the host answers."""
        return self._relay is not None and self._relay.is_up

    # -- the connection to the host -----------------------------------------------------------------------------------

    async def _reach(self) -> Relay:
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
            relay = await Relay.start([*self._command, *_OPTIONS, "--", self.host, line], found)
        except (HostUnreachable, OSError) as error:
            self._wants_login = "permission denied" in str(error).lower()
            self.problem = self._explain(str(error))
            self._not_before = time.monotonic() + self._pause
            self._pause = min(self._pause * 2, _RETRY_MAX)
            raise HostUnreachable(self.problem) from error
        finally:
            self._connecting = None
        self._relay = relay
        self._tails.clear()
        self._rests.clear()
        self._pause = _RETRY
        self.problem = ""
        self._wants_login = False
        # When no task runs there, or waits to be removed.
        self._closing = asyncio.create_task(relay.close_when_useless(self._keep))
        self._remove_soon()
        return relay

    def _explain(self, why: str) -> str:
        if self._wants_login:
            return f"{self.host} wants a login: run `ssh {self.host}` in a terminal, and see docs/cluster.md ({why})"
        return f"{self.host} cannot be reached: {why}"

    def _wait(self, work: Coroutine[Any, Any, _T], patience: float) -> _T:
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

    # -- starting -----------------------------------------------------------------------------------------------------

    def launch(self, task: Task, lock: Lock, env: Mapping[str, str]) -> Launched:  # noqa: ARG002  the lock is there, too
        """See Provisioner.launch."""
        files = self._task_dirs.files(task.id)
        spec = self._task_dirs.specs.read(task.id)
        given = attempt_env.environment(task, env)
        sent = {name: value for name, value in given.items() if name in spec["given_env"] or _SENT.fullmatch(name)}
        with self._task_dirs.open_ring(task.id) as ring:
            end = ring.bounds()[1]
        try:
            self._wait(self._reach(), _PATIENCE)
        except TimeoutError:
            raise PlaceUnreachable(f"{self.host} does not answer") from None
        except HostUnreachable as error:
            raise PlaceUnreachable(error.message) from error
        try:
            report = self._wait(self._start(spec, sent, end), _PATIENCE)
        except (HostUnreachable, TimeoutError) as error:
            raise StartUnknown(f"the connection to {self.host} was lost while the task was being started") from error
        launched = read_report(report, str(report.get("log", "")))
        host = report.get("host")
        if isinstance(host, dict):
            write_json(files.host, host)
        return launched

    async def _start(self, spec: dict[str, Any], env: dict[str, str], end: int) -> dict[str, Any]:
        assert self._relay is not None
        return await self._relay.call("start", spec={**spec, "given_env": {}}, env=env, end=end)

    # -- what became of it --------------------------------------------------------------------------------------------

    def poll(self, tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
        """See Provisioner.poll. Of a host that cannot be reached nothing is known."""
        found = {}
        for task in tasks:
            if self.is_connected:
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
        seen = self._wait(self._look(task, abandon=is_starting), _ANSWER)
        if "error" in seen:
            raise InternalError(f"{self.host}: {seen['error'].get('message')}")
        if seen["hosted"] and not seen["exited"]:
            host = seen["host"]
            if is_starting and host is not None:
                return {"state": State.RUNNING, **{name: host[name] for name in ("pid", "host_pid", "started")}}
            return None
        if seen["exists"] and not self._wait(self._fetch_rest(task), _REST * 2):
            return None
        ending = self._task_dirs.read_exit(task)
        if ending is not None:
            return ending
        if seen["host"] is None and is_starting:
            return {
                "state": State.FAILED,
                "state_reason": "start_interrupted",
                "state_message": "the server died while starting the task; nothing was run",
                "ended": time.time(),
            }
        return self._lost(task, seen)

    def _lost(self, task: Task, seen: Mapping[str, Any]) -> dict[str, Any]:
        reason, message = "host_vanished", f"the ptyhost on {self.host} died; the command was sent SIGHUP"
        host = seen["host"]
        if not seen["exists"]:
            reason, message = "directory_removed", f"the task's directory on {self.host} was removed"
        elif host is not None and host.get("boot_id") != seen["boot_id"]:
            reason, message = "reboot", f"{self.host} rebooted"
        return {
            "state": State.LOST,
            "state_reason": reason,
            "state_message": f"{message} ({seen['log']})" if seen["log"] else message,
            "ended": time.time(),
            "output": self._task_dirs.output(task.id),
        }

    async def _look(self, task: Task, *, abandon: bool) -> dict[str, Any]:
        relay = await self._reach()
        return await relay.call("look", id=task.id, attempt=task.attempt, abandon=abandon)

    async def _fetch_rest(self, task: Task) -> bool:
        """Copy what is not here yet of a task that has ended; return whether all is here now."""
        relay = await self._reach()
        rest = self._rests.get(task.id)
        if rest is None or (rest.ended.done() and rest.ended.result()):
            files = self._task_dirs.files(task.id)
            rest = self._rests[task.id] = await relay.tail(task.id, task.attempt, files, follow=False)
        await asyncio.wait([rest.ended], timeout=_REST)
        if not rest.ended.done():
            return False
        self._rests.pop(task.id, None)
        return not rest.ended.result()

    # -- reaching it --------------------------------------------------------------------------------------------------

    async def connect(self, task: Task, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        """See Provisioner.connect."""
        relay = await self._reach()
        tail = self._tails.get(task.id)
        if tail is None or tail.attempt != task.attempt or tail.ended.done():
            if tail is not None:
                tail.close()
            files = self._task_dirs.files(task.id)
            tail = self._tails[task.id] = await relay.tail(task.id, task.attempt, files, follow=True)
        relay.connect(task.id, protocol, tail)

    def machine(self, task: Task) -> str | None:  # noqa: ARG002
        """See Provisioner.machine. It is named while it cannot be reached."""
        return self.host if self.problem else None

    def clean_up(self, active: Collection[str]) -> None:
        """See Provisioner.clean_up."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._forget_all_but, frozenset(active))
        if self.is_connected:
            self.remove_deleted()

    def _forget_all_but(self, active: Collection[str]) -> None:
        for task_id in [task_id for task_id in self._tails if task_id not in active]:
            self._tails.pop(task_id).close()

    # -- removing -----------------------------------------------------------------------------------------------------

    def remove_deleted(self) -> None:
        """See Provisioner.remove_deleted."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._remove_soon)

    def _remove_soon(self) -> None:
        self._is_removal_due = True
        if self._removing is None:
            self._removing = asyncio.create_task(self._remove_noted())

    async def _remove_noted(self) -> None:
        try:
            while self._is_removal_due:
                self._is_removal_due = False
                for task_id in await asyncio.to_thread(self._noted):
                    if await self._remove(task_id):
                        await asyncio.to_thread(self._task_dirs.removals.done, [task_id])
        except (HostUnreachable, OSError) as error:
            _LOG.debug("what is left of deleted tasks on %s will be removed later: %s", self.host, error)
        finally:
            self._removing = None

    async def _remove(self, task_id: str) -> bool:
        """Remove what is left of a task there; return whether nothing is."""
        for pause in (*_LEAVING, None):
            answer = await (await self._reach()).call("remove", id=task_id)
            if answer.get("removed") or pause is None:
                break
            await asyncio.sleep(pause)
        return answer.get("removed") is True

    def _noted(self) -> list[str]:
        """Return the tasks that have been deleted: the note is written before that."""
        return [one for one in self._task_dirs.removals.of(self.name) if not self._task_dirs.exists(one)]


def find(place: str, command: Sequence[str], task_dirs: TaskDirs, keep: float) -> SshProvisioner:
    """Return a provisioner for a place that is on another machine. Raises BadRequest if there is no such place."""
    if not place.startswith(PREFIX) or not command:
        raise BadRequest(f"place: there is no place {place!r}", field="place")
    return SshProvisioner(place, command, task_dirs, keep)


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
    return list(dict.fromkeys(name for name in named if _HOST.fullmatch(name)))
