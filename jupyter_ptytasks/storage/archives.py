"""Archives of tasks: a gzipped tar (ustar) with a description of the task and its files. Blocking.

Only regular files with known names and limited sizes are accepted. So a reader need not trust the author, and only
needs memory for one block.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import tarfile
import zlib

from ..core.errors import BadRequest, TooLarge
from ..core.files import write_all
from ..core.metrics import stored
from ..core.platform import files as system
from ..core.ring.format import decode_index, index_path, log_path
from ..core.ring.reader import RingReader
from . import notes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, BinaryIO

    from ..core.paths import TaskFiles

#: The member that describes the task. It comes first.
ABOUT = "task.json"
_ABOUT_MAX = 1 << 20
_NOTES, _METRICS = "notes.md", "metrics"
_OUTPUT = re.compile(r"output/(\d{20})\.(log|idx)")
#: Bytes of an index that are certain to contain its keyframe.
_KEYFRAME_MAX = 1 << 19
#: Bytes that are read and written at a time.
_BLOCK = 1 << 18
_UNIT = tarfile.BLOCKSIZE


# -- writing ----------------------------------------------------------------------------------------------------------


def written(about: dict[str, Any], files: TaskFiles) -> Iterator[bytes]:
    """Iterate over the bytes of the archive of an ended task, in pieces of limited size.

    Args:
        about: the description of the task, as JSON.

    Raises:
        OSError: a file became shorter while it was read, for example because the task was deleted.
    """
    packer = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for piece in _members(about, files):
        packed = packer.compress(piece)
        if packed:
            yield packed
    yield packer.flush()


def _members(about: dict[str, Any], files: TaskFiles) -> Iterator[bytes]:
    data = json.dumps(about, ensure_ascii=False, indent=1).encode()
    yield from _member(ABOUT, len(data), iter([data]))
    for name, path in ((_NOTES, files.notes), (_METRICS, files.metrics)):
        yield from _file(name, path)
    with RingReader(files.output) as ring:
        bases = ring.bases()
        end = ring.bounds()[1]
        for base, behind in zip(bases, [*bases[1:], end]):  # noqa: B905  Python 3.9
            length = _length(ring, base, behind)
            yield from _member(log_path("output", base), length, _content(ring, base, behind))
            path = index_path(files.output, base)
            if _has_keyframe(path):
                yield from _file(index_path("output", base), path)
    yield bytes(2 * _UNIT)


def _length(ring: RingReader, base: int, behind: int) -> int:
    """Return how many bytes a segment has before a gap, which a truncated segment has at its end."""
    length = 0
    for offset, data in ring.blocks(base, behind, _BLOCK):
        if offset != base + length:
            break
        length += len(data)
    return length


def _content(ring: RingReader, base: int, behind: int) -> Iterator[bytes]:
    at = base
    for offset, data in ring.blocks(base, behind, _BLOCK):
        if offset != at:
            break
        at += len(data)
        yield data


def _file(name: str, path: str) -> Iterator[bytes]:
    try:
        fd = system.open_own(path)
    except OSError:
        return
    with open(fd, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size:
            yield from _member(name, size, iter(lambda: file.read(_BLOCK), b""))


def _member(name: str, size: int, content: Iterator[bytes]) -> Iterator[bytes]:
    """Iterate over the bytes of a file in the archive. Data that is appended to the file meanwhile is left out."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    yield info.tobuf(tarfile.USTAR_FORMAT)
    left = size
    for data in content:
        if not left:
            break
        yield data[:left]
        left -= len(data[:left])
    if left:
        raise OSError(f"{name} became shorter while it was read")
    yield bytes(-size % _UNIT)


def _has_keyframe(path: str) -> bool:
    """Return whether the index at `path` can be read. A damaged index is left out: the log is valid without it."""
    try:
        with open(system.open_own(path), "rb") as file:
            return decode_index(file.read(_KEYFRAME_MAX)) is not None
    except OSError:
        return False


# -- reading ----------------------------------------------------------------------------------------------------------


