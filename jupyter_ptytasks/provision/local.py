"""Ptyhosts on this machine: the starter forks them; this module finds out how they ended, and connects to them."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import replace

from ..core import attempt_env
from ..core.errors import HostUnreachable, storage_fault
from ..core.files import write_json
from ..core.hostlog import last_line, rotate
from ..core.machine import boot_id, is_here, is_running
from ..core.names import LOCAL
from ..core.platform import endpoint, events
from ..core.states import STARTED, State
from . import sockets
from .base import Launched, Provisioner, right_away
from .git import Looks
from .report import read_report
from .starter import Starter

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any

    from ..core.model import Task
    from ..core.paths import TaskFiles
    from ..storage.locks import Lock
    from ..storage.task_dirs import TaskDirs

_PACKAGE = os.path.abspath(os.path.join(os.path.dirname(__file__), os.pardir))
#: Run as a program: the server does not import it, so their versions may differ.
_MAIN = os.path.join(_PACKAGE, "ptyhost", "__main__.py")
#: Seconds in which a ptyhost must report the result of its start. A directory on a network drive may be slow.
_PATIENCE = 30.0
#: Seconds after which a ptyhost has a socket, unless it was removed.
_SETTLED = 2.0


class LocalProvisioner(Provisioner):
    """Tasks of this machine; `runtime_dir` holds the sockets of their ptyhosts, and of the starter.

    Tasks of other machines that share the directories are recognized by their host records.
    """

    name = LOCAL
    is_here = True
    waits = True
    shares_files = True

    def __init__(self, task_dirs: TaskDirs, runtime_dir: str) -> None:
        self._task_dirs = task_dirs
        self._runtime_dir = runtime_dir
        self._starter = Starter(runtime_dir, _MAIN)
        self._git = Looks()

    def _socket_path(self, task_id: str) -> str:
        return os.path.join(self._runtime_dir, f"{task_id}{suffix()}")

    def launch(self, task: Task, lock: Lock, env: Mapping[str, str], go: Callable[[], None] = right_away) -> Launched:
        """See Provisioner.launch."""
        env = attempt_env.environment(task, env)
        files = self._task_dirs.files(task.id)
        looking = self._git.begin(task.cwd)
        launched = self.start(files, self._socket_path(task.id), lock.fd, env, go)
        git = looking.result()
        if git is not None:
            with contextlib.suppress(OSError):  # the file is only needed if the database is rebuilt
                write_json(files.git, {"attempt": task.attempt, **git})
        return replace(launched, git=git)

    def start(
        self,
        files: TaskFiles,
        socket_path: str,
        lock: int,
        env: Mapping[str, str],
        go: Callable[[], None] = right_away,
    ) -> Launched:
        """Start the ptyhost of the task whose spec is in `files`; `lock` is the descriptor of its lock. For `go` see
        Provisioner.launch.
        """
        self.reap()
        request = {"version": 1, "directory": files.dir, "socket": socket_path, "env": dict(env)}
        try:
            rotate(files.log)
            # Errors of the ptyhost are written there.
            with open(files.log, "ab", opener=_private) as log:
                line = self._starter.start(request, (lock, log.fileno()), go, _PATIENCE)
        except TimeoutError as error:
            raise HostUnreachable(f"the ptyhost did not start within {_PATIENCE:.0f} s") from error
        except OSError as error:
            raise storage_fault(error, "the ptyhost could not be started") from error
        try:
            report = json.loads(line)
        except ValueError:
            report = None
        return read_report(report, last_line(files.log))

    # -- outcomes -----------------------------------------------------------------------------------------------------

    def machine(self, task: Task) -> str | None:
        """See Provisioner.machine."""
        host = self._task_dirs.host(task)
        return None if host is None or is_here(host) else str(host["hostname"])

    def poll(self, tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
        """See Provisioner.poll."""
        found = {task.id: self._find_news(task) for task in tasks}
        return {task_id: changes for task_id, changes in found.items() if changes is not None}

    def _find_news(self, task: Task) -> dict[str, Any] | None:
        # In this order: the record is written before the lock is released.
        hosted = self._task_dirs.is_hosted(task)
        ending = self._task_dirs.read_exit(task, hosted=hosted)
        if ending is not None:
            return ending
        if hosted and task.state is not State.STARTING:
            return None
        host = self._task_dirs.host(task)
        if hosted:
            known = ("pid", "host_pid", "started")
            return None if host is None else {"state": State.RUNNING, **{name: host[name] for name in known}}
        if host is not None and not is_here(host):
            return None
        if host is None and task.state not in STARTED and os.path.exists(self._task_dirs.files(task.id).environment):
            return {"state": State.QUEUED}  # it still waits for its turn
        if host is None and task.state not in STARTED:
            return {
                "state": State.FAILED,
                "state_reason": "start_interrupted",
                "state_message": "the server died while starting the task; nothing was run",
                "ended": time.time(),
            }
        reason, message = "host_vanished", "the ptyhost died; the command was sent SIGHUP"
        if host is not None and host.get("boot_id") != boot_id():
            reason, message = "reboot", "the machine rebooted"
        elif not self._task_dirs.exists(task.id):
            reason, message = "directory_removed", "the task's directory was removed, and its ptyhost does not respond"
        why = last_line(self._task_dirs.files(task.id).log)
        return {
            "state": State.LOST,
            "state_reason": reason,
            "state_message": f"{message} ({why})" if why else message,
            "ended": time.time(),
            "output": self._task_dirs.output(task.id),
        }

    # -- connections --------------------------------------------------------------------------------------------------

    async def connect(self, task: Task, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        """See Provisioner.connect."""
        import asyncio  # noqa: PLC0415  the scheduler does not need it

        host = await asyncio.to_thread(self._task_dirs.host, task)
        # If the directory is gone, a living ptyhost still answers at its usual socket.
        path = host["socket"] if host is not None else self._socket_path(task.id)
        await endpoint.connect(asyncio.get_running_loop(), protocol, path)

    def wake(self, task: Task) -> None:
        """Make a ptyhost create its socket again if it was removed, as cleaners of temporary directories do."""
        host = self._task_dirs.host(task)
        if host is None or os.path.exists(host["socket"]) or not is_here(host) or host.get("boot_id") != boot_id():
            return
        # A ptyhost that has just been started may have no socket yet, and the signal would kill it.
        is_settled = time.time() - host.get("started", 0.0) > _SETTLED
        if is_settled and is_running(host["host_pid"], host.get("host_start", 0)):
            with contextlib.suppress(OSError):  # it has just ended
                events.ask_for_renewal(host["host_pid"])

    def clean_up(self, active: Collection[str]) -> None:
        """See Provisioner.clean_up."""
        sockets.remove_dead(self._runtime_dir, active)

    def reap(self) -> None:
        """See Provisioner.reap."""
        self._starter.reap()


def suffix() -> str:
    """Return the suffix of the paths of ptyhosts' sockets; with PTYTASKS_TRANSPORT=tcp they use TCP."""
    return endpoint.ON_TCP if os.environ.get("PTYTASKS_TRANSPORT") == "tcp" else ".sock"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
