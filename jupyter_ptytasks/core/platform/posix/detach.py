"""How a ptyhost leaves the process tree of the server that starts it, and what it takes along."""

from __future__ import annotations

import os
import signal
import sys

#: linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36


def detach() -> None:
    """Leave the server's process tree: it has no child to wait for, and neither its end nor its terminal's hang-up nor
    its group's signals reach this process, which was started in a session of its own.
    """
    # Until the ptyhost has its handlers: a server may assume that it is ready.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    if os.fork():
        os._exit(0)
    os.chdir("/")
    _adopt_orphans()


def _adopt_orphans() -> None:
    """Become a child subreaper (prctl(2), Linux): what the task leaves behind becomes a child of this process and stays
    in its tree. Without that a task runs all the same.
    """
    if not sys.platform.startswith("linux"):
        return
    arguments = (_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        # What ctypes is built on, for this one call: ctypes itself would cost every task a third of a MiB.
        import _ctypes  # noqa: PLC0415

        prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]
        _ctypes.call_cdeclfunction(prctl, arguments)
    except (ImportError, AttributeError, OSError):
        try:
            import ctypes  # noqa: PLC0415

            ctypes.CDLL(None).prctl(*arguments)
        except (ImportError, AttributeError, OSError):
            pass


def leave() -> None:
    """Leave the process tree of whoever has started this process, with `spawn`."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")


def spawn(argv: list[str], log: str) -> None:
    """Start a program that detaches itself, with nothing of this process's environment but what Python needs, and with
    `log` as its standard error. Raises OSError.
    """
    env = {name: value for name, value in os.environ.items() if name.startswith(("LD_", "DYLD_", "PYTHONHOME"))}
    opened = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0),
        (os.POSIX_SPAWN_DUP2, 0, 1),
        (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
    ]
    pid = os.posix_spawn(argv[0], argv, {"PATH": os.defpath, **env}, file_actions=opened)
    os.waitpid(pid, 0)  # it forks and exits at once


def keep_lock(argument: str) -> None:
    """Keep the lock that `launch.start` has handed on, and hand it on to no other process."""
    os.set_inheritable(int(argument), False)
