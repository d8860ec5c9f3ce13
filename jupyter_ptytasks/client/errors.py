"""Every error that a client raises on purpose, as one tree.

* ClientError ............. its `hint` tells what to do about it, if anything is to be done
  * ServerNotFound ........ no server runs, none that was found can be reached, or it runs without jupyter_ptytasks
  * Unauthorized .......... the server does not take our token, or its user may not do this
  * ConnectionLost ........ the server went away, or said nothing for too long: it may have done what was asked, or not
  * RequestFailed ......... the server said no: `code` for programs, `field` where one is to blame, the HTTP `status`
    - TaskNotFound ........ no task has this id or name
  * TaskFailed ............ a task that was to succeed has ended otherwise
  * StillRunning .......... a task has not ended within the time that one would wait; a TimeoutError, too
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .types import Task


class ClientError(Exception):
    """The root of the tree; each kind has a `code` for programs. As text it is `message` and `hint`, a line each."""

    code = "client_error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}".rstrip()

    def to_json(self) -> dict[str, Any]:
        """Give it as the server tells of its own."""
        return {"code": self.code, "message": self.message}


class ServerNotFound(ClientError):
    """No server runs, none that was found can be reached, or it runs without jupyter_ptytasks."""

    code = "server_not_found"


class Unauthorized(ClientError):
    """The server does not take our token, or its user may not do this."""

    code = "unauthorized"


class ConnectionLost(ClientError):
    """The server went away, or said nothing for too long: it may have done what was asked, or not."""

    code = "connection_lost"


class RequestFailed(ClientError):
    """The server said no: `code` for programs, `field` where one is to blame, the HTTP `status`."""

    def __init__(self, message: str, *, code: str, status: int, field: str | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.status = status
        self.field = field

    def to_json(self) -> dict[str, Any]:
        """Give what the server said."""
        said = super().to_json()
        return said if self.field is None else {**said, "field": self.field}


class TaskNotFound(RequestFailed):
    """No task has this id or name."""


class TaskFailed(ClientError):
    """A task that was to succeed has ended otherwise: `task` as it ended, its `status` as a shell has it, and its
    last lines, `tail`.
    """

    code = "task_failed"

    def __init__(self, message: str, *, task: Task, status: int, tail: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.task = task
        self.status = status
        self.tail = tail

    def __str__(self) -> str:
        return "\n".join(filter(None, (self.message, self.tail, self.hint)))


class StillRunning(ClientError, TimeoutError):
    """A task has not ended within the time that one would wait; it goes on."""

    code = "still_running"
