"""The exit record: how a command ended, written whatever the state of the disk."""

from __future__ import annotations

import os

from ..core.files import encode, sync_dir, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Bytes set aside for the exit record, so that it can be written when the disk is full. It needs some 600, and
#: wire.MAX_NOTES for the notes.
_RESERVE = 4096


class ExitRecord:
    """The exit record, with room on the disk set aside for it from the start. Raises OSError if there is not even
    that.
    """

    __slots__ = ("_draft", "_fd", "_path")

    def __init__(self, path: str) -> None:
        self._path = path
        self._draft = f"{path}.reserved"
        self._fd = os.open(self._draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        write_all(self._fd, bytes(_RESERVE))
        # What an attempt before this one left is no news any more.
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass

    def write(self, value: dict[str, Any]) -> None:
        """Put the record in its place, durably. Raises OSError."""
        data = encode(value)
        os.pwrite(self._fd, data, 0)
        os.ftruncate(self._fd, len(data))
        os.fsync(self._fd)
        os.close(self._fd)
        os.rename(self._draft, self._path)
        sync_dir(os.path.dirname(self._path))

    def discard(self) -> None:
        """Give the room back: the command never started."""
        os.close(self._fd)
        os.unlink(self._draft)
