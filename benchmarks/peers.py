"""Other programs that run a command in a terminal. Each is a context manager: inside, the command runs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    Runner = Callable[[Sequence[str]], AbstractContextManager[object]]

_DRAIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "drain.py")


@contextmanager
def _process(command: Sequence[str]) -> Iterator[None]:
    null = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=null, stdout=null, stderr=null)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def bare(argv: Sequence[str]) -> Iterator[None]:
    """A read loop in one Python process, and nothing else."""
    with _process([sys.executable, "-I", "-S", _DRAIN, *argv]):
        yield


@contextmanager
def dtach(argv: Sequence[str]) -> Iterator[None]:
    """Without viewers."""
    with tempfile.TemporaryDirectory() as directory, _process(["dtach", "-N", f"{directory}/s", *argv]):
        yield


@contextmanager
def tmux(argv: Sequence[str]) -> Iterator[None]:
    """A server of its own, without viewers."""
    with tempfile.TemporaryDirectory() as directory:
        server = ["tmux", "-f", os.devnull, "-S", f"{directory}/s"]
        subprocess.run([*server, "new-session", "-d", "-x", "120", "-y", "40", *argv], check=True)
        try:
            yield
        finally:
            subprocess.run([*server, "kill-server"], check=False, stderr=subprocess.DEVNULL)


@contextmanager
def ttyd(argv: Sequence[str]) -> Iterator[str]:
    """Yield the URL of its websocket (subprotocol `tty`); the command starts when a client attaches."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with _process(["ttyd", "--interface", "127.0.0.1", "--port", str(port), *argv]):
        yield f"ws://127.0.0.1:{port}/ws"


def installed() -> dict[str, Runner]:
    """Return the other programs that keep terminals and are on the PATH."""
    return {name: runner for name, runner in (("dtach", dtach), ("tmux", tmux)) if shutil.which(name)}
