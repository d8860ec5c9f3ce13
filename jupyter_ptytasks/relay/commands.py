"""Runs programs on this machine for the near end: their output is the result of a call, or a stream."""

from __future__ import annotations

import os
import subprocess
import tempfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable, Collection, Sequence
    from typing import IO, Any

#: Maximum size of a result in bytes, which fits into one frame.
_MAX = 4 << 20
_READ = 64 << 10
#: Maximum size of a program's error output in bytes.
_SAID_MAX = 4096


class Answering:
    """A process whose output becomes the answer to a call when it has ended."""

    def __init__(self, process: subprocess.Popen[bytes], answer: Callable[[bytes, int], dict[str, Any]]) -> None:
        assert process.stdout is not None
        self._process = process
        self._stdout = process.stdout
        self._answer = answer
        self._data = bytearray()

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._stdout.fileno()

    def take(self) -> dict[str, Any] | None:
        """Read available output; return the answer, or None if it is not complete. Raises OSError."""
        data = os.read(self._stdout.fileno(), _READ)
        self._data += data
        if data and len(self._data) < _MAX:
            return None
        self._stdout.close()
        return self._answer(bytes(self._data), self._process.wait())

    def end(self) -> None:
        """Kill the process: its answer is no longer needed."""
        self._process.kill()
        self._stdout.close()
        self._process.wait()


def run(argv: Sequence[str], text: str, keep: Collection[str]) -> Answering:
    """Run a program with `text` as its input; `keep` names the variables that it gets. The answer is its exit `code`,
    its output `out`, and the end of its error output `said`. Raises OSError.
    """
    said = tempfile.TemporaryFile()  # noqa: SIM115  closed with the answer
    with tempfile.TemporaryFile() as request:
        request.write(text.encode())
        request.seek(0)
        process = subprocess.Popen(
            argv, stdin=request, stdout=subprocess.PIPE, stderr=said, env=_environment(keep), start_new_session=True
        )

    def answer(data: bytes, code: int) -> dict[str, Any]:
        with said:
            return {"code": code, "out": data.decode("utf-8", "replace"), "said": last_words(said)}

    return Answering(process, answer)


def stream(argv: Sequence[str], keep: Collection[str]) -> tuple[socket, IO[bytes]]:
    """Run a program whose standard input and output are a socket. Return our end of it, and the file with its error
    output. The program is expected to exit when our end is closed. Raises OSError.
    """
    from socket import socketpair  # noqa: PLC0415  only here

    ours, theirs = socketpair()
    said = tempfile.TemporaryFile()  # noqa: SIM115  closed with the connection
    try:
        end = theirs.fileno()
        # The Popen object is not kept: `subprocess` reaps it when the next process is started.
        subprocess.Popen(argv, stdin=end, stdout=end, stderr=said, env=_environment(keep), start_new_session=True)
    finally:
        theirs.close()
    ours.setblocking(False)
    return ours, said


def last_words(said: IO[bytes]) -> str:
    """Return the end of a program's error output."""
    said.seek(max(os.fstat(said.fileno()).st_size - _SAID_MAX, 0))
    return said.read().decode("utf-8", "replace").strip()


def _environment(keep: Collection[str]) -> dict[str, str]:
    return {name: os.environ[name] for name in keep if name in os.environ}