def unpacked(source: BinaryIO, files: TaskFiles, limit: int) -> Any:
    """Write the files of an archive to an existing directory, and return its description of the task (JSON).

    Args:
        limit: the most bytes that the archive may unpack to.

    Raises:
        BadRequest: the archive is damaged, or contains an unexpected file.
        TooLarge: it has more than `limit` bytes.
        OSError: the files cannot be written.
    """
    reader = _Reader(source, limit)
    about: Any = None
    seen: set[str] = set()
    behind = 0
    for name, size in reader.members():
        if name in seen:
            raise _bad(f"{name}: occurs twice")
        if (name == ABOUT) is not (not seen):
            raise _bad(f"{ABOUT}: must be the first file")
        seen.add(name)
        if name == ABOUT:
            about = _described(reader.whole(name, size, _ABOUT_MAX))
        elif name == _NOTES:
            _write(files.notes, [reader.whole(name, size, notes.MAX)])
        elif name == _METRICS:
            data = reader.whole(name, size, stored.LONGEST)
            if not stored.decode(data):
                raise _bad(f"{name}: cannot be read")
            _write(files.metrics, [data])
        elif match := _OUTPUT.fullmatch(name):
            os.makedirs(files.output, 0o700, exist_ok=True)
            base = int(match[1])
            if match[2] == "log":
                if base < behind:
                    raise _bad(f"{name}: overlaps with the file before it")
                behind = base + size
                _write(log_path(files.output, base), reader.parts(name, size))
            else:
                _write(index_path(files.output, base), reader.parts(name, size))
                _check_index(name, index_path(files.output, base))
        else:
            raise _bad(f"{name[:100]!r}: no archive of a task has such a file")
    if about is None:
        raise _bad("it is empty")
    return about


def _bad(message: str) -> BadRequest:
    return BadRequest(f"not a valid archive of a task: {message}", field="archive")


def _described(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _bad(f"{ABOUT}: {error}") from error


def _write(path: str, parts: Any) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | system.BINARY, 0o600)
    try:
        for part in parts:
            write_all(fd, part)
        os.fsync(fd)
    finally:
        os.close(fd)


def _check_index(name: str, path: str) -> None:
    with open(path, "rb") as file:
        data = file.read(_KEYFRAME_MAX)
    try:
        is_good = decode_index(data) is not None
    except Exception:  # noqa: BLE001  later readers must not encounter a damaged index
        is_good = False
    if not is_good:
        raise _bad(f"{name}: cannot be read")


class _Reader:
    """Reads an archive sequentially."""

    def __init__(self, source: BinaryIO, limit: int) -> None:
        self._stream = gzip.GzipFile(fileobj=source, mode="rb")
        self._limit = self._left = limit

    def members(self) -> Iterator[tuple[str, int]]:
        """Iterate over the names and sizes of the files. Read the content of each before advancing to the next."""
        while any(head := self._read(_UNIT)):
            try:
                info = tarfile.TarInfo.frombuf(head, "utf-8", "strict")
            except (tarfile.HeaderError, ValueError) as error:
                raise _bad(f"the header of a file is damaged: {error}") from error
            if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.size < 0:
                raise _bad(f"{info.name[:100]!r}: is not a regular file")
            yield info.name, info.size
        while self._read(_BLOCK, is_last=True):
            pass  # read to the end, where the checksum is

    def whole(self, name: str, size: int, limit: int) -> bytes:
        """Return the content of a file. Raises TooLarge if it has more than `limit` bytes."""
        if size > limit:
            raise TooLarge(f"archive: {name} has {size} bytes; the limit is {limit}", field="archive")
        return b"".join(self.parts(name, size))

    def parts(self, name: str, size: int) -> Iterator[bytes]:
        """Iterate over the content of a file."""
        if size > self._left:
            raise self._too_large()
        left = size
        while left:
            data = self._read(min(left, _BLOCK))
            left -= len(data)
            yield data
        padding = self._read(-size % _UNIT)
        if any(padding):
            raise _bad(f"{name}: is damaged")

    def _too_large(self) -> TooLarge:
        return TooLarge(f"archive: its files have more than {self._limit} bytes", field="archive")

    def _read(self, size: int, *, is_last: bool = False) -> bytes:
        """Return `size` bytes; with `is_last`, fewer or none at the end."""
        if not size:
            return b""
        try:
            data = self._stream.read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise _bad(str(error)) from error
        self._left -= len(data)
        if self._left < 0:
            raise self._too_large()
        if len(data) < size and not is_last:
            raise _bad("it is cut off")
        return data
