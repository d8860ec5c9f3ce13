"""What a task is: its commit, its attempts, its notes, and how it differs from the run before."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .reference import Reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

    from ..client.literals import Command, HowMetricsAreRead
    from ..client.types import Attempt, Details, Difference, Git


class About(Reference):
    """The part of a task with its details; the rest is in `task`."""

    @property
    def git(self) -> Git | None:
        """The git state of its directory when it was started: `commit`, `branch`, `dirty`; None outside of a
        repository.
        """
        self.refresh()
        return self._info["git"]

    @property
    def attempts(self) -> list[Attempt]:
        """Its attempts and how they ended, the current one last."""
        return self.details()["attempts"]

    @property
    def notes(self) -> str:
        """The notes of the task, as Markdown. Set this to replace them."""
        with self._connections.client() as client:
            return client.notes(self.id)[0]

    @notes.setter
    def notes(self, text: str) -> None:
        with self._connections.client() as client:
            self._take(client.write_notes(self.id, text))

    def note(self, text: str) -> Self:
        """Add a paragraph to the notes, and return self.

        Raises RequestFailed (`notes_changed`) if someone else changes them at the same time.
        """
        with self._connections.client() as client:
            old, tag = client.notes(self.id)
            return self._take(client.write_notes(self.id, f"{old.rstrip()}\n\n{text}" if old.strip() else text, tag))

    def details(self) -> Details:
        """Return more details: names of the given variables, disk usage, host, stop sequence."""
        with self._connections.client() as client:
            return client.details(self.id)

    def diff(self, other: About | str | None = None) -> Difference:
        """Return the differences from another task, by default the previous run: `changes` are fields with the values
        `before` and `after`, `environment` names of variables.
        """
        with self._connections.client() as client:
            return client.diff(self.id, other.id if isinstance(other, About) else other)

    def export(self, path: str | os.PathLike[str]) -> None:
        """Write the ended task to a file, without its environment; `import_task` creates a task from it. An existing
        file is replaced only when the export is complete.
        """
        draft = f"{os.fspath(path)}.part"
        with self._connections.client() as client, open(draft, "wb") as file:
            for piece in client.export(self.id):
                file.write(piece)
        os.replace(draft, path)

    def again(
        self,
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
        resources: Mapping[str, Any] | None = None,
        gpus: float | None = None,
    ) -> Self:
        """Start a new task like this one, and return the new task. Options that are not given are the same.

        Args:
            env: variables to set in addition to those given to this task; None removes one.
            timeout: another time limit in seconds.
            metrics: how they are read from its output: `pattern`, `include`, `off`.
            place: where it runs, and `resources` what it requests there; at another place, nothing unless given.
            gpus: GPUs of the server's machine: a number, or a share of one.
        """
        with self._connections.client() as client:
            info = client.again(
                self.id,
                name=name,
                command=command,
                cwd=cwd,
                env=env,
                group=group,
                tags=tags,
                timeout=timeout,
                metrics=metrics,
                place=place,
                resources=resources,
                gpus=gpus,
            )
            return type(self)(info, self._connections)
