"""Small files that are complete or missing, never torn."""

from __future__ import annotations

import errno
import json
import os

from .platform import files as system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def write_json(path: str, value: object, *, durable: bool = False) -> None:
    """Write the JSON of `value` to `path`, as `write_bytes` does."""
    write_bytes(path, encode(value), durable=durable)


def write_bytes(path: str, data: bytes, *, durable: bool = False) -> None:
    """Write `data` to `path` in one step, readable by this user only (0600).

    With `durable`, it is on disk when this returns (fsync of the file and of its directory). If this raises OSError,
    the old file, if any, is unchanged. Concurrent writers, in threads or on machines that share the directory, do
    not conflict: the last one to finish wins.
    """
    draft = write_draft(path, data, durable=durable)
    try:
        system.replace(draft, path)
    except OSError:
        _remove(draft)
        raise
    if durable:
        system.sync_dir(os.path.dirname(path))


def write_draft(path: str, data: bytes, *, durable: bool = True) -> str:
    """Write `data` to a new file next to `path`, to be renamed to `path`, and return its path; with `durable`, its
    content is on disk. If this raises OSError, no file is left.
    """
    draft = beside(path)
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | system.BINARY, 0o600)
        try:
            write_all(fd, data)
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
    except OSError:
        _remove(draft)
        raise
    return draft


def beside(path: str) -> str:
    """Return a path next to `path` that does not exist."""
    # A random name: the process id is the same in two threads, and may be the same on two machines.
    return f"{path}.{os.urandom(8).hex()}"


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def remove_tree(path: str) -> None:
    """Remove a directory with everything in it, as far as possible."""
    from shutil import rmtree  # noqa: PLC0415  it brings compressors, and who stays long removes little

    rmtree(path, ignore_errors=True)


def flush(paths: Iterable[str]) -> None:
    """Flush files that were written without `durable` to disk, and the directory that they share; missing files are
    skipped. Raises OSError.
    """
    directory = ""
    for path in paths:
        try:
            fd = os.open(path, os.O_RDWR | system.BINARY)
        except FileNotFoundError:
            continue
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
        directory = os.path.dirname(path)
    if directory:
        system.sync_dir(directory)


def read_json(path: str) -> dict[str, Any] | None:
    """Return the JSON object in the file at `path`; None if the file is missing, torn or not a JSON object."""
    try:
        with open(path, "rb") as file:
            value = json.loads(file.read())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def read_own(path: str, limit: int) -> bytes:
    """Return the content of a file that only this user can change.

    Raises OSError: PermissionError for a file that belongs to another user, is not a regular file, or is writable by
    others; EFBIG for more than `limit` bytes.
    """
    with open(system.open_own(path), "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"more than {limit} bytes", path)
    return data


def encode(value: object) -> bytes:
    """Return the JSON of `value` as one line."""
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data` to a blocking descriptor."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
