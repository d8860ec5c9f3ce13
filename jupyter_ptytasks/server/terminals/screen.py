"""The screen: what a terminal shows now, from a replay that an emulator draws in a process of its own.

So whatever a program has printed can neither hold up this server nor end it: a replay is bounded, the emulator has some
seconds for it, and one that does not answer is ended. It is started with the first request, and ends when idle.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Timer
from typing import TYPE_CHECKING, Any

from ...core.errors import ExtraMissing, InternalError
from . import replay

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...core.ring.reader import RingReader

#: Seconds for an answer, in which the emulator may have to be started on a busy machine.
_PATIENCE = 20.0
#: Bytes of an answer at most: a million cells, all of different colors.
_LONGEST = 1 << 26
_PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "emulator.py")
#: What of the environment it gets: it is fed what strangers have written, and there are secrets in the rest.
_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT")


class Emulator:
    """Shows screens, one at a time. `close` it."""

    def __init__(self) -> None:
        # The process is this thread's alone.
        self._thread = ThreadPoolExecutor(1, "ptytasks-screen")
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    def close(self) -> None:
        """End it; who waits for an answer gets an error. Blocks for a moment."""
        self._is_closed = True
        process = self._process
        if process is not None:
            process.kill()
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self._process is not None:
            self._discard(self._process)

    async def show(self, open_ring: Callable[[], RingReader], rows: int, cols: int) -> dict[str, Any]:
        """Return what a terminal of this size shows of a ring: the fields of client.types.Screen, and `ansi`, its
        lines with colors.

        Raises ExtraMissing if there is no emulator, InternalError if it fails or takes too long.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._show, open_ring, rows, cols)

    def _show(self, open_ring: Callable[[], RingReader], rows: int, cols: int) -> dict[str, Any]:
        with open_ring() as reader:
            data = replay.load(reader, rows, rows, cols).data
        head = json.dumps({"rows": rows, "cols": cols, "size": len(data)}).encode()
        # One that has been idle may end just now.
        answer = self._ask(head + b"\n" + data) or self._ask(head + b"\n" + data)
        if not answer:
            raise InternalError("the emulator has failed: it ended without an answer")
        try:
            said: dict[str, Any] = json.loads(answer)
        except ValueError as error:
            raise InternalError("the emulator has failed: its answer is not valid") from error
        if "missing" in said:
            raise ExtraMissing(
                "screens are drawn with the package pyghostty: pip install 'jupyter_ptytasks[screen]' "
                f"({said['missing']})"
            )
        if "error" in said:
            raise InternalError(f"the emulator has failed: {said['error']}")
        return said

    def _ask(self, request: bytes) -> bytes:
        """Return the emulator's answer, nothing if it has ended. Raises InternalError if it takes too long."""
        if self._process is not None and self._process.poll() is not None:
            self._discard(self._process)
            self._process = None
        process = self._process = self._process or self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        is_late = False

        def give_up() -> None:
            nonlocal is_late
            is_late = True
            process.kill()

        timer = Timer(_PATIENCE, give_up)
        timer.start()
        try:
            process.stdin.write(request)
            process.stdin.flush()
            answer = process.stdout.readline(_LONGEST)
        except OSError:
            answer = b""
        finally:
            timer.cancel()
        if not answer.endswith(b"\n"):
            process.kill()
            process.wait()
            answer = b""
        if is_late:
            raise InternalError(f"the emulator has not answered within {_PATIENCE:g} s")
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        if self._is_closed:
            raise InternalError("the server shuts down")
        environ = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
        # It finds the packages of this process, wherever they are, and takes nothing else for one of them.
        environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        return subprocess.Popen(
            [sys.executable, "-s", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environ,
            start_new_session=True,
        )

    def _discard(self, process: subprocess.Popen[bytes]) -> None:
        """Let go of one that has ended, or was killed."""
        process.wait()
        for pipe in (process.stdin, process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:
                pass  # the client has left
