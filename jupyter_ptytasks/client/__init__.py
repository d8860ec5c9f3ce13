"""The HTTP client of the server: `Client` for programs; the command line and the notebook API are built on it.

Names are imported on first use: loading the HTTP library takes longer than printing the help of a command.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .api import Client
    from .errors import (
        ClientError,
        ConnectionLost,
        ExtraMissing,
        NoMatch,
        NotFound,
        NotPicklable,
        RequestFailed,
        ResultLost,
        ServerNotFound,
        StillRunning,
        TaskFailed,
        TaskNotFound,
        Unauthorized,
    )
    from .outcome import exit_status, has_ended, is_live
    from .piece import Piece
    from .types import Page, Progress, Stats, Status, Task, Text, Usage, Why

__all__ = [
    "Client",
    "ClientError",
    "ConnectionLost",
    "ExtraMissing",
    "NoMatch",
    "NotFound",
    "NotPicklable",
    "Page",
    "Piece",
    "Progress",
    "RequestFailed",
    "ResultLost",
    "ServerNotFound",
    "Stats",
    "Status",
    "StillRunning",
    "Task",
    "TaskFailed",
    "TaskNotFound",
    "Text",
    "Unauthorized",
    "Usage",
    "Why",
    "exit_status",
    "has_ended",
    "is_live",
]

_HOMES = {
    "Client": "api",
    "Piece": "piece",
    "exit_status": "outcome",
    "has_ended": "outcome",
    "is_live": "outcome",
    **dict.fromkeys(("Page", "Progress", "Stats", "Status", "Task", "Text", "Usage", "Why"), "types"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_HOMES.get(name, 'errors')}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
