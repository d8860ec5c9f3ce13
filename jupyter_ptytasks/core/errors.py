"""Every error the project raises on purpose, as one tree.

* PtyTasksError
  * BadRequest ............ 400  what was asked makes no sense; `field` names the part that is wrong
    - SpawnFailed ......... 400  the command could not be started: not found, not executable, bad directory
    - TooLarge ............ 413  the request is larger than is taken
  * TaskNotFound .......... 404  no task has this id or name
  * Conflict .............. 409  right in itself, but not now
    - NameInUse ........... 409  a live task has the name, and the caller said `if_exists: fail`
    - InvalidState ........ 409  the task's state does not allow the verb
  * InputRefused .......... 409  the program does not read what is typed
  * TooManyTasks .......... 429  the limit of live tasks is reached
  * InternalError ......... 500  our own trouble
    - HostUnreachable ..... 503  the ptyhost does not answer (the task may well be running)
    - StoreUnavailable .... 503  the database is locked by another process, or was written by a newer version
    - OutOfResources ...... 503  the machine has no file descriptor, process or memory left for it just now
    - Disabled ............ 503  terminals, and with them tasks, are switched off on this server
    - StorageFull ......... 507  no room left for the database or a task's directory

`status` is the HTTP status that rest/ answers with; nothing below rest/ knows HTTP otherwise. `code` is for programs
and stays the same for ever, the message is for people and may change.
"""

from __future__ import annotations

import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


class PtyTasksError(Exception):
    """The root of the tree."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def to_json(self) -> dict[str, Any]:
        """Give the body of an error answer: `code`, `message` and, where one part is to blame, `field`."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.field is not None:
            body["field"] = self.field
        return body


class BadRequest(PtyTasksError):
    """What was asked makes no sense; `field` names the part that is wrong."""

    code = "bad_request"
    status = 400


class SpawnFailed(BadRequest):
    """The command could not be started; `field` is `command` or `cwd`."""

    code = "spawn_failed"


class TooLarge(BadRequest):
    """The request is larger than is taken."""

    code = "too_large"
    status = 413


class TaskNotFound(PtyTasksError):
    """No task has this id or name."""

    code = "task_not_found"
    status = 404


class Conflict(PtyTasksError):
    """Right in itself, but not now."""

    code = "conflict"
    status = 409


class NameInUse(Conflict):
    """A live task has the name already."""

    code = "name_in_use"


class InvalidState(Conflict):
    """The task's state does not allow what was asked."""

    code = "invalid_state"


class InputRefused(Conflict):
    """The program does not read what is typed, and its terminal's buffer is full."""

    code = "input_refused"


class TooManyTasks(PtyTasksError):
    """The limit of live tasks is reached."""

    code = "too_many_tasks"
    status = 429


class InternalError(PtyTasksError):
    """Our own trouble, not the caller's."""

    code = "internal_error"


class HostUnreachable(InternalError):
    """The ptyhost does not answer; the task may well be running."""

    code = "host_unreachable"
    status = 503


class StoreUnavailable(InternalError):
    """The tasks' database cannot be used now; `message` says who or what is in the way."""

    code = "store_unavailable"
    status = 503


class OutOfResources(InternalError):
    """The machine has no file descriptor, process or memory left for it just now."""

    code = "out_of_resources"
    status = 503


class Disabled(InternalError):
    """Terminals, and with them tasks, are switched off on this server."""

    code = "disabled"
    status = 503


class StorageFull(InternalError):
    """No room is left for the database or for a task's directory."""

    code = "storage_full"
    status = 507


#: What a write fails with where there is no room.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: Descriptors of the process and of the machine, memory, processes, room in the network's queues.
_SCARCE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOBUFS)


def storage_fault(error: OSError, what: str) -> InternalError:
    """Return the error for a file of `what` that could not be written or made."""
    kind = StorageFull if error.errno in FULL else OutOfResources if error.errno in _SCARCE else InternalError
    return kind(f"{what}: {error}")


def shortage(error: BaseException) -> OutOfResources | None:
    """Return the error for an exception by which Python says that the machine has nothing left to give; None for any
    other.
    """
    is_scarce = isinstance(error, OSError) and error.errno in _SCARCE
    # What threading raises where no thread can be started.
    is_threadless = isinstance(error, RuntimeError) and "can't start new thread" in str(error)
    if is_scarce or is_threadless or isinstance(error, MemoryError):
        return OutOfResources(f"the server has not enough resources just now: {str(error) or type(error).__name__}")
    return None
