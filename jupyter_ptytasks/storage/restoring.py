"""Restores a file if a block that replaces it fails."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress

from ..core import files
from ..core.errors import FULL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def kept(path: str) -> Iterator[None]:
    """Restore the existing file at `path` if the block raises, even on a full disk. Raises OSError."""
    # A hard link to the old file, so that restoring it needs no space.
    old = files.beside(path)
    try:
        os.link(path, old)
    except OSError as error:
        if error.errno in FULL:
            raise
        from shutil import copy2  # noqa: PLC0415  for a file system without links

        copy2(path, old)
    try:
        yield
    except BaseException:
        os.replace(old, path)
        raise
    finally:
        # Needed after os.replace too, which does nothing if both names are the same file (rename(2)).
        with suppress(FileNotFoundError):
            os.unlink(old)
