"""The outcome of a call, its value or its exception: packed in the task, and unpacked where it is requested."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from ..client import outcome
from ..client.errors import ExtraMissing, ResultLost, TaskFailed
from ..core.paths import RESULT_MAX
from . import culprits, file, pickling

if TYPE_CHECKING:
    from ..client.types import Task

#: Bytes of a result that are reserved for the traceback, and the most characters of the traceback.
_HEAD_MAX = 1 << 20
_TEXT_MAX = 64 << 10
_PICKLE_MAX = RESULT_MAX - _HEAD_MAX
_SAVE_IT = "Save what is large to a file, and return its path."


class RemoteTraceback(Exception):
    """The cause of an exception that was raised in a task: its traceback there, as text."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


def returned(name: str, value: object) -> bytes:
    """Return the outcome of a function called `name` that returned `value`.

    Raises ResultLost if the value cannot be pickled, or takes more than RESULT_MAX bytes; the message names the part.
    """
    try:
        return file.encode({"outcome": "returned"}, pickling.dump(value, _PICKLE_MAX))
    except Exception as error:
        path, why = culprits.find("result", value, error, _failure)
        subject = f"the result of {name}" if path == ["result"] else f"`{path[0]}` of {name}"
        if isinstance(why, pickling.Oversize):
            what = f"takes more than {_PICKLE_MAX} bytes when it is pickled"
            raise ResultLost(culprits.sentence([subject, *path[1:]], what), hint=_SAVE_IT) from error
        raise ResultLost(culprits.sentence([subject, *path[1:]], f"cannot be pickled: {why}")) from error


def raised(error: Exception) -> bytes:
    """Return the outcome of a function that raised `error`, whose traceback begins in that function."""
    text = _bounded("".join(traceback.format_exception(error)))
    about = {"outcome": "raised", "traceback": text}
    try:
        return file.encode(about, pickling.dump(error, _PICKLE_MAX))
    except Exception:  # noqa: BLE001  any class may define how it is pickled
        return file.encode(about, pickling.Pickled(b""))


def lost(error: ResultLost) -> bytes:
    """Return the outcome of a call whose value is lost, for the reason given by `error`."""
    return file.encode({"outcome": "lost", "message": error.message, "hint": error.hint}, pickling.Pickled(b""))


def result(data: bytes, task: Task) -> Any:
    """Return the value of a call that ended with an outcome in `task`, or raise its exception, caused by its traceback.

    An exception that cannot be pickled becomes a TaskFailed with its traceback. Raises ResultLost if the value is lost
    or cannot be read here, and ExtraMissing.
    """
    try:
        head, pickled = file.decode(data)
    except file.Unreadable as error:
        raise _unreadable(task, error) from error
    if head["outcome"] == "lost":
        raise ResultLost(head["message"], hint=head["hint"])
    if head["outcome"] == "raised":
        raise _exception(pickled, head["traceback"], task) from RemoteTraceback(head["traceback"])
    try:
        return pickling.load(pickled)
    except ExtraMissing:
        raise
    except Exception as error:
        raise _unreadable(task, f"{type(error).__name__}: {error}") from error


def _exception(pickled: bytes, text: str, task: Task) -> Exception:
    try:
        error = pickling.load(pickled)
        if isinstance(error, Exception):
            return error
    except Exception:  # noqa: BLE001, S110  many exceptions can be pickled, but not be unpickled
        pass
    last = text.rstrip().rpartition("\n")[2]
    status = outcome.exit_status(task)
    return TaskFailed(f"task {task['name']!r} raised an exception: {last}", task=task, exit_status=status, tail=text)


def _unreadable(task: Task, why: object) -> ResultLost:
    return ResultLost(f"the result of task {task['name']!r} cannot be read here: {why}")


def _failure(part: object) -> Exception | None:
    return pickling.failure(part, _PICKLE_MAX)


def _bounded(text: str) -> str:
    half = _TEXT_MAX // 2
    return text if len(text) <= _TEXT_MAX else f"{text[:half]}\n…\n{text[-half:]}"
