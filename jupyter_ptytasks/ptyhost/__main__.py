"""Start a ptyhost: `python -I -S __main__.py TASK_DIR SOCKET LOCK_FD`.

It detaches, starts the command that TASK_DIR/spec.json tells, with the environment that it reads from its standard
input (JSON), and says on its standard output in one line of JSON how that went: `{"ready": true, "host_pid", "pid",
"started"}` or `{"error": {"field", "message"}}`. Its standard error is host.log. LOCK_FD is the task's lock file,
locked by the server that starts us: we inherit it, so that at no moment nobody holds it.
"""

from __future__ import annotations

import os
import signal
import sys

#: linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36


def _detach() -> None:
    """Leave the server's process tree: who started us (in a session of our own) has nobody to wait for, and neither
    its end nor its terminal's hang-up nor its group's signals reach us.
    """
    if os.fork():
        os._exit(0)
    os.chdir("/")


def _adopt_orphans() -> None:
    """Become a child subreaper (prctl(2), Linux): what the task leaves behind becomes our child and stays in the tree.
    Without that a task runs all the same.
    """
    if not sys.platform.startswith("linux"):
        return
    arguments = (_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        # What ctypes is made of, for this one call: ctypes itself would cost every task a third of a MiB.
        import _ctypes  # noqa: PLC0415

        prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]
        _ctypes.call_cdeclfunction(prctl, arguments)
    except (ImportError, AttributeError, OSError):
        try:
            import ctypes  # noqa: PLC0415

            ctypes.CDLL(None).prctl(*arguments)
        except (ImportError, AttributeError, OSError):
            pass


if __name__ == "__main__":
    # Until the host has its handlers: a server may think that we are ready already.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    # First of all: what is imported later belongs to the process that stays.
    _detach()
    _adopt_orphans()
    # Started by path, isolated from site-packages: the package is where this file is, and not what is beside it.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path = [path for path in sys.path if os.path.abspath(path) != here]
    sys.path.append(os.path.dirname(os.path.dirname(here)))
    from jupyter_ptytasks.ptyhost.start import main

    main(*sys.argv[1:])
