"""The errors that the client raises, as one tree.

* ClientError ............. base class; `hint` says what to do about it, if anything
  * ServerNotFound ........ no server is running, none can be reached, or it has no jupyter_ptytasks
  * Unauthorized .......... the server rejects the token, or the user lacks permission
  * ConnectionLost ........ the connection broke or timed out; the request may or may not have been carried out
  * RequestFailed ......... the server returned an error, with its `code`, `field` and `http_status`
    - NotFound ............ no group, sweep or place has this id or name; `code` says which
      + TaskNotFound ...... no task has this id or name
  * TaskFailed ............ a task was expected to succeed, but did not
  * ResultLost ............ a function ended without a result, or with one that cannot be read
  * NotPicklable .......... a function or an argument cannot be sent to a task; also a TypeError
  * ExtraMissing .......... an optional package is not installed; also an ImportError
  * StillRunning .......... a task has not ended within the timeout; also a TimeoutError
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .types import Task


class ClientError(Exception):
    """Base class. `code` identifies the error for programs; `str()` is `message` and `hint` on separate lines."""

    code = "client_error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}".rstrip()

    def to_json(self) -> dict[str, Any]:
        """Return the error in the format of the REST API."""
        return {"code": self.code, "message": self.message}


class ServerNotFound(ClientError):
    """No server is running, none can be reached, or it has no jupyter_ptytasks."""

    code = "server_not_found"


class Unauthorized(ClientError):
    """The server rejects the token, or the user lacks permission."""

    code = "unauthorized"


class ConnectionLost(ClientError):
    """The connection broke or timed out; the request may or may not have been carried out."""

    code = "connection_lost"


class RequestFailed(ClientError):
    """The server returned an error: its `code`, the `field` at fault or None, and the `http_status`."""

    def __init__(self, message: str, *, code: str, http_status: int, field: str | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.http_status = http_status
        self.field = field

    def to_json(self) -> dict[str, Any]:
        """Return the error in the format of the REST API."""
        body = super().to_json()
        return body if self.field is None else {**body, "field": self.field}


class NotFound(RequestFailed):
    """Nothing has this id or name: `code` is task_not_found, group_not_found, sweep_not_found or place_not_found."""


class TaskNotFound(NotFound):
    """No task has this id or name."""


class TaskFailed(ClientError):
    """A task was expected to succeed, but did not: the `task`, its `exit_status` and its last lines, `tail`."""

    code = "task_failed"

    def __init__(self, message: str, *, task: Task, exit_status: int, tail: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.task = task
        self.exit_status = exit_status
        self.tail = tail

    def __str__(self) -> str:
        return "\n".join(filter(None, (self.message, self.tail, self.hint)))


class ResultLost(ClientError):
    """A function ended without a result, or with one that cannot be read."""

    code = "result_lost"


class NotPicklable(ClientError, TypeError):
    """A function or an argument cannot be sent to a task, because it, or a part of it, cannot be pickled."""

    code = "not_picklable"


class ExtraMissing(ClientError, ImportError):
    """An optional package is not installed."""

    code = "extra_missing"


class NoMatch(ClientError):
    """A task has ended without a line that was expected."""

    code = "no_match"


class StillRunning(ClientError, TimeoutError):
    """A task has not ended within the timeout; it keeps running."""

    code = "still_running"
