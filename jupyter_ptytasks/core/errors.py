"""The errors that the server raises, as one tree.

* PtyTasksError
  * BadRequest ............ 400  the request is not valid; `field` names the part at fault
    - SpawnFailed ......... 400  the command could not be started: not found, not executable, bad directory
    - TooLarge ............ 413  the request is too large
  * TaskNotFound .......... 404  no task has this id or name
  * GroupNotFound ......... 404  no group has this name
  * SweepNotFound ......... 404  no sweep has this id or name
  * PlaceNotFound ......... 404  no place has this name
  * NoResult .............. 404  the task does not run a function, or it ended without a result
  * Conflict .............. 409  the request is valid but conflicts with the task's current state
    - NameInUse ........... 409  a live task has the name, and the request has `if_exists: fail`
    - InvalidState ........ 409  the task's state does not allow the request
    - InputRefused ........ 409  the program does not read its input
    - NotWaiting .......... 409  the program is not waiting for input, which the request requires
    - PasswordWanted ...... 409  the program asks for a password, and the input is not marked as one
    - NoMarks ............. 409  the task is not a shell, or its shell does not mark its commands
    - NotAtPrompt ......... 409  the shell is not waiting for a command at its prompt
    - NotesChanged ........ 412  the notes of the task have changed since the request read them
  * TooManyTasks .......... 429  the limit of live tasks is reached
  * ExtraMissing .......... 501  an optional package is not installed
  * InternalError ......... 500  an unexpected error in the server
    - HostUnreachable ..... 503  the ptyhost does not respond (the task may still be running)
      + StartUnknown ...... 503  the connection was lost during a start (the task may be running)
    - PlaceUnreachable .... 503  the other machine cannot be reached; nothing was started
    - StoreUnavailable .... 503  the database is locked by another process, or was written by a newer version
    - OutOfResources ...... 503  the machine has run out of file descriptors, processes or memory
    - Disabled ............ 503  terminals, and with them tasks, are disabled on this server
    - StorageFull ......... 507  the disk is full

`status` is the HTTP status with which rest/ responds; nothing else below rest/ knows HTTP. `code` is for programs and
never changes; messages are for people and may change.
"""

from __future__ import annotations

import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


class PtyTasksError(Exception):
    """Base class."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def to_json(self) -> dict[str, Any]:
        """Return the body of an error response: `code`, `message` and, if one part is at fault, `field`."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.field is not None:
            body["field"] = self.field
        return body


class BadRequest(PtyTasksError):
    """The request is not valid; `field` names the part at fault."""

    code = "bad_request"
    status = 400


class SpawnFailed(BadRequest):
    """The command could not be started; `field` is `command` or `cwd`."""

    code = "spawn_failed"


class TooLarge(BadRequest):
    """The request is too large."""

    code = "too_large"
    status = 413


class TaskNotFound(PtyTasksError):
    """No task has this id or name."""

    code = "task_not_found"
    status = 404


class GroupNotFound(PtyTasksError):
    """No group has this name."""

    code = "group_not_found"
    status = 404


class SweepNotFound(PtyTasksError):
    """No sweep has this id or name."""

    code = "sweep_not_found"
    status = 404


class PlaceNotFound(PtyTasksError):
    """No place has this name."""

    code = "place_not_found"
    status = 404


class NoResult(PtyTasksError):
    """The task does not run a function, or the function has neither returned nor raised an exception."""

    code = "no_result"
    status = 404


class Conflict(PtyTasksError):
    """The request is valid but conflicts with the task's current state."""

    code = "conflict"
    status = 409


class NameInUse(Conflict):
    """A live task already has the name."""

    code = "name_in_use"


class InvalidState(Conflict):
    """The task's state does not allow the request."""

    code = "invalid_state"


class InputRefused(Conflict):
    """The program does not read its input, and the terminal's buffer is full."""

    code = "input_refused"


class NotWaiting(Conflict):
    """The program is not waiting for input."""

    code = "not_waiting"


class PasswordWanted(Conflict):
    """The program asks for a password, and the input is not marked as one."""

    code = "password_wanted"


class NoMarks(Conflict):
    """The task is not a shell, or its shell does not mark its prompts and commands."""

    code = "no_marks"


class NotAtPrompt(Conflict):
    """The shell is not waiting for a command at its prompt."""

    code = "not_at_prompt"


class NotesChanged(Conflict):
    """The notes of the task have changed since the request read them."""

    code = "notes_changed"
    status = 412


class TooManyTasks(PtyTasksError):
    """The limit of live tasks is reached."""

    code = "too_many_tasks"
    status = 429


class ExtraMissing(PtyTasksError):
    """An optional package is not installed; `message` says which."""

    code = "extra_missing"
    status = 501


class InternalError(PtyTasksError):
    """An error in the server, not in the request."""

    code = "internal_error"


class HostUnreachable(InternalError):
    """The ptyhost does not respond; the task may still be running."""

    code = "host_unreachable"
    status = 503


class StartUnknown(HostUnreachable):
    """The connection was lost during a start; the task may be running."""


class PlaceUnreachable(InternalError):
    """The machine where the task should start cannot be reached; nothing was started. `message` says why."""

    code = "place_unreachable"
    status = 503


class StoreUnavailable(InternalError):
    """The task database cannot be used now; `message` says why."""

    code = "store_unavailable"
    status = 503


class OutOfResources(InternalError):
    """The machine has run out of file descriptors, processes or memory."""

    code = "out_of_resources"
    status = 503


class Disabled(InternalError):
    """Terminals, and with them tasks, are disabled on this server."""

    code = "disabled"
    status = 503


class StorageFull(InternalError):
    """The disk is full."""

    code = "storage_full"
    status = 507


#: errno values of a write that fails for lack of space.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: errno values for a lack of file descriptors, memory, processes or network buffers.
_SCARCE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOBUFS)


def storage_fault(error: OSError, what: str) -> InternalError:
    """Return the error for a failed write; `what` names the file."""
    kind = StorageFull if error.errno in FULL else OutOfResources if error.errno in _SCARCE else InternalError
    return kind(f"{what}: {error}")


def shortage(error: BaseException) -> OutOfResources | None:
    """Return the error for an exception that means a lack of resources; None for any other."""
    is_scarce = isinstance(error, OSError) and error.errno in _SCARCE
    # threading raises this if no thread can be started.
    is_threadless = isinstance(error, RuntimeError) and "can't start new thread" in str(error)
    if is_scarce or is_threadless or isinstance(error, MemoryError):
        return OutOfResources(f"the server is out of resources: {str(error) or type(error).__name__}")
    return None
