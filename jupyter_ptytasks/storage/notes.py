"""The notes of a task: a Markdown file in its directory, and an ETag that changes with it. Blocking."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager

from ..core.errors import NotesChanged, TooLarge, storage_fault
from ..core.files import read_own, write_bytes
from ..core.paths import TaskFiles
from .restoring import kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Maximum size of the notes of a task, in bytes.
MAX = 64 << 10


class Notes:
    """The notes of tasks in the directories below `root`."""

    def __init__(self, root: str) -> None:
        self._root = root

    def _path(self, task_id: str) -> str:
        return TaskFiles(os.path.join(self._root, task_id)).notes

    def read(self, task_id: str) -> str:
        """Return the notes of a task; empty if there are none. Raises InternalError if they cannot be read."""
        try:
            return read_own(self._path(task_id), MAX).decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise storage_fault(error, "the notes of the task cannot be read") from error

    def tag(self, task_id: str) -> str:
        """Return the tag of a task's notes on disk; empty if there are none, or they cannot be read."""
        try:
            return tag_of(read_own(self._path(task_id), MAX).decode("utf-8", "replace"))
        except OSError:
            return ""

    @contextmanager
    def replaced(self, task_id: str, text: str, expected: str | None) -> Iterator[None]:
        """Replace the notes if their tag is `expected` (None: in any case), and restore them if the block raises.

        Enter it within a database transaction, which excludes other writers. Raises NotesChanged if the tag differs,
        StorageFull; then the notes are unchanged.
        """
        if expected is not None and tag_of(self.read(task_id)) != expected:
            raise NotesChanged("the notes were changed meanwhile")
        path = self._path(task_id)
        with ExitStack() as together:
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
                together.enter_context(kept(path))
                write_bytes(path, text.encode(), durable=True)
            except OSError as error:
                raise storage_fault(error, "the notes of the task") from error
            yield


def tag_of(text: str) -> str:
    """Return the tag of notes, a hash of the text; empty for empty text."""
    import hashlib  # noqa: PLC0415  the scheduler reads no notes

    return hashlib.sha256(text.encode()).hexdigest()[:32] if text else ""


def check(text: str) -> None:
    """Raise TooLarge if the text has more than MAX bytes."""
    size = len(text.encode())
    if size > MAX:
        raise TooLarge(f"notes: {size} bytes; the limit is {MAX}", field="notes")
