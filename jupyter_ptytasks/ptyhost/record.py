"""The records of a ptyhost, who runs and how it ended: written whatever the state of the disk."""

from __future__ import annotations

import os

from ..core.files import encode, sync_dir, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Bytes set aside for a record. The longer one, of the end, needs some 1400, a reason of at most 800, the processes
#: that are left (core.leftovers) 800, and wire.MAX_NOTES for the notes.
_RESERVE = 4096


class Record:
    """A small JSON file with room on the disk set aside for it from the start, in `PATH.reserved`, until it is written.

    Raises OSError if there is not even that; nothing is left then.
    """

    __slots__ = ("_draft", "_fd", "_path")

    def __init__(self, path: str) -> None:
        self._path = path
        self._draft = f"{path}.reserved"
        self._fd = os.open(self._draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # Spaces: a record that cannot be cut to its length is JSON all the same.
            write_all(self._fd, b" " * _RESERVE)
        except BaseException:
            self.discard()
            raise

    def write(self, value: dict[str, Any], *, durable: bool = True) -> None:
        """Put the record in its place; with `durable` it is on the disk when this returns. Raises OSError.

        Where only its name finds no room, it is whole in `PATH.reserved`.
        """
        data = encode(value)
        os.lseek(self._fd, 0, os.SEEK_SET)
        write_all(self._fd, data)
        os.ftruncate(self._fd, len(data))
        if durable:
            os.fsync(self._fd)
        os.rename(self._draft, self._path)
        os.close(self._fd)
        self._fd = -1
        if durable:
            sync_dir(os.path.dirname(self._path))

    def discard(self) -> None:
        """Give the room back, and take back what was written: the command never ran. Raises OSError."""
        if self._fd < 0:
            os.unlink(self._path)
            return
        os.close(self._fd)
        os.unlink(self._draft)
