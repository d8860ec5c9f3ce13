"""A token for the user's own programs, where the server has none that it could tell them of: it asks for a password.

It is in a file beside the one in which the server tells of itself, and nobody but the user can read it. Who can could
as well use the sockets of the ptyhosts, which are kept the same way: it opens no door that was shut. Only routes of
tasks take it (see auth).
"""

from __future__ import annotations

import contextlib
import os


class LocalToken:
    """The token of the server with process id `pid`, in `runtime_dir`. It is made by `write`, and empty before."""

    def __init__(self, runtime_dir: str, pid: int) -> None:
        self._path = os.path.join(runtime_dir, f"ptytasks-{pid}.token")
        self.value = ""

    def write(self) -> None:
        """Make a token, and leave it for others to `read`. Raises OSError."""
        self.remove()  # of a server that was killed, and had the same id
        value = os.urandom(32).hex()
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(file, "w", encoding="ascii") as written:
            written.write(value)
        self.value = value

    def read(self) -> str:
        """Give the token that the server has left; empty if there is none."""
        try:
            with open(self._path, encoding="ascii") as file:
                return file.read().strip()
        except (OSError, ValueError):
            return ""

    def remove(self) -> None:
        """Take it back."""
        self.value = ""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
