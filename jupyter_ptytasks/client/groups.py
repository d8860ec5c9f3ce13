"""The client's methods for groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .connection import SLOW, Connection, decoded, path_of, without_none

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .literals import StateName
    from .types import Group


class GroupMethods(Connection):
    """One method per route of groups."""

    def groups(self) -> Sequence[Group]:
        """Return all groups that are configured or in use, by name."""
        return cast("Sequence[Group]", self._get("groups")["groups"])

    def group(self, name: str) -> Group:
        """Return a group."""
        return cast("Group", self._get(_group(name)))

    def set_group(self, name: str, **settings: Any) -> Group:
        """Configure a group, which is created with one slot if it does not exist, and return it.

        Args:
            settings: `slots` (None: no limit; 0: start no more tasks), `gpus` (None, "all", or a list of indexes and
                UUIDs), `per_gpu`, `on_failure` ("continue", "pause", "cancel"), `paused`, `reason`. Settings that are
                not given are not changed.
        """
        return cast("Group", decoded(self._transport.request("PUT", _group(name), json=settings).content))

    def delete_group(self, name: str) -> None:
        """Delete the configuration of a group; its tasks are no longer limited."""
        self._transport.request("DELETE", _group(name))

    def pause_group(self, name: str, *, tasks: bool = False, reason: str = "") -> Group:
        """Start no more tasks of a group. With `tasks`, also pause running ones."""
        body = {"tasks": tasks, "reason": reason}
        return cast("Group", decoded(self._transport.request("POST", _group(name, "pause"), json=body).content))

    def resume_group(self, name: str, *, tasks: bool = False) -> Group:
        """Start tasks of a group again. With `tasks`, also resume paused ones."""
        body = {"tasks": tasks}
        return cast("Group", decoded(self._transport.request("POST", _group(name, "resume"), json=body).content))

    def retry_group(self, name: str, states: Iterable[StateName] | None = None) -> Sequence[str]:
        """Rerun the tasks of a group that ended in one of these states, by default `failed`, `timed_out` and `lost`,
        and return their ids.
        """
        body = without_none({"states": None if states is None else list(states)})
        response = self._transport.request("POST", _group(name, "retry"), json=body, timeout=SLOW)
        return cast("Sequence[str]", decoded(response.content)["changed"])


def _group(name: str, verb: str = "") -> str:
    return path_of(name, verb, of="groups")
