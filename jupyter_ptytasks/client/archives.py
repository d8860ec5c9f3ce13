"""The part of the client for tasks as files: export and import."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .connection import IDLE, SLOW, Connection, decoded, path_of
from .transport import pieces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from .types import Task


class ArchiveMethods(Connection):
    """The methods of the client for tasks as files."""

    def export(self, ref: str) -> Iterator[bytes]:
        """Iterate over the bytes of a file with a finished task: what it ran, its output, metrics and notes, but not
        its environment.

        Raises:
            ConnectionLost: also while iterating.
        """
        response = self._transport.request("GET", path_of(ref, "export"), params=dict(IDLE), timeout=SLOW, stream=True)
        return pieces(response)

    def import_task(self, archive: bytes | BinaryIO) -> Task:
        """Create a task from an archive of `export`, and return it. It has ended, is pinned, and gets another name if
        its own is taken.

        Raises:
            RequestFailed: `bad_request` or `too_large`: the archive is invalid; nothing was imported.
        """
        headers = {"Content-Type": "application/gzip"}
        response = self._transport.request("POST", "import", content=archive, headers=headers, timeout=SLOW)
        return cast("Task", decoded(response.content))
