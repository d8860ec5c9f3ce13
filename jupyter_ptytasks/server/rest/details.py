"""The routes for details of a task, its notes, and its differences from the previous run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.errors import BadRequest, TaskNotFound
from ...storage.notes import tag_of
from . import change_bodies, queries
from .base import TaskHandler, needs

if TYPE_CHECKING:
    from .. import details


class _About(TaskHandler):
    @property
    def details(self) -> details.Details:
        """The verbs for details."""
        found: details.Details = self.settings["ptytasks_details"]
        return found


class Details(_About):
    """`/tasks/{ref}/details`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return the details of a task."""
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
        """Return the notes of a task, with an `ETag`."""
        self.query(queries.Strict)
        text = await self.control.read_notes(ref)
        self.set_header("ETag", f'"{tag_of(text)}"')
        self.send({"notes": text})

    @needs("write")
    async def put(self, ref: str) -> None:
        """Replace the notes of a task, if `If-Match` still matches."""
        body = self.body(change_bodies.WrittenNotes)
        task = await self.control.write_notes(ref, body.notes, self._expected())
        self.set_header("ETag", f'"{tag_of(body.notes)}"')
        self.send_task(task)

    def _expected(self) -> str | None:
        """Return the ETag in `If-Match`; None for `*`. Raises BadRequest without one, so that no client overwrites
        notes that it has not seen.
        """
        given = self.request.headers.get("If-Match", "").strip()
        if given == "*":
            return None
        if len(given) < 2 or given[0] != '"' or given[-1] != '"':
            raise BadRequest("If-Match: the ETag of the notes that you have seen is required, or *", field="If-Match")
        return given[1:-1]

    def compute_etag(self) -> None:
        """Leave the ETag to `get` and `put`: tornado would respond with 304 by its own."""
