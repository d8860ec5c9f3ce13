"""The report of a ptyhost about its start, over its connection or, if it is a job, in a file."""

from __future__ import annotations

import os

from ..core.errors import FULL, InternalError, SpawnFailed, storage_fault
from ..core.files import read_json
from ..core.hostlog import last_line
from .base import Launched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..core.paths import TaskFiles


def read_report(report: object, log: str) -> Launched:
    """Return the running command, from the JSON of a ptyhost's report; `log` is the last line of its log. Raises what
    Provisioner.launch raises.
    """
    if not isinstance(report, dict) or not ("error" in report or "pid" in report):
        raise InternalError(f"the ptyhost failed to start{': ' if log else ''}{log}")
    failure: dict[str, Any] | None = report.get("error")
    if failure is not None:
        if failure.get("field"):
            raise SpawnFailed(failure["message"], field=failure["field"])
        if failure.get("errno") is None:
            raise InternalError(f"the ptyhost could not start: {failure['message']}")
        raise storage_fault(OSError(failure["errno"], failure["message"]), "the ptyhost could not start")
    return Launched(report["pid"], report["host_pid"], report["started"])


def why_not_started(files: TaskFiles, otherwise: str) -> tuple[str, str]:
    """Return why a job ended without running its command: a reason and a message, which is `otherwise` if unknown."""
    error = (read_json(files.start) or {}).get("error")
    if not isinstance(error, dict):
        return "job_failed", last_line(files.log) or otherwise
    said = str(error.get("message"))
    if error.get("errno") not in FULL:
        return "spawn_error", said
    where = os.path.dirname(files.dir)
    return "storage_full", f"no room in {where} ({said}): the command was not run; restart the task when there is room"
