"""Running work at a lower priority, and returning to the normal one afterward.

Linux only. A process may lower its priority, but not raise it again. On Linux each thread has its own priority, so the
work is done in a thread that ends with it. If sessions are scheduled as groups (sched(7), "autogroup"), the priority of
the session counts instead.
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

#: How much lower it is: if others want all CPU time, this gets a third of the share of an equal process.
_STEPS = 5
_LOWEST = 19
_SESSION = "/proc/self/autogroup"


def work_aside(work: Callable[[], None]) -> None:
    """Run `work` at a lower priority, and return when it is done; signals are still handled meanwhile.

    Must be called in the main thread. Raises what `work` raises.
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
        work()  # no more threads can be started
        return
    done.acquire()
    if failed:
        raise failed[0]


def _lower_this_thread() -> None:
    """Lower the priority of this thread, and leave signals to the main thread, where Python handles them."""
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    try:
        here = _thread.get_native_id()
        now = os.getpriority(os.PRIO_PROCESS, here)
        os.setpriority(os.PRIO_PROCESS, here, min(now + _STEPS, _LOWEST))
    except OSError:
        pass  # then it keeps the normal priority


def lower_process() -> None:
    """Give this process, which leads its own session, the lowest priority permanently."""
    os.nice(_LOWEST)
    if sys.platform == "linux":
        _set_session(_LOWEST)


def lower_session(*, on: bool) -> bool:
    """Lower the priority of this process's session, if this process leads it, or reset it; return False if it must be
    tried again later, since the kernel limits the rate of changes.
    """
    if sys.platform != "linux" or _is_led_by_another():
        return True
    return _set_session(_STEPS if on else 0)


def _set_session(steps: int) -> bool:
    try:
        file = os.open(_SESSION, os.O_WRONLY)
    except OSError:
        return True  # this kernel does not have autogroups
    try:
        os.write(file, b"%d" % steps)
    except OSError as error:
        return error.errno != errno.EAGAIN
    finally:
        os.close(file)
    return True


def _is_led_by_another() -> bool:
    """Return whether another process leads this session: False if this one has its own (detach)."""
    leader = os.getsid(0)
    try:
        os.kill(leader, 0)
    except ProcessLookupError:
        return False  # the id is not reused while the session exists
    except PermissionError:
        return True
    return leader != os.getpid()
