"""A byte-for-byte copy of the files of a task that runs elsewhere. Pieces are written in a thread, in order, and
actions that depend on them run after them.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from contextlib import suppress

from ..core import relay
from ..core.files import write_bytes
from ..core.platform import files as system
from ..core.ring.format import index_path, list_bases, log_path, packed_path
from ..core.ring.packing import packed_size, restore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.paths import TaskFiles

_LOG = logging.getLogger(__name__)
#: Bytes written at a time.
_BATCH = 1 << 20
#: Seconds until a write that failed for lack of space is retried.
_RETRY = 1.0


class Copy:
    """Accepts the pieces of one tail; `put` writes them in a thread (see `write`). `acknowledge` is called with the
    number of written bytes. `close` it.
    """

    def __init__(self, put: Callable[[list[bytes]], int], acknowledge: Callable[[int], None]) -> None:
        self._put = put
        self._acknowledge = acknowledge
        self._queue: deque[bytes | Callable[[], None]] = deque()
        self._worker: asyncio.Task[None] | None = None

    def take(self, payload: bytes) -> None:
        """Queue a PART for writing."""
        self._queue.append(payload)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())

    def after(self, action: Callable[[], None]) -> None:
        """Call `action` when everything that was queued before it is written."""
        if self._worker is None:
            action()
        else:
            self._queue.append(action)

    def close(self) -> None:
        """Stop writing; pending work is dropped."""
        if self._worker is not None:
            self._worker.cancel()
        self._queue.clear()

    async def _work(self) -> None:
        try:
            while self._queue:
                parts, size = [], 0
                while self._queue and isinstance(self._queue[0], bytes) and size < _BATCH:
                    payload = self._queue.popleft()
                    assert isinstance(payload, bytes)
                    parts.append(payload)
                    size += len(payload)
                if parts:
                    self._acknowledge(await self._write(parts))
                elif callable(action := self._queue.popleft()):
                    action()
        finally:
            self._worker = None

    async def _write(self, parts: list[bytes]) -> int:
        while True:
            try:
                return await asyncio.to_thread(self._put, parts)
            except OSError as error:
                # The task does not wait for this: its output is kept where it runs.
                _LOG.warning("the copy of the output of a task cannot be written: %s", error)
                await asyncio.sleep(_RETRY)


def have(files: TaskFiles) -> list[int] | None:
    """Return the newest segment of a copy, and the size of its log; None if there is none."""
    bases = list_bases(files.output)
    if not bases:
        return None
    try:
        return [bases[-1], os.stat(log_path(files.output, bases[-1])).st_size]
    except FileNotFoundError:
        return [bases[-1], packed_size(packed_path(files.output, bases[-1]))]


def write(files: TaskFiles, parts: list[bytes]) -> int:
    """Write PARTs, and return how many bytes of the ring they had. Raises OSError; it is safe to write them again."""
    system.private_dir(files.output)
    for payload in parts:
        kind, base, offset, data = relay.piece(payload)
        if kind == relay.LOG:
            _write_at(_unpacked(files, base), data, offset)
        elif kind == relay.INDEX:
            _write_at(_unpacked(files, base), b"", 0)  # empty output has no other piece
            _write_at(index_path(files.output, base), data, offset)
        elif kind == relay.DROPPED:
            _drop(files, base)
        elif kind == relay.RECORD:
            write_bytes(files.exit, data, durable=True)
        elif kind == relay.HOST:
            write_bytes(files.host, data)
    return length(parts)


def length(parts: list[bytes]) -> int:
    """Return how many bytes of the ring PARTs have."""
    pieces = map(relay.piece, parts)
    return sum(len(data) for kind, _, _, data in pieces if kind in (relay.LOG, relay.INDEX))


def _unpacked(files: TaskFiles, base: int) -> str:
    """Return the path of a log; decompress it if it was compressed after the previous attempt."""
    path = log_path(files.output, base)
    if not os.path.exists(path) and os.path.exists(packed_path(files.output, base)):
        restore(files.output, base)
    return path


def _write_at(path: str, data: bytes, offset: int) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | system.BINARY, 0o600)
    try:
        while data:
            count = system.pwrite(fd, data, offset)
            data, offset = data[count:], offset + count
    finally:
        os.close(fd)


def _drop(files: TaskFiles, first: int) -> None:
    for base in list_bases(files.output):
        if base < first:
            for path in (log_path, packed_path, index_path):
                with suppress(FileNotFoundError):
                    system.remove(path(files.output, base))
