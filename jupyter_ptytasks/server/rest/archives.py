"""The routes for tasks as files: export and import."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from jupyter_server.utils import ensure_async, url_path_join
from tornado import web
from tornado.iostream import StreamClosedError

from ...core.errors import TooLarge, storage_fault
from ...core.platform import files as system
from . import archive_bodies, queries
from .base import TaskHandler, needs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...core.model import Task
    from ..archiving import Archives
    from .base import Action

_TYPE = "application/gzip"
#: Importing runs nothing.
_NEEDED: Action = "write"


class Export(TaskHandler):
    """`/tasks/{ref}/export`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return an ended task as a file, without its environment."""
        query = self.query(queries.ExportQuery)
        archives: Archives = self.settings["ptytasks_archives"]
        task, pieces = await archives.export(ref)
        self.set_header("Content-Type", _TYPE)
        if query.download:
            name = f"{quote(task.name, safe='')}.ptytask.tar.gz"
            self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{name}")
        while self.request.method != "HEAD" and (piece := await asyncio.to_thread(_next, pieces)):
            self.write(piece)
            try:
                # As much as the client takes; the next piece is made when it has this one.
                await self.flush()
            except StreamClosedError:
                return
        self.finish(set_content_type=_TYPE)


def _next(pieces: Iterator[bytes]) -> bytes:
    return next(pieces, b"")


@web.stream_request_body
class Import(TaskHandler):
    """`/import`: the body is an archive, which is streamed to disk."""

    _file: BinaryIO | None = None
    _size = 0

    @property
    def archives(self) -> Archives:
        """The verbs for archives."""
        archives: Archives = self.settings["ptytasks_archives"]
        return archives

    async def prepare(self, *args: Any, **kwargs: Any) -> Any:
        """Check the permission before the body is read: `post` is called only after all of it has arrived."""
        self._stack = AsyncExitStack()
        await super().prepare(*args, **kwargs)
        if self.request.method != "POST" or self._finished:
            return
        if not self.current_user or not await ensure_async(
            self.authorizer.is_authorized(self, self.current_user, _NEEDED, self.auth_resource)
        ):
            raise web.HTTPError(403)
        self.query(queries.Strict)
        self._id = self.archives.new_id()
        self._path = await self._stack.enter_async_context(self.archives.upload(self._id))
        self._file = self._stack.enter_context(await asyncio.to_thread(_create, self._path))

    async def data_received(self, chunk: bytes) -> None:
        """Save a part of the body."""
        if self._file is None:
            return
        self._size += len(chunk)
        # More than this is not needed to see that it is too large.
        if self._size <= self.archives.limit:
            await asyncio.to_thread(_write, self._file, chunk)

    @needs(_NEEDED)
    async def post(self) -> None:
        """Import a task: 201."""
        async with self._stack:
            task = await self._imported()
        self.set_header("Location", url_path_join(self.base_url, "ptytasks", "api", "tasks", quote(task.id)))
        self.send_task(task, 201)

    async def _imported(self) -> Task:
        if self._size > self.archives.limit:
            message = f"archive: has {self._size} bytes; the limit is {self.archives.limit}"
            raise TooLarge(message, field="archive")
        assert self._file is not None
        await asyncio.to_thread(self._file.close)
        return await self.archives.add(self._id, self._path, archive_bodies.archived)

    def on_finish(self) -> None:
        """Delete the upload if `post` was not called."""
        super().on_finish()
        self._clean_up()

    def on_connection_close(self) -> None:
        """Delete an incomplete upload."""
        super().on_connection_close()
        self._clean_up()

    def _clean_up(self) -> None:
        self._closing = asyncio.ensure_future(self._stack.pop_all().aclose())


def _create(path: str) -> BinaryIO:
    try:
        return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | system.BINARY, 0o600), "wb")
    except OSError as error:
        raise storage_fault(error, "the archive") from error


def _write(file: BinaryIO, data: bytes) -> None:
    try:
        file.write(data)
    except OSError as error:
        raise storage_fault(error, "the archive") from error
