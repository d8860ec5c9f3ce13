"""What a ptyhost reports of its start."""

from __future__ import annotations

from ..core.errors import InternalError, SpawnFailed, storage_fault
from .base import Launched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def read_report(report: object, log: str) -> Launched:
    """Return what a ptyhost has started, from the JSON of its report; `log` is the last line of its log. Raises what
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
