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
from .types import Page, Piece, Status, Task, Text

__all__ = [
    "Client",
    "ClientError",
    "ConnectionLost",
    "Page",
    "Piece",
    "RequestFailed",
    "ServerNotFound",
    "Status",
    "StillRunning",
    "Task",
    "TaskFailed",
    "TaskNotFound",
    "Text",
    "Unauthorized",
    "exit_status",
    "is_live",
]
