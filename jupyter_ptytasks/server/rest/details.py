"""The routes that tell what a task is: its details, its notes, and what differs from the run before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import BadRequest, TaskNotFound
from ...storage.notes import tag_of
from . import bodies, queries
from .base import TaskHandler, needs

if TYPE_CHECKING:
    from .. import details


class _About(TaskHandler):
    @property
    def details(self) -> details.Details:
        """What tells more of a task than lists do."""
        found: details.Details = self.settings["ptytasks_details"]
        return found


class Details(_About):
    """`/tasks/{ref}/details`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return what lists do not tell of a task."""
        self.query(queries.Strict)
        self.send(await self.details.of(ref))


class Difference(_About):
    """`/tasks/{ref}/diff`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return what differs from another task, by default the run before."""
        other = self.query(queries.Difference).other
        if other is not None:
            try:
                other = (await self.control.get(other)).id
            except TaskNotFound as error:
                raise TaskNotFound(str(error), field="with") from error
        self.send(await self.details.difference(ref, other))


class Notes(TaskHandler):
    """`/tasks/{ref}/notes`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return the notes of a task, and their tag as `ETag`."""
        self.query(queries.Strict)
        text = await self.control.read_notes(ref)
        self.set_header("ETag", f'"{tag_of(text)}"')
        self.send({"notes": text})

    @needs("write")
    async def put(self, ref: str) -> None:
        """Replace the notes of a task, if they are still those that `If-Match` names."""
        body = self.body(bodies.WrittenNotes)
        task = await self.control.write_notes(ref, body.notes, self._expected())
        self.set_header("ETag", f'"{tag_of(body.notes)}"')
        self.send_task(task)

    def _expected(self) -> str | None:
        """Return the tag in `If-Match`; None for `*`. Raises BadRequest without one, so that no client overwrites what
        they have not seen.
        """
        given = self.request.headers.get("If-Match", "").strip()
        if given == "*":
            return None
        if len(given) < 2 or given[0] != '"' or given[-1] != '"':
            raise BadRequest("If-Match: the ETag of the notes that you have seen is required, or *", field="If-Match")
        return given[1:-1]

    def compute_etag(self) -> None:
        """Leave the tag to `get` and `put`: tornado would answer 304 by one of its own."""
