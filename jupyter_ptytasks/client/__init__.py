"""What speaks to the server from outside: `Client` for programs; the command line and notebooks stand on it."""

from __future__ import annotations

from .api import Client
from .errors import (
    ClientError,
    ConnectionLost,
    RequestFailed,
    ServerNotFound,
    StillRunning,
    TaskFailed,
    TaskNotFound,
    Unauthorized,
)
from .outcome import exit_status, is_live
from .types import Page, Piece, Progress, Stats, Status, Task, Text, Usage

__all__ = [
    "Client",
    "ClientError",
    "ConnectionLost",
    "Page",
    "Piece",
    "Progress",
    "RequestFailed",
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
    "exit_status",
    "is_live",
]
