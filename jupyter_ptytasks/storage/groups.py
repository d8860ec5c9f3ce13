"""The groups that users have configured: one file in the data directory. Blocking."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import replace

from ..core.errors import StoreUnavailable, storage_fault
from ..core.files import read_json, write_json
from ..core.platform import files
from ..core.queue.groups import DEFAULT_GROUP, Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .locks import Locks

_NAME = "groups.json"
#: Seconds to wait for another process that changes groups.
_PATIENCE = 5.0


class Groups:
    """The groups of the data directory `root`. The group `default` always exists; it has no limit of slots unless one
    was set.
    """

    def __init__(self, root: str, locks: Locks) -> None:
        self._path = os.path.join(root, _NAME)
        self._locks = locks
        self._seen: tuple[int, int, int] | None = None
        self._groups: dict[str, Group] = {}

    def all(self) -> dict[str, Group]:
        """Return all groups, by name."""
        seen = self._stamp()
        if seen is None or seen != self._seen:
            self._groups, self._seen = self._read(), seen
        return self._groups

    def change(self, name: str, **changes: Any) -> Group:
        """Change a group, and return it; create it if needed. Raises StorageFull, StoreUnavailable."""
        with self._changing() as groups:
            old = groups.get(name) or Group(name)
            group = replace(old, **changes)
            if (old.paused and not group.paused) or old.on_failure is not group.on_failure:
                group = replace(group, since=time.time())
            groups[name] = group
            return group

    def remove(self, name: str) -> None:
        """Delete a group; `default` gets its initial configuration. Raises StorageFull, StoreUnavailable."""
        with self._changing() as groups:
            groups.pop(name, None)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Group]]:
        try:
            files.private_dir(os.path.dirname(self._path))
        except OSError as error:
            raise storage_fault(error, "the file of groups") from error
        with self._locks.hold(f"{_NAME}.lock", _PATIENCE) as held:
            if not held:
                raise StoreUnavailable("the groups are locked by another process; try again")
            groups = self._read()
            yield groups
            try:
                write_json(
                    self._path, {"version": 1, "groups": [one.to_record() for one in groups.values()]}, durable=True
                )
            except OSError as error:
                raise storage_fault(error, "the file of groups") from error

    def _read(self) -> dict[str, Group]:
        """Return the content of the file, without invalid entries."""
        groups = {DEFAULT_GROUP: Group(DEFAULT_GROUP, None)}
        for value in (read_json(self._path) or {}).get("groups", ()):
            try:
                group = Group.from_record(value)
            except (KeyError, TypeError, ValueError):
                continue
            groups[group.name] = group
        return groups

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
