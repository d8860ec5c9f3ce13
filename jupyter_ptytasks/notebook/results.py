"""Waits for the result of a function."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..client import RequestFailed, StillRunning, is_live

if TYPE_CHECKING:
    from ..client import Client

#: Polling interval for an ended task that will be retried, in seconds.
_PAUSE = 0.2


def fetch(client: Client, ref: str, timeout: float | None) -> bytes | None:
    """Wait until the function of a task has ended for good, and return its outcome; None if there is none.

    Survives a restart of the server. Raises StillRunning after `timeout` seconds.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    ended = False
    while True:
        try:
            return client.retrying(client.result, ref)
        except RequestFailed as error:
            if error.code == "no_result":
                return None
            if error.code != "invalid_state":
                raise
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise still_running(client.get(ref)["name"], timeout)
        if ended:
            time.sleep(_PAUSE)
        ended = not is_live(client.wait(ref, left))


def still_waiting(name: str, timeout: float | None) -> StillRunning:
    """Return the error for a task if no condition was met in time."""
    message = f"task {name!r}: none of the conditions was met within {timeout:g} s"
    return StillRunning(message, hint="It keeps running in the background.")


def still_running(name: str, timeout: float | None) -> StillRunning:
    """Return the error for a task that has not ended in time."""
    message = f"task {name!r} has not ended within {timeout:g} s"
    return StillRunning(message, hint="It keeps running in the background.")
