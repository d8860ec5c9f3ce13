"""Start a ptyhost: `python -I -S __main__.py TASK_DIR SOCKET LOCK_FD`.

It detaches, starts the command that TASK_DIR/spec.json tells, and says on its standard output in one line of JSON how
that went: `{"ready": true, "host_pid", "pid", "started"}` or `{"error": {"field", "message"}}`. LOCK_FD is the task's
lock file, locked by the server that starts us: we inherit it, so that at no moment nobody holds it.
"""

from __future__ import annotations

import os
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
    """Become a child subreaper (prctl(2), Linux): what the task leaves behind becomes our child and stays in the
    tree.
    """
    if not sys.platform.startswith("linux"):
        return
    # What ctypes is made of, for this one call: ctypes itself would cost every task a third of a MiB.
    import _ctypes  # noqa: PLC0415

    prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]
    _ctypes.call_cdeclfunction(prctl, (_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


if __name__ == "__main__":
    # First of all: what is imported later belongs to the process that stays.
    _detach()
    _adopt_orphans()
    # Started by path, isolated from the environment and from site-packages: the package is where this file is.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    from jupyter_ptytasks.ptyhost.start import main

    main(*sys.argv[1:])
