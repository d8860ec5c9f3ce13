"""Starting a ptyhost, detached from this process, and reading its report. Blocking; for servers."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

#: Seconds that a ptyhost has to end after it was told to.
_FAREWELL = 5.0
#: What Python itself may need to start: where its libraries are, for the loaders of Linux, macOS, AIX, HP-UX and Nix,
#: and where its modules are.
_LOADER = re.compile(
    r"LD_LIBRARY_PATH(_\d+)?|DYLD_.*|LIBPATH|SHLIB_PATH|NIX_LD(_.*)?|PYTHONHOME|PYTHONPLATLIBDIR|__PYVENV_LAUNCHER__"
)
#: glibc's malloc (mallopt(3)) keeps 16 KiB in reserve instead of 128, which every task would pay for.
_FRUGAL = {"MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_TOP_PAD_": "16384"}


def environment() -> dict[str, str]:
    """Return the environment of a ptyhost itself: what Python needs to start, and nothing else of this process's."""
    loader = {name: value for name, value in os.environ.items() if _LOADER.fullmatch(name)}
    return {"PATH": os.defpath, **_FRUGAL, **loader}


def start(argv: Sequence[str], *, lock: int, env: dict[str, str], log: BinaryIO) -> subprocess.Popen[bytes]:
    """Start a ptyhost that inherits the descriptor `lock`; the last argument tells it which one (`detach.keep_lock`).

    It has pipes as standard input and output, and `log` as standard error. Raises OSError.
    """
    return subprocess.Popen(
        [*argv, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        cwd="/",
        env=env,
        pass_fds=(lock,),
        start_new_session=True,
    )


def exchange(process: subprocess.Popen[bytes], data: bytes, patience: float) -> bytes:
    """Write `data` to a ptyhost that was started, and return its report: one line, or less if it has failed.

    Both at once: it may fail before it has read, and it reads before it reports. Raises TimeoutError after `patience`
    seconds; the ptyhost starts nothing then.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    deadline = time.monotonic() + patience
    line = b""
    rest = memoryview(data)
    with process.stdin as stdin, process.stdout as stdout:
        os.set_blocking(stdin.fileno(), False)
        os.set_blocking(stdout.fileno(), False)
        while not line.endswith(b"\n"):
            poll = select.poll()
            poll.register(stdout, select.POLLIN)
            if rest:
                poll.register(stdin, select.POLLOUT)
            else:
                stdin.close()
            left = deadline - time.monotonic()
            events = dict(poll.poll(left * 1000)) if left > 0 else {}
            if not events:
                _give_up(process)
                raise TimeoutError
            if stdout.fileno() in events:
                part = os.read(stdout.fileno(), 1 << 16)
                if not part:
                    break
                line += part
            elif rest:
                try:
                    rest = rest[os.write(stdin.fileno(), rest) :]
                except BrokenPipeError:
                    rest = rest[:0]
    return line


def _give_up(process: subprocess.Popen[bytes]) -> None:
    """Tell a ptyhost that hangs to end: it starts nothing any more, or stops what it has just started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    assert process.stdout is not None
    deadline = time.monotonic() + _FAREWELL
    poll = select.poll()
    poll.register(process.stdout, select.POLLIN)
    # Until its standard output is closed everywhere: by itself and by the command's process.
    while (left := deadline - time.monotonic()) > 0 and poll.poll(left * 1000):
        if not os.read(process.stdout.fileno(), 1 << 16):
            return


class Children:
    """Ptyhosts that are children of this process after all: it is the first process of a container, or a subreaper."""

    def __init__(self) -> None:
        self._pids: set[int] = set()

    def adopt(self, pid: int) -> None:
        """Remember the ptyhost `pid`, if it is a child of this process."""
        try:
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                self._pids.add(pid)
        except ChildProcessError:
            pass  # as it should be: it is the child of another process

    def reap(self) -> None:
        """Take note of those that have ended, so that no zombies are left."""
        # Each by its pid: other children of this process are not waited for here.
        for pid in list(self._pids):
            try:
                if os.waitpid(pid, os.WNOHANG) != (0, 0):
                    self._pids.discard(pid)
            except ChildProcessError:
                self._pids.discard(pid)
