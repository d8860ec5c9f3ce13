"""The screen: what a terminal shows now, from a replay drawn by an emulator in a separate process.

So no output can block or crash this server: a replay is bounded, the emulator has some seconds for it, and is killed if
it does not respond. It is started with the first request, and exits when idle.
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

#: Seconds for a response, including the start of the emulator on a busy machine.
_PATIENCE = 20.0
#: Maximum size of a response in bytes: a million cells, all with different colors.
_LONGEST = 1 << 26
_PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "emulator.py")
#: Variables that it gets: it parses untrusted output, and other variables may be secrets.
_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT")


class Emulator:
    """Shows screens, one at a time. `close` it."""

    def __init__(self) -> None:
        # Only this thread uses the process.
        self._thread = ThreadPoolExecutor(1, "ptytasks-screen")
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    def close(self) -> None:
        """End it; pending requests fail. Blocks briefly."""
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
        # An idle emulator may just be exiting.
        answer = self._ask(head + b"\n" + data) or self._ask(head + b"\n" + data)
        if not answer:
            raise InternalError("the emulator failed: it ended without a response")
        try:
            said: dict[str, Any] = json.loads(answer)
        except ValueError as error:
            raise InternalError("the emulator failed: its response is invalid") from error
        if "missing" in said:
            raise ExtraMissing(
                "screens are drawn with the package pyghostty: pip install 'jupyter_ptytasks[screen]' "
                f"({said['missing']})"
            )
        if "error" in said:
            raise InternalError(f"the emulator failed: {said['error']}")
        return said

    def _ask(self, request: bytes) -> bytes:
        """Return the emulator's response, empty if it has ended. Raises InternalError if it takes too long."""
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
            raise InternalError(f"the emulator did not respond within {_PATIENCE:g} s")
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        if self._is_closed:
            raise InternalError("the server shuts down")
        environ = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
        # It finds exactly the packages of this process, wherever they are.
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
        """Clean up a process that has ended or was killed."""
        process.wait()
        for pipe in (process.stdin, process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:
                pass  # the client has disconnected
