"""Small files that are there whole or not at all."""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def write_json(path: str, value: object, *, durable: bool = False) -> None:
    """Put `value` at `path` in one step, readable by this user alone (0600).

    With `durable` it is on the disk when this returns (fsync of the file and of its directory). Raises OSError; the old
    file, if any, is untouched then. Several writers at once, in threads or on machines that share the directory, do
    not disturb each other: the last one to finish wins.
    """
    # A name that nobody else chooses: process ids are alike on two machines, and so are they in two threads.
    draft = f"{path}.{os.urandom(8).hex()}"
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            write_all(fd, encode(value))
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(draft, path)
    except OSError:
        try:
            os.unlink(draft)
        except OSError:
            pass
        raise
    if durable:
        sync_dir(os.path.dirname(path))


def read_json(path: str) -> dict[str, Any] | None:
    """Give the object at `path`, or None where there is none, whole and readable: it may be missing, torn or
    garbage.
    """
    try:
        with open(path, "rb") as file:
            value = json.loads(file.read())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def encode(value: object) -> bytes:
    """Give the JSON of `value` as one line."""
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data` to a blocking descriptor."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync_dir(path: str) -> None:
    """Bring the names in a directory to the disk (after a rename)."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
