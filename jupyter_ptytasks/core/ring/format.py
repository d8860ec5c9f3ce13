"""The format of a ring's files (docs/architecture.md, "On disk").

A segment is two files, named by the offset of its first byte in twenty digits, so that they sort:

* `<base>.log`: the task's raw output, nothing else; `<base>.log.gz` once it is compressed (see packing);
* `<base>.idx`: a keyframe, then records with times and terminal sizes.

The keyframe has the terminal state that is needed to continue from the base, so a replay can start at any segment, no
matter how much before it has been dropped. An index may be missing or torn; the log is still usable.
"""

from __future__ import annotations

import json
import os
import re
import struct

from ..terminal.modes import TerminalModes

MAGIC = b"PTYIDX1\n"
LENGTHS = struct.Struct(">II")  #: of the JSON and of the scrollback, after the magic number
#: Unix time of the bytes before `offset`, and the rows and cols from there on.
RECORD = struct.Struct(">dQHHI")

_LOG_NAME = re.compile(r"(\d{20})\.log(?:\.gz)?")


class Keyframe:
    """The terminal state that is needed to continue from the base of a segment.

    `line` is the number of line feeds before the base, `modes` the state of the terminal there, `scrollback` the output
    that draws the last lines of its normal screen (from replay.keyframe), `time` when the segment was started (Unix
    seconds).
    """

    __slots__ = ("cols", "line", "modes", "rows", "scrollback", "time")

    def __init__(
        self, *, line: int, time: float, rows: int, cols: int, modes: TerminalModes, scrollback: bytes
    ) -> None:
        self.line = line
        self.time = time
        self.rows = rows
        self.cols = cols
        self.modes = modes
        self.scrollback = scrollback

    def encode(self) -> bytes:
        """Return the beginning of an index file."""
        about = {
            "line": self.line,
            "time": self.time,
            "rows": self.rows,
            "cols": self.cols,
            "ledger": self.modes.to_json(),
        }
        head = json.dumps(about, separators=(",", ":")).encode()
        return MAGIC + LENGTHS.pack(len(head), len(self.scrollback)) + head + self.scrollback


def decode_index(data: bytes) -> tuple[Keyframe, int] | None:
    """Read the beginning of an index file: the keyframe and where the records start. None if it is torn or garbage."""
    if not data.startswith(MAGIC) or len(data) < len(MAGIC) + LENGTHS.size:
        return None
    head_length, carry_length = LENGTHS.unpack_from(data, len(MAGIC))
    start = len(MAGIC) + LENGTHS.size
    end = start + head_length + carry_length
    if len(data) < end:
        return None
    try:
        about = json.loads(data[start : start + head_length])
        keyframe = Keyframe(
            line=int(about["line"]),
            time=float(about["time"]),
            rows=int(about["rows"]),
            cols=int(about["cols"]),
            modes=TerminalModes.from_json(about["ledger"]),
            scrollback=data[start + head_length : end],
        )
    except (ValueError, KeyError, TypeError):
        return None
    return keyframe, end


def log_path(directory: str, base: int) -> str:
    """Return the path of the log of the segment at `base`."""
    return os.path.join(directory, f"{base:020d}.log")


def packed_path(directory: str, base: int) -> str:
    """Return the path of the log of the segment at `base` once it is compressed."""
    return log_path(directory, base) + ".gz"


def index_path(directory: str, base: int) -> str:
    """Return the path of the index of the segment at `base`."""
    return os.path.join(directory, f"{base:020d}.idx")


def list_bases(directory: str) -> list[int]:
    """Return the offsets at which segments begin, in order; empty if there is no ring."""
    try:
        names = os.listdir(directory)
    except OSError:
        return []
    return sorted({int(match[1]) for name in names if (match := _LOG_NAME.fullmatch(name))})
