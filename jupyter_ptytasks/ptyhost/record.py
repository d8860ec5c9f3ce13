"""The records of a ptyhost about its start and its end, which are written even if the disk is full."""

from __future__ import annotations

import os

from ..core.files import encode, write_all
from ..core.platform import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Bytes reserved for a record. The longer one, the exit record, needs about 1400, at most 800 for a reason, 800 for the
#: remaining processes (core.leftovers), and wire.MAX_NOTES for the notes.
_RESERVE = 4096


class Record:
    """A small JSON file. Its disk space is reserved from the start, in `PATH.reserved`, until it is written.

    Raises OSError if there is no space; nothing is left then.
    """

    __slots__ = ("_draft", "_fd", "_is_written", "_path")

    def __init__(self, path: str) -> None:
        self._path = path
        self._draft = f"{path}.reserved"
        self._is_written = False
        self._fd = os.open(self._draft, os.O_RDWR | os.O_CREAT | files.BINARY, 0o600)
        try:
            # Spaces: a record that cannot be truncated to its length is still valid JSON.
            write_all(self._fd, b" " * _RESERVE)
        except BaseException:
            self.discard()
            raise

    def write(self, value: dict[str, Any], *, durable: bool = True) -> None:
        """Write the record and move it to its path; with `durable`, it is on disk when this returns. Raises OSError.

        If only the rename fails, the complete record is in `PATH.reserved`.
        """
        data = encode(value)
        os.lseek(self._fd, 0, os.SEEK_SET)
        write_all(self._fd, data)
        os.ftruncate(self._fd, len(data))
        if durable:
            os.fsync(self._fd)
        # Close it before renaming: Windows does not rename open files.
        fd, self._fd = self._fd, -1
        os.close(fd)
        files.replace(self._draft, self._path)
        self._is_written = True
        if durable:
            files.sync_dir(os.path.dirname(self._path))

    def discard(self) -> None:
        """Delete the record, written or not: the command never ran. Raises OSError."""
        if self._fd >= 0:
            os.close(self._fd)
        os.unlink(self._path if self._is_written else self._draft)
