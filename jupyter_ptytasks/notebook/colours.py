"""The last lines of a terminal's output: as they stand there in the end, with colours and nothing else."""

from __future__ import annotations

import re

from ..core.terminal.collapse import collapse
from ..core.terminal.lines import lines_of

#: What moves the cursor within a line (CUF, CUB, CHA), erases in it (EL) or colours it (SGR); then the rest of ECMA-48.
_TOKEN = re.compile(
    r"(?P<colour>\x1b\[[0-9;:]*m)|(?P<erase>\x1b\[[0-2]?K)|(?P<back>\r|\x08)|\x1b\[(?P<by>\d*)(?P<move>[CDG])"
    r"|\x1b\[[0-?]*[ -/]*[@-~]?|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?|[\x00-\x07\x0b-\x1f\x7f]"
)
_RESET = re.compile(r"\x1b\[(?:0*;)*0*m")
_PLAIN = "\x1b[0m"
#: Columns that a terminal has at most.
_FARTHEST = 1000


def last_lines(data: bytes, count: int, limit: int, *, columns: int, whole: bool) -> str:
    """Give the last `count` lines of what a terminal of so many columns got, of them at most the last `limit` bytes.

    Each ends with a line feed, and begins without colour. `whole` says that `data` begins with a line.
    """
    text = collapse(data, columns).decode("utf-8", "replace").replace("\r\n", "\n")
    lines = _put_together(text)
    if lines and not lines[-1]:
        del lines[-1]
    if not whole and len(lines) > 1:
        del lines[0]
    lines = lines[-count:]
    while len(lines) > 1 and sum(len(line.encode()) + 1 for line in lines) > limit:
        del lines[0]
    shown = "".join(f"{line}\n" for line in lines)
    if len(shown.encode()) <= limit:
        return shown
    # One line that is too long: its end, plain, for its colours may have begun before.
    return plain(shown).encode()[-limit:].decode(errors="ignore")


def plain(text: str) -> str:
    """Take the colours out."""
    return "\n".join(lines_of(text.encode()))


def _put_together(text: str) -> list[str]:
    """Give lines with their colours. A colour goes on in the next line, as it does in a terminal."""
    lines, pen = [], ""
    for line in text.split("\n"):
        shown, pen = _line(line, pen)
        lines.append(shown)
    return lines


def _line(line: str, pen: str) -> tuple[str, str]:
    """Give a line as it stands there in the end, and the pen behind it: all colours since the last reset."""
    cells: list[tuple[str, str]] = []
    at = position = 0
    for token in [*_TOKEN.finditer(line), None]:
        for char in line[position : token.start() if token else None]:
            cells += [("", " ")] * (at - len(cells))
            cells[at : at + 1] = [(pen, char)]
            at += 1
        if token is None:
            break
        position = token.end()
        if colour := token["colour"]:
            pen = "" if _RESET.fullmatch(colour) else pen + colour
        elif erase := token["erase"]:
            cells[0 if erase[2] == "2" else at :] = [("", " ")] * (at if erase[2] == "2" else 0)
        elif token["back"]:
            at = 0 if token["back"] == "\r" else max(at - 1, 0)
        elif move := token["move"]:
            by = min(int(token["by"] or 1), _FARTHEST)
            at = max({"C": at + by, "D": at - by, "G": by - 1}[move], 0)
    return _drawn(cells), pen


def _drawn(cells: list[tuple[str, str]]) -> str:
    while cells and cells[-1][1] == " " and "\x1b[4" not in cells[-1][0] and "\x1b[7" not in cells[-1][0]:
        cells.pop()
    parts, drawn = [], ""
    for pen, char in cells:
        if pen != drawn:
            parts.append((_PLAIN if drawn else "") + pen)
            drawn = pen
        parts.append(char)
    return "".join(parts) + (_PLAIN if drawn else "")
