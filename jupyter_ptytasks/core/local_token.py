"""A token for the user's own programs, for servers that have only a password.

It is in a file next to the server's runtime file that only the user can read. Anyone who can read it can already
reach the ptyhost sockets (same permissions), so it grants nothing new. Only the routes of tasks accept it (see auth).
"""

from __future__ import annotations

import contextlib
import os


class LocalToken:
    """The token of the server with process id `pid`, in `runtime_dir`. It is empty until `write` creates it."""

    def __init__(self, runtime_dir: str, pid: int) -> None:
        self._path = os.path.join(runtime_dir, f"ptytasks-{pid}.token")
        self.value = ""

    def write(self) -> None:
        """Create a token and save it for other programs to `read`. Raises OSError."""
        self.remove()  # left by a killed server with the same pid
        value = os.urandom(32).hex()
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(file, "w", encoding="ascii") as written:
            written.write(value)
        self.value = value

    def read(self) -> str:
        """Return the token that the server has saved; empty if there is none."""
        try:
            with open(self._path, encoding="ascii") as file:
                return file.read().strip()
        except (OSError, ValueError):
            return ""

    def remove(self) -> None:
        """Delete it."""
        self.value = ""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
