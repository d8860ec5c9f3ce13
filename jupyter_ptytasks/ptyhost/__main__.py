"""Start a ptyhost, or the starter of many.

`python -I -S __main__.py TASK_DIR SOCKET LOCK_FD [PACKAGES]` detaches, starts the command in TASK_DIR/spec.json with
the environment that it reads from its standard input (JSON), and reports on its standard output in one line of JSON:
`{"ready": true, "host_pid", "pid", "started"}` or `{"error": {"field", "message"}}`. Its standard error is host.log.
LOCK_FD is the task's lock file, locked by the server that starts this process and inherited from it, so that the lock
is held at every moment. On Windows it is a handle, and PACKAGES is a directory with packages that are needed there.
Ptyhosts are started this way on systems without fork, and by servers of earlier versions that keep running while the
package is replaced.

`python -I -S __main__.py --starter SOCKET` runs the starter (`starter_posix.py`), which forks equivalent ptyhosts. Its
standard input is the listening socket at SOCKET.
"""

from __future__ import annotations

import os
import sys


def run_one(directory: str, socket_path: str, lock: str, *packages: str) -> None:
    sys.path += packages
    from jupyter_ptytasks.core.platform import detach  # noqa: PLC0415

    # Detach first: what is imported later belongs to the process that stays.
    detach.detach()
    import json  # noqa: PLC0415

    from jupyter_ptytasks.ptyhost import start  # noqa: PLC0415

    data = b""
    while part := os.read(0, 1 << 16):
        data += part
    report = os.dup(1)
    # The pipes to the server are closed. The standard error is host.log, and stays open.
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1):
        os.dup2(null, fd)
    os.close(null)
    start.main(directory, socket_path, lock, json.loads(data) if data else None, report)


def _run_starter(socket_path: str) -> None:
    from jupyter_ptytasks.core.platform import detach  # noqa: PLC0415

    detach.leave()
    from jupyter_ptytasks.ptyhost import starter_posix  # noqa: PLC0415

    starter_posix.main(socket_path)


if __name__ == "__main__":
    # Started by path, isolated from site-packages: import the package that contains this file, not modules next to it.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path = [path for path in sys.path if os.path.abspath(path) != here]
    sys.path.append(os.path.dirname(os.path.dirname(here)))
    if sys.argv[1] == "--starter":
        _run_starter(sys.argv[2])
    else:
        run_one(*sys.argv[1:])
