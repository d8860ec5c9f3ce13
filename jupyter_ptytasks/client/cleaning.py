"""The part of the client that cleans up: preview and deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .connection import SLOW, Connection, decoded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .literals import Better, StateName
    from .types import CleanUp


class CleanUpMethods(Connection):
    """The methods of the client for cleaning up."""

    def preview_clean_up(
        self,
        *,
        older_than: float | None = None,
        state: Iterable[StateName] = (),
        keep: int | None = None,
        keep_best: str | None = None,
        better: Better | None = None,
        group: str | None = None,
        tag: str | None = None,
        sweep: str | None = None,
        q: str | None = None,
    ) -> CleanUp:
        """Return the finished tasks that match all arguments, their disk usage, and which others are spared, without
        deleting anything. Pinned tasks never match, nor do those that a pending task needs.

        Args:
            older_than: seconds since they ended.
            state: only tasks that ended in these states.
            keep: how many of the newest matching tasks to keep.
            keep_best: the name of a metric: the task with its best value is kept, and so are all without it.
            better: which of its values are better; by default this depends on its name.
            group, tag, sweep, q: only such tasks, as in `list`.
        """
        given: dict[str, Any] = {
            "older_than": older_than,
            "state": ",".join(state) or None,
            "keep": keep,
            "keep_best": keep_best,
            "better": better,
            "group": group,
            "tag": tag,
            "sweep": sweep,
            "q": q,
        }
        return cast("CleanUp", self._get("cleanup", **given))

    def clean_up(self, ids: Iterable[str]) -> CleanUp:
        """Delete finished tasks, given by their ids, and their output: all of them or none. Return what was deleted.

        Tasks that are live or pinned, or that a pending task needs, are spared and counted; those that no longer exist
        are left out.
        """
        response = self._transport.request("POST", "cleanup", json={"tasks": list(ids)}, timeout=SLOW)
        return cast("CleanUp", decoded(response.content))
