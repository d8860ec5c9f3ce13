"""The definitions of sweeps: one file per sweep in the data directory. Blocking.

A sweep's record is written when all its tasks exist, so tasks without a record belong to a sweep whose creation was
interrupted.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager, suppress

from ..core.errors import storage_fault
from ..core.files import read_json, write_json
from ..core.platform import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping
    from typing import Any

_FILE = re.compile(r"([a-z0-9]{8,16})\.json")
#: Seconds for which a record may belong to a sweep whose tasks are still being added to the database.
_INCOMPLETE = 60.0


class SweepRecords:
    """The directory `sweeps` below `root`."""

    def __init__(self, root: str) -> None:
        self._root = os.path.join(root, "sweeps")

    def _path(self, sweep_id: str) -> str:
        return os.path.join(self._root, f"{sweep_id}.json")

    @contextmanager
    def written(self, record: Mapping[str, Any]) -> Iterator[None]:
        """Write the record of a new sweep, and remove it if the block raises. Enter it within the transaction that adds
        the tasks. Raises StorageFull, InternalError.
        """
        path = self._path(record["id"])
        try:
            files.private_dir(os.path.dirname(self._root))
            files.private_dir(self._root)
            write_json(path, record, durable=True)
        except OSError as error:
            raise storage_fault(error, "the record of the sweep") from error
        try:
            yield
        except BaseException:
            with suppress(OSError):
                os.unlink(path)
            raise

    def has(self, sweep_id: str) -> bool:
        """Return whether a sweep has a record."""
        return os.path.exists(self._path(sweep_id))

    def read(self, sweep_id: str) -> dict[str, Any]:
        """Return the record of a sweep; empty if there is none."""
        return read_json(self._path(sweep_id)) or {}

    def remove_unused(self, used: Container[str]) -> None:
        """Delete the records of sweeps without tasks; `used` are the ids of the other sweeps."""
        try:
            names = os.listdir(self._root)
        except OSError:
            return
        for name in names:
            found = _FILE.fullmatch(name)
            path = os.path.join(self._root, name)
            with suppress(OSError):
                if found and found[1] not in used and time.time() - os.stat(path).st_mtime > _INCOMPLETE:
                    os.unlink(path)
