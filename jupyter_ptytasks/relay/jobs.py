"""Calls of the near end about tasks whose ptyhosts are jobs of a batch system. This machine and the nodes share the
directories of these tasks.
"""

from __future__ import annotations

import getpass
import os
import sys

from ..core.elsewhere import take_lock
from ..core.files import read_json, write_json
from ..core.hostlog import last_line
from . import programs
from .calls import LEAVING, Refused, surroundings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .calls import Calls


class Jobs:
    """Answers calls, for the tasks of `calls`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def answer(self, name: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a call. Raises Refused, OSError, KeyError, TypeError or ValueError."""
        if name == "about":
            return self.about()
        if name == "prepare":
            return self.prepare(dict(said["spec"]), dict(said["env"]), dict(said["handle"]), int(said["end"]))
        if name == "give_up":
            return {"runs": not self.give_up(str(said["id"]), int(said["attempt"]), dict(said["handle"]))}
        if name == "peek":
            return {task_id: self.peek(task_id, known) for task_id, known in dict(said["tasks"]).items()}
        raise ValueError(f"no such call: {name}")

    def about(self) -> dict[str, Any]:
        """Return the interpreter, program and data directory for a relay on a node, and the user here."""
        return {
            "python": sys.executable,
            "program": programs.own(),
            "data_dir": os.path.dirname(self._calls.tasks),
            "user": getpass.getuser(),
        }

    def prepare(self, spec: dict[str, Any], env: dict[str, str], handle: dict[str, Any], end: int) -> dict[str, Any]:
        """Write the files that the job of a task reads; return its `directory`, and `about`."""
        files = self._calls.files(str(spec["id"]))
        lock = take_lock(files, LEAVING)
        if lock is None:
            raise Refused("a ptyhost of the task is still running")
        try:
            before = read_json(files.handle) or {}
            if before.get("nonce") == handle["nonce"] and before.get("given_up"):
                raise Refused("the start was given up")
            self._calls.prepare(files, spec, end)
            write_json(files.environment, {**surroundings(), "PWD": spec["cwd"], **env})
            write_json(files.handle, handle, durable=True)
        finally:
            os.close(lock)
        return {"directory": files.dir, **self.about()}

    def give_up(self, task_id: str, attempt: int, handle: dict[str, Any]) -> bool:
        """Mark in its handle that a job must not run, unless it runs or has run; return whether it will not run."""
        files = self._calls.files(task_id)
        lock = take_lock(files)
        if lock is None:
            return False
        try:
            if (read_json(files.host) or {}).get("attempt") == attempt:
                return False
            write_json(files.handle, handle, durable=True)
        finally:
            os.close(lock)
        return True

    def peek(self, task_id: str, known: int | None) -> dict[str, Any] | None:
        """Return the state of a task's directory: its host record, the attempt of its exit record, why its command was
        not started, and the last line of its log; None if its modification time (ns) is still `known`.
        """
        files = self._calls.files(task_id)
        try:
            changed = os.stat(files.dir).st_mtime_ns
        except FileNotFoundError:
            changed = 0
        if changed == known:
            return None
        return {
            "changed": changed,
            "host": read_json(files.host),
            "exited": (read_json(files.exit) or {}).get("attempt"),
            "start": read_json(files.start),
            "log": last_line(files.log),
        }
