"""Viewers of a task: which of them leads, what size the terminal has, who may type, and when a HEAD is due.

Pure: no sockets, no processes and no clock.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

#: Seconds between two HEADs: to a link without viewers; to a link with viewers, who wait for the echo of their keys;
#: and to the latter during a flood, with at least this many bytes in between.
_HEAD_EVERY = 1.0
_HEAD_EVERY_WATCHED = 0.003
_HEAD_EVERY_FLOOD = 0.016
_FLOOD = 1 << 14
#: The most characters of a viewer's id, which is sent to others.
_ID_MAX = 64


class Viewer:
    """A peer that is connected to the task.

    `is_viewer` is true for the input connection of an attached viewer, `is_link` for a server's link, which gets every
    change; both are false until its hello, and for a connection that only types. `size` is the (rows, cols) that it
    wants. `typed` is the number of its last input among those of all viewers: the leader has the highest. `watching`:
    it wants every HEAD at once. `closed`: it is to be dropped.
    """

    __slots__ = (
        "_head",
        "_head_at",
        "closed",
        "is_link",
        "is_viewer",
        "readonly",
        "size",
        "typed",
        "viewer_id",
        "watching",
    )

    def __init__(self) -> None:
        self.closed = self.is_link = self.is_viewer = self.readonly = self.watching = False
        self.viewer_id = ""
        self.size: tuple[int, int] | None = None
        self.typed = 0
        self._head = -1
        self._head_at = 0.0

    def greet(self, hello: Mapping[str, Any]) -> None:
        """Process its hello."""
        role, viewer_id = hello.get("role"), hello.get("viewer")
        self.is_viewer = role == "viewer"
        self.is_link = role not in ("viewer", "input")
        self.readonly = bool(hello.get("readonly"))
        self.viewer_id = viewer_id[:_ID_MAX] if isinstance(viewer_id, str) else ""

    def head_due(self, end: int) -> float | None:
        """Return when (monotonic seconds) a HEAD for the ring's `end` is due; None if it was sent, or is not wanted."""
        if not self.is_link or end == self._head:
            return None
        if not self.watching:
            return self._head_at + _HEAD_EVERY
        is_flood = self._head >= 0 and end - self._head > _FLOOD
        return self._head_at + (_HEAD_EVERY_FLOOD if is_flood else _HEAD_EVERY_WATCHED)

    def note_head(self, end: int, now: float) -> None:
        """Remember that a HEAD for `end` was sent."""
        self._head, self._head_at = end, now


class Viewers:
    """The attached viewers. The one that typed last leads: it determines the size, and its terminal answers queries.

    `resize(rows, cols)` is called with the size that the terminal should have, `on_change` when the leader or the
    number of viewers has changed.
    """

    __slots__ = ("_attached", "_leader", "_on_change", "_resize", "_typed")

    def __init__(self, resize: Callable[[int, int], None], on_change: Callable[[], None]) -> None:
        self._resize = resize
        self._on_change = on_change
        self._attached: list[Viewer] = []
        self._leader: Viewer | None = None
        self._typed = 0

    @property
    def count(self) -> int:
        """How many viewers are attached."""
        return len(self._attached)

    @property
    def leader(self) -> Viewer | None:
        """The viewer that typed last, or the first one if none has typed; read-only viewers never lead."""
        able = [viewer for viewer in self._attached if not (viewer.readonly or viewer.closed)]
        return max(able, key=lambda viewer: viewer.typed, default=None)

    def attach(self, viewer: Viewer) -> None:
        """Add a connection after its hello, if it is a viewer."""
        if viewer.is_viewer and viewer not in self._attached:
            self._attached.append(viewer)
            self._changed()

    def detach(self, viewer: Viewer) -> None:
        """Remove a connection that is gone."""
        if viewer in self._attached:
            self._attached.remove(viewer)
            self._changed()

    def type(self, viewer: Viewer) -> bool:
        """Return whether a connection may type; if so, and if it is a viewer, it leads from now on."""
        if viewer.readonly:
            return False
        self._typed += 1
        viewer.typed = self._typed
        if viewer.is_viewer and viewer is not self._leader:
            self._changed()
        return True

    def may_answer(self, viewer: Viewer) -> bool:
        """Return whether the automatic replies of this viewer's terminal are passed to the program."""
        return viewer is self.leader

    def resize(self, viewer: Viewer, rows: int, cols: int) -> None:
        """Note the size that a connection wants. The terminal gets it from the leader, and from a server's link."""
        viewer.size = (rows, cols)
        if not viewer.is_viewer or viewer is self.leader:
            self._resize(rows, cols)

    def _changed(self) -> None:
        self._leader = self.leader
        if self._leader is not None and self._leader.size is not None:
            self._resize(*self._leader.size)
        self._on_change()
