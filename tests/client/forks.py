"""Servers forked from a process that has already imported everything, so that starting one is fast.

Each is a process like any other, with a session, an environment, a directory and a log of its own.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: How the process runs that forks the others, and how they seem to run.
COMMAND = [sys.executable, "-m", "tests.client.forks"]
#: What a server imports by itself. What is not installed is missing there, too.
_IMPORTS = (
    "jupyter_server.serverapp",
    "jupyter_server_terminals",
    "jupyter_lsp",
    "notebook_shim.nbserver",
    "IPython.paths",
    "jupyter_ptytasks.server.extension",
)
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_one_at_a_time = threading.Lock()


class Forked:
    """A process that was forked, as far as it is like a subprocess.Popen."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._process = psutil.Process(pid)

    def poll(self) -> int | None:
        """Return None while it runs. What it has ended with is not known."""
        return None if self._process.is_running() else 0

    def wait(self, timeout: float | None = None) -> None:
        """Wait for its end. Raises psutil.TimeoutExpired."""
        self._process.wait(timeout)

    def terminate(self) -> None:
        """Send SIGTERM to it."""
        self._process.terminate()


def fork(module: str, *arguments: str, cwd: Path, env: Mapping[str, str], log: Path) -> Forked:
    """Run `python -m module argument ...` in a new session; its output is appended to `log`."""
    order = {"argv": [module, *arguments], "cwd": str(cwd), "env": dict(env), "log": str(log)}
    with _one_at_a_time:
        parent = _parent()
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(json.dumps(order).encode() + b"\n")
        parent.stdin.flush()
        return Forked(int(parent.stdout.readline()))


@functools.cache
def _parent() -> subprocess.Popen[bytes]:
    """Start the process that forks the others; it ends with this one, and they do not."""
    parent = subprocess.Popen(COMMAND, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    atexit.register(parent.communicate)
    return parent


def _main() -> None:
    """Fork a process for each line of stdin, and tell its number."""
    for name in _IMPORTS:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    gc.freeze()
    # Nobody waits for them: the system shall not keep what they ended with.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        if pid := os.fork():
            print(pid, flush=True)
        else:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _run(**json.loads(line))
            break


def _run(argv: list[str], cwd: str, env: dict[str, str], log: str) -> None:
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    for path, flags, fds in ((os.devnull, os.O_RDONLY, (0,)), (log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, (1, 2))):
        opened = os.open(path, flags, 0o666)
        for fd in fds:
            os.dup2(opened, fd)
        os.close(opened)
    sys.argv[:] = argv
    sys.path[0] = cwd
    runpy.run_module(argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
