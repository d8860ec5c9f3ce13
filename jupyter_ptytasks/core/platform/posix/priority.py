"""Giving way: work at a lower priority than that of other processes, and at the usual one afterwards.

On Linux alone. There each thread has a priority of its own, so that work is done in one that ends with it: a process
may lower its priority, but not raise it again. Where sessions are scheduled as groups (sched(7), "autogroup"), it is
the priority of the session that counts.
"""

from __future__ import annotations

import _thread
import errno
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: How much lower it is: while others want all that there is, so it gets a third of what an equal would.
_STEPS = 5
_LOWEST = 19
_SESSION = "/proc/self/autogroup"


def work_aside(work: Callable[[], None]) -> None:
    """Run `work` at a lower priority, and return when it is done; signals are handled in the meantime, as before.

    To be called in the main thread. Raises what `work` raises.
    """
    if sys.platform != "linux":
        work()
        return
    done = _thread.allocate_lock()
    done.acquire()
    failed: list[BaseException] = []

    def aside() -> None:
        try:
            _lower_this_thread()
            work()
        except BaseException as error:  # noqa: BLE001  it is raised in the main thread
            failed.append(error)
        finally:
            done.release()

    try:
        _thread.start_new_thread(aside, ())
    except RuntimeError:
        work()  # there are too many threads
        return
    done.acquire()
    if failed:
        raise failed[0]


def _lower_this_thread() -> None:
    """Give this thread its priority, and leave signals to the main thread: Python handles them there."""
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    try:
        here = _thread.get_native_id()
        now = os.getpriority(os.PRIO_PROCESS, here)
        os.setpriority(os.PRIO_PROCESS, here, min(now + _STEPS, _LOWEST))
    except OSError:
        pass  # then it is an equal


def lower_process() -> None:
    """Give this process, which leads a session of its own, the lowest priority for good."""
    os.nice(_LOWEST)
    if sys.platform == "linux":
        _set_session(_LOWEST)


def lower_session(*, on: bool) -> bool:
    """Lower the priority of this process's session, if it has that to itself, or set it back; return False if the
    kernel wants to be asked again later: it changes few of them in a second.
    """
    if sys.platform != "linux" or _is_led_by_another():
        return True
    return _set_session(_STEPS if on else 0)


def _set_session(steps: int) -> bool:
    try:
        file = os.open(_SESSION, os.O_WRONLY)
    except OSError:
        return True  # this kernel has none
    try:
        os.write(file, b"%d" % steps)
    except OSError as error:
        return error.errno != errno.EAGAIN
    finally:
        os.close(file)
    return True


def _is_led_by_another() -> bool:
    """Return whether another process leads this one's session: not where it has left that of its starter (detach)."""
    leader = os.getsid(0)
    try:
        os.kill(leader, 0)
    except ProcessLookupError:
        return False  # its number is not given to another one as long as there is the session
    except PermissionError:
        return True
    return leader != os.getpid()
