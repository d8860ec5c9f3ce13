"""The emulator: a program that draws output with the package pyghostty, and returns what a terminal then shows.

It is run as a script, by its path (see `screen`), and imports nothing of this project. A request on standard input is a
line of JSON (`rows`, `cols` and `size`), followed by `size` bytes; the response is a line of JSON on standard output.
It exits at the end of its input, or when it has been idle for a while.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # This directory has modules that would shadow others.
    sys.path.pop(0)

import json
import os
import re
import select
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

#: Seconds without a request after which it exits: it takes about 30 MiB, and half a second to start.
_IDLE = 60.0
#: Which colors the palette has; a formatted screen begins with all 256 of them.
_PALETTE = re.compile(r"\x1b\]4;[^\x1b]*\x1b\\")


def show(ghostty: ModuleType, data: bytes, rows: int, cols: int) -> dict[str, Any]:
    """Return what a terminal of this size shows after `data`."""
    core = ghostty.core
    with ghostty.Terminal(cols=cols, rows=rows, scrollback=0) as terminal:
        terminal.feed(data)
        x, y = terminal.cursor
        lines = terminal.text().split("\n")
        title = terminal.get("title", "GhosttyString")
        return {
            "rows": rows,
            "cols": cols,
            "cursor": {"row": y, "col": x, "visible": terminal.mode(25)},
            "lines": (lines + [""] * rows)[:rows],
            "title": core.ffi.buffer(title.ptr, title.len)[:].decode("utf-8", "replace") if title.len else "",
            "alternate": terminal.get("active_screen", "GhosttyTerminalScreen")
            == core.lib.GHOSTTY_TERMINAL_SCREEN_ALTERNATE,
            "ansi": _with_colors(core, terminal, rows, cols),
        }


def _with_colors(core: ModuleType, terminal: Any, rows: int, cols: int) -> str:
    """Return the rows of a screen with SGR sequences, without empty ones at the end."""
    selection = core.init_sized("GhosttySelection")
    selection.start = terminal.ref(0, 0)[0]
    selection.end = terminal.ref(cols - 1, rows - 1)[0]
    options = core.init_sized("GhosttyTerminalSelectionFormatOptions")
    options.emit, options.trim, options.selection = core.lib.GHOSTTY_FORMATTER_FORMAT_VT, True, selection

    def write(buffer: Any, size: int, written: Any) -> Any:
        return core.lib.ghostty_terminal_selection_format_buf(terminal._t[0], options[0], buffer, size, written)  # noqa: SLF001

    drawn: str = _PALETTE.sub("", core.read_buf(write))
    return drawn.replace("\r\n", "\n").rstrip("\n") + "\x1b[0m\n"


def _requests() -> Iterator[dict[str, Any]]:
    """Iterate over requests, each with its `data`."""
    source = sys.stdin.buffer
    # Requests are not pipelined, so unread data is never in the buffer.
    while select.select([source], [], [], _IDLE)[0]:
        line = source.readline()
        if not line:
            return
        request = json.loads(line)
        request["data"] = source.read(request.pop("size"))
        yield request


def main() -> None:
    """Handle requests. Output of the package must not be taken for a response."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for request in _requests():
        try:
            import pyghostty.core  # noqa: PLC0415  only now somebody hears of it if it is not there

            answer = show(pyghostty, **request)
        except (ImportError, OSError) as error:
            answer = {"missing": str(error)}
        except Exception as error:  # noqa: BLE001  whatever it is, the one who asks is to know
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
