"""The client's methods for details of a task, its notes, why it failed, and differences from another task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .connection import IDLE, Connection, decoded, path_of, without_none

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .literals import Command, HowMetricsAreRead
    from .types import Details, Difference, Resources, Task, Why


class AboutMethods(Connection):
    """Details, notes, and repeating a task."""

    def details(self, ref: str) -> Details:
        """Return the details of a task: its attempts, the names of given variables, disk usage and host."""
        return cast("Details", self._get(path_of(ref, "details"), **IDLE))

    def why(self, ref: str) -> Why:
        """Return why a task failed, with the lines of its output that show it, or why it is not running."""
        return cast("Why", self._get(path_of(ref, "why"), **IDLE))

    def diff(self, ref: str, other: str | None = None) -> Difference:
        """Return the differences between a task and an `other` one, by default the previous run."""
        return cast("Difference", self._get(path_of(ref, "diff"), **{"with": other, **IDLE}))

    def notes(self, ref: str) -> tuple[str, str]:
        """Return the notes of a task, as Markdown, and their ETag for `write_notes`."""
        response = self._transport.request("GET", path_of(ref, "notes"), params=dict(IDLE))
        return str(decoded(response.content)["notes"]), str(response.headers["ETag"])

    def write_notes(self, ref: str, notes: str, tag: str = "*") -> Task:
        """Replace the notes of a task, and return it.

        Args:
            tag: the ETag of the notes that you have seen; `*` replaces any. Raises RequestFailed (`notes_changed`) if
                they have changed since.
        """
        return self._task("PUT", path_of(ref, "notes"), json={"notes": notes}, headers={"If-Match": tag})

    def again(
        self,
        ref: str,
        *,
        name: str | None = None,
        command: Command | None = None,
        cwd: str | None = None,
        env: Mapping[str, str | None] | None = None,
        group: str | None = None,
        tags: Sequence[str] | None = None,
        timeout: float | None = None,
        metrics: HowMetricsAreRead | None = None,
        place: str | None = None,
        resources: Resources | Mapping[str, Any] | None = None,
        gpus: float | None = None,
    ) -> Task:
        """Start a new task like this one, and return it. Options that are not given are the same.

        Args:
            env: variables to set in addition to those given to the task; None removes one.
            metrics: how metrics are read from its output: `pattern`, `include`, `off`.
            place: where it runs, and `resources` what it requests there; at another place, nothing unless given.
            gpus: GPUs of the server's machine: a number, or a share of one.
        """
        given: dict[str, Any] = {
            "name": name,
            "command": command,
            "cwd": cwd,
            "env": None if env is None else dict(env),
            "group": group,
            "tags": None if tags is None else list(tags),
            "timeout": timeout,
            "metrics": metrics,
            "place": place,
            "resources": resources,
            "gpus": gpus,
        }
        return self._task("POST", path_of(ref, "again"), json=without_none(given))
