"""Concurrent calls that wait for other processes, each in its own thread."""

from __future__ import annotations

import _thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    Result = TypeVar("Result")


def at_once(function: Callable[..., Result], calls: Sequence[tuple[object, ...]]) -> list[Result]:
    """Return the results of calls with these arguments, in order, when all have ended. Raises what one has raised."""
    results: dict[int, Result] = {}
    errors: list[BaseException] = []

    def call(number: int, done: _thread.LockType) -> None:
        try:
            results[number] = function(*calls[number])
        except BaseException as error:  # noqa: BLE001  it is raised in the thread that waits for it
            errors.append(error)
        finally:
            done.release()

    # Not `threading`, which takes as much memory as a thousand tasks.
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
    """Call a function in a new thread; return False if no more threads can be started."""
    try:
        _thread.start_new_thread(function, args)
    except RuntimeError:
        return False
    return True
