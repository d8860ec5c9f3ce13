"""Calls that wait for other processes, all at once: each in a thread of its own, for as long as they take."""

from __future__ import annotations

import _thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    Result = TypeVar("Result")


def at_once(function: Callable[..., Result], calls: Sequence[tuple[object, ...]]) -> list[Result]:
    """Return the results of calls with these arguments, in their order, when all have ended. Raises what one of them
    has raised.
    """
    results: dict[int, Result] = {}
    errors: list[BaseException] = []

    def call(number: int, done: _thread.LockType) -> None:
        try:
            results[number] = function(*calls[number])
        except BaseException as error:  # noqa: BLE001  it is raised in the thread that waits for it
            errors.append(error)
        finally:
            done.release()

    # What `threading` is built on: that would take the memory of a thousand tasks.
    waiting = []
    for number in reversed(range(len(calls))):
        done = _thread.allocate_lock()
        done.acquire()
        waiting.append(done)
        if number == 0 or not _start(call, number, done):
            call(number, done)
    for done in waiting:
        done.acquire()
    if errors:
        raise errors[0]
    return [results[number] for number in range(len(calls))]


def _start(function: Callable[..., object], *args: object) -> bool:
    """Call a function in a new thread; False if the system has none left."""
    try:
        _thread.start_new_thread(function, args)
    except RuntimeError:
        return False
    return True
