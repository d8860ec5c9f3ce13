"""Start a ptyhost: `python -I -S __main__.py TASK_DIR SOCKET LOCK_FD`.

It detaches, starts the command in TASK_DIR/spec.json with the environment that it reads from its standard input (JSON),
and reports on its standard output in one line of JSON: `{"ready": true, "host_pid", "pid", "started"}` or
`{"error": {"field", "message"}}`. Its standard error is host.log. LOCK_FD is the task's lock file, locked by the server
that starts this process and inherited from it, so that the lock is held at every moment.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # Started by path, isolated from site-packages: the package is where this file is, and not what is beside it.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path = [path for path in sys.path if os.path.abspath(path) != here]
    sys.path.append(os.path.dirname(os.path.dirname(here)))
    # First of all: what is imported later belongs to the process that stays.
    from jupyter_ptytasks.core.platform import detach

    detach.detach()
    from jupyter_ptytasks.ptyhost.start import main

    main(*sys.argv[1:])
