"""Compression of complete segments: `<base>.log.gz` replaces `<base>.log` (gzip, RFC 1952, so zless and zgrep can read
them).
"""

from __future__ import annotations

import os

from ..files import write_all
from ..platform import files
from .format import list_bases, log_path, packed_path

#: Maximum size of a segment to compress, in bytes: a reader has to unpack a segment as a whole.
_SEGMENT_MAX = 16 << 20


def pack(directory: str, base: int) -> int:
    """Compress the segment at `base`, unless it is already compressed; return how many bytes were read.

    The caller holds the task's lock, so there is no writer. Readers find one of the two files at any time.
    If this raises OSError, the segment is unchanged.
    """
    import zlib  # noqa: PLC0415  a ptyhost never packs

    source = log_path(directory, base)
    try:
        with open(source, "rb") as file:
            if os.fstat(file.fileno()).st_size > _SEGMENT_MAX:
                return 0
            data = file.read()
    except FileNotFoundError:
        return 0
    # The gzip format (RFC 1952), whose last four bytes are the length.
    packer = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    target = packed_path(directory, base)
    draft = f"{target}.draft"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | files.BINARY, 0o600)
    try:
        try:
            write_all(fd, packer.compress(data) + packer.flush())
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(draft, target)
    except OSError:
        os.unlink(draft)
        raise
    files.sync_dir(directory)
    os.unlink(source)
    return len(data)


def unpack(data: bytes) -> bytes:
    """Return the content of a packed segment. Raises OSError if it is damaged."""
    import zlib  # noqa: PLC0415  most rings have no packed segments

    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        return unpacker.decompress(data, _SEGMENT_MAX)
    except zlib.error as error:
        raise OSError(f"a damaged segment: {error}") from error


def restore(directory: str, base: int) -> None:
    """Unpack a segment in place, for a writer that continues it. Raises OSError."""
    source = packed_path(directory, base)
    with open(source, "rb") as file:
        data = unpack(file.read())
    draft = f"{log_path(directory, base)}.draft"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | files.BINARY, 0o600)
    try:
        try:
            write_all(fd, data)
        finally:
            os.close(fd)
        os.rename(draft, log_path(directory, base))
    except OSError:
        os.unlink(draft)
        raise
    os.unlink(source)


def packed_size(path: str) -> int:
    """Return how many bytes a packed segment contains. Raises OSError."""
    with open(path, "rb") as file:
        file.seek(-4, os.SEEK_END)
        return int.from_bytes(file.read(4), "little")


def bases_to_pack(directory: str) -> list[int]:
    """Return the bases of the segments that are not packed, in order."""
    return [base for base in list_bases(directory) if os.path.exists(log_path(directory, base))]
