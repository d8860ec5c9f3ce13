"""The calls of the near end: start a task here, poll one, remove one.

Starting and polling hold the task's lock, so that they agree: a start that was found not to have happened is abandoned,
and does not happen later, however long its request takes to arrive. A new start for the same attempt says how many
were abandoned before.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile

from ..core.elsewhere import take_lock
from ..core.files import encode, read_json, remove_tree, write_json
from ..core.hostlog import last_line
from ..core.machine import boot_id, hostname
from ..core.paths import TaskFiles
from ..core.platform import files as system
from ..core.ring.format import list_bases, log_path
from . import programs
from .commands import Answering

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: Seconds to wait for the ptyhost of the last attempt to exit.
LEAVING = 1.0
#: Variables of this process that a task must not have: they belong to the connection.
_STRIPPED = ("SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "SSH_ORIGINAL_COMMAND", "PWD", "OLDPWD")
_ABANDONED = "abandoned.json"


class Refused(Exception):
    """A task cannot be started; `report` has the form of a ptyhost's report, plus `more`."""

    def __init__(self, message: str, field: str | None = None, number: int | None = None, **more: Any) -> None:
        super().__init__(message)
        self.report = {"error": {"field": field, "message": message, "errno": number}, **more}


class Calls:
    """Answers calls. `data_dir` holds the directories of tasks, `runtime_dir` their sockets."""

    def __init__(self, data_dir: str, runtime_dir: str) -> None:
        self.tasks = os.path.join(data_dir, "tasks")
        self._runtime_dir = runtime_dir

    def files(self, task_id: str) -> TaskFiles:
        """Return the paths of a task. Raises ValueError for an invalid id."""
        if not (8 <= len(task_id) <= 16 and task_id.isascii() and task_id.isalnum()):
            raise ValueError(f"not the id of a task: {task_id!r}")
        return TaskFiles(os.path.join(self.tasks, task_id))

    def socket_path(self, task_id: str) -> str:
        """Return where the ptyhost of a task listens."""
        return os.path.join(self._runtime_dir, f"{task_id}.sock")

    def answer(self, name: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to `look` or `remove`. Raises OSError, KeyError, TypeError or ValueError."""
        if name == "look":
            return self.look(str(said["id"]), int(said["attempt"]), abandon=said.get("abandon") is True)
        if name == "remove":
            return {"removed": self.remove(str(said["id"]))}
        raise ValueError(f"no such call: {name}")

    def look(self, task_id: str, attempt: int, *, abandon: bool) -> dict[str, Any]:
        """Return whether a ptyhost of a task runs, and the records of an attempt. With `abandon`, an attempt that has
        not started is prevented from starting.
        """
        files = self.files(task_id)
        lock = take_lock(files) if os.path.isdir(files.dir) or abandon else -1
        try:
            host, exited = (_of(read_json(path), attempt) for path in (files.host, files.exit))
            if abandon and lock is not None and host is None and exited is None:
                last, count = _given_up(files)
                count = count + 1 if last == attempt else 1
                write_json(os.path.join(files.dir, _ABANDONED), {"attempt": attempt, "count": count})
        finally:
            if lock is not None and lock >= 0:
                os.close(lock)
        return {
            "exists": os.path.isdir(files.dir),
            "hosted": lock is None,
            "host": host,
            "exited": exited is not None,
            "boot_id": boot_id(),
            "hostname": hostname(),
            "log": last_line(files.log),
        }

    def remove(self, task_id: str) -> bool:
        """Remove the directory of a task, unless its ptyhost runs; return whether the directory no longer exists."""
        files = self.files(task_id)
        if os.path.isdir(files.dir):
            lock = take_lock(files)
            if lock is None:
                return False
            try:
                remove_tree(files.dir)
            finally:
                os.close(lock)
        return not os.path.exists(files.dir)

    # -- starting -----------------------------------------------------------------------------------------------------

    def start(self, said: Mapping[str, Any]) -> Answering:
        """Start the ptyhost of a task; the answer is its report, its host record and the last line of its log. Raises
        Refused, OSError, KeyError, TypeError or ValueError; then nothing runs.
        """
        spec = dict(said["spec"])
        files = self.files(spec["id"])
        lock = take_lock(files, LEAVING)
        if lock is None:
            is_this = _of(read_json(files.host), spec["attempt"]) is not None
            raise Refused("a ptyhost of the task is still running", was_started=is_this)
        try:
            last, count = _given_up(files)
            if last > spec["attempt"]:
                raise Refused("the start was given up")
            if last == spec["attempt"] and count != said.get("given_up"):
                raise Refused("the start was given up", given_up=count)
            self.prepare(files, spec, int(said["end"]))
            env = {**surroundings(), "PWD": spec["cwd"], **dict(said["env"])}
            with tempfile.TemporaryFile(dir=files.dir) as request:
                request.write(encode(env))
                request.seek(0)
                with open(files.log, "wb", opener=_private) as log:
                    process = subprocess.Popen(
                        programs.command("ptyhost", files.dir, self.socket_path(spec["id"]), str(lock)),
                        stdin=request,
                        stdout=subprocess.PIPE,
                        stderr=log,
                        pass_fds=[lock],
                        start_new_session=True,
                        env={name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ},
                    )
        finally:
            os.close(lock)
        # This process forks the ptyhost, and exits after the report.
        return Answering(process, lambda report, _: self._reported(files, report))

    def _reported(self, files: TaskFiles, report: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(report)
        except ValueError:
            answer = {}
        more = {"host": read_json(files.host), "log": last_line(files.log)}
        return {**(answer if isinstance(answer, dict) else {}), **more}

    def prepare(self, files: TaskFiles, spec: dict[str, Any], end: int) -> None:
        """Adapt the spec to this machine, and write it. The caller holds the task's lock; the near end's copy of the
        output ends at `end`. Raises Refused.
        """
        if _of(read_json(files.host), spec["attempt"]) is not None:
            raise Refused("this attempt was started before", was_started=True)
        home = os.path.expanduser("~")
        cwd = os.path.normpath(os.path.join(home, os.path.expanduser(spec["cwd"])))
        if not os.path.isdir(cwd):
            raise Refused(f"no such directory on {hostname()}: {cwd}", field="cwd")
        spec["cwd"] = cwd
        spec["argv"] = _arguments(spec)
        if end and not list_bases(files.output):
            # The output continues where its only remaining copy ends.
            system.private_dir(files.output)
            os.close(os.open(log_path(files.output, end), os.O_WRONLY | os.O_CREAT | system.BINARY, 0o600))
        spec["program"] = os.path.basename(programs.own())
        spec["given_env"] = {}  # passed to the ptyhost directly, because it may contain secrets
        write_json(files.spec, spec)


def _given_up(files: TaskFiles) -> tuple[int, int]:
    """Return the last attempt with abandoned starts, 0 if there is none, and the number of those starts."""
    found = read_json(os.path.join(files.dir, _ABANDONED)) or {}
    return int(found.get("attempt", 0)), int(found.get("count", 1))


def _of(record: dict[str, Any] | None, attempt: int) -> dict[str, Any] | None:
    return record if record is not None and record.get("attempt") == attempt else None


def _arguments(spec: Mapping[str, Any]) -> list[str]:
    """Return the arguments to execute, with the user's shell on this machine."""
    shell = os.environ.get("SHELL") or "/bin/sh"
    if spec["kind"] == "shell":
        return [shell, "-l"]
    if isinstance(spec["command"], str):
        return [shell, "-c", spec["command"]]
    return list(spec["command"])


def surroundings() -> dict[str, str]:
    """Return the environment of a login here, without variables of this connection."""
    return {name: value for name, value in os.environ.items() if name not in _STRIPPED}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def data_dir() -> str:
    """Return the data directory of tasks on this machine."""
    base = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return os.path.join(base, "ptytasks")
