"""Controls: from a non-text token of a terminal's output to its effect on the grid.

There are few different tokens: the function for one is looked up once (by `Controls.act`) and then only called.
"""

from __future__ import annotations

import re
from functools import partial

from .cells import NULL
from .grid import Grid
from .tokens import TOKEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .paint import Paint

    Act = Callable[[], "int | None"]

#: Return values of an act besides None: the previous character is still remembered (for REP and combining marks); the
#: alternate screen is active from here on.
KEEPS, LEFT = 1, 2

_CSI = re.compile(r"\x1b\[([<-?]?)([0-9;:]*)([ -/]*)([@-~])")
_WELL_FORMED = re.compile(r"\x1b(?:\[[<-?]?[0-;]*[ -/]*[@-~]|[ -/]*[0-~])")
_KIND = re.compile(r"\x1b[\x00-\x17\x19\x1c-\x1f\x7f]*([^\x00-\x1f\x7f])?")
_INSIDE = re.compile(r"[\x00-\x17\x19\x1c-\x1f]+")

#: Where the DEC special graphics (ESC ( 0) differ from ASCII, and the British set (ESC ( A).
_CHARSETS = {
    "0": str.maketrans("`abcdefghijklmnopqrstuvwxyz{|}~", "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"),
    "A": str.maketrans("#", "£"),
}
_KNOWN_CHARSETS = "0AB4C5RQKYE6ZH7="
_LEVELS = {"(": 0, ")": 1, "*": 2, "+": 3, "-": 1, ".": 2}
_SHIFTS = {"\x0f": 0, "\x0e": 1, "n": 2, "o": 3, "|": 3, "}": 2, "~": 1}
#: Maximum number of cached acts, since the colors of images drawn as text are all different.
_MOST_ACTS = 4096


class Controls:
    """The state that determines how text is drawn on `grid`: charsets, the pen, the active screen.

    `table` translates characters before they are drawn (str.translate), None if not needed. `strings` is called with
    each OSC, DCS, APC, PM and SOS on the normal screen, and with those whose effect outlasts the alternate screen.
    """

    __slots__ = ("_acts", "_charset", "_charsets", "_saved", "_shift", "alternate", "grid", "paint", "strings", "table")

    def __init__(self, grid: Grid, paint: Paint | None, strings: Callable[[str], None] | None = None) -> None:
        self.grid = grid
        self.paint = paint
        self.strings = strings
        self.alternate = False
        self._acts: dict[str, Act] = {}
        self._saved = (NULL, "B")
        self._reset_charsets()

    def copy_to(self, other: Controls) -> None:
        """Bring another one into the same state."""
        other.alternate, other.table = self.alternate, self.table
        other._saved, other._charset, other._charsets, other._shift = (
            self._saved,
            self._charset,
            list(self._charsets),
            self._shift,
        )

    def act(self, token: str) -> Act:
        """Return the function for a token; it must be called in the state in which the token arrived."""
        found = self._acts.get(token)
        if found is None:
            if len(self._acts) >= _MOST_ACTS:
                self._acts.clear()
            found = self._compile(token)
            if len(token) < 64:
                self._acts[token] = found
        return found

    # -- parsing tokens -----------------------------------------------------------------------------------------------

    def _compile(self, token: str) -> Act:
        first = token[0]
        if first != "\x1b":
            return self._compile_control(first, len(token))
        csi = _CSI.match(token)
        if csi and csi.end() == len(token):
            return self._compile_csi(csi[1] + csi[3] + csi[4], csi[2])
        if token.endswith("m") and csi and csi[4] == "m" and not csi[1] + csi[3]:
            return self._compile_colors(token[2:-1])
        if len(token) == 2 and "0" <= token[1] <= "~":
            return self._compile_escape(token[1])
        return self._compile_other(token)

    def _compile_control(self, char: str, count: int) -> Act:
        grid = self.grid
        if char == "\n":
            return partial(self._line_feeds, count)
        if char in "\x0b\x0c":
            return partial(self._times, grid.line_feed, count)
        if char == "\r":
            return self._return
        if char == "\b":
            return partial(self._go_back, count)
        if char == "\t":
            return partial(grid.tab, count)
        if char in "\x0e\x0f":
            return partial(self._set_shift, _SHIFTS[char])
        return _keep if char == "\x7f" else _nothing

    def _compile_csi(self, function: str, parameters: str) -> Act:
        grid = self.grid
        if function in ("?K", "?J"):
            # Protection is ignored: nothing sets it.
            function = function[1]
        what = _SEQUENCES.get(function)
        if what is not None:
            count = _number(parameters.split(";", 1)[0]) or 1
            return partial(what, grid, count)
        if function == "m":
            return self._compile_colors(parameters)
        if function in ("H", "f"):
            row, column = _number(parameters.split(";", 1)[0]) or 1, _second(parameters) or 1
            return partial(grid.go_to, column - 1, row - 1)
        first = _number(parameters.split(";", 1)[0]) if function in ("J", "K", "g", "r") else 0
        if function == "J":
            return partial(grid.erase_display, first)
        if function == "K":
            return partial(grid.erase_line, first)
        if function == "g":
            return partial(grid.clear_stops, first)
        if function == "r":
            return partial(grid.set_margins, first, _second(parameters))
        if function in ("s", "u"):
            return self._save if function == "s" else self._restore
        if function == "!p":
            return self._soft_reset
        if function in ("h", "l", "?h", "?l"):
            modes = [_number(mode) for mode in parameters.split(";")[:32]]
            on, private = function[-1] == "h", len(function) == 2
            return partial(self._set_modes, modes, on=on, private=private)
        return _nothing

    def _compile_colors(self, colors: str) -> Act:
        if self.paint is None:
            return _nothing
        grid, after = self.grid, self.paint.after

        def take_colors() -> None:
            grid.pen, grid.blank = after(grid.pen, colors)

        return take_colors

    def _compile_escape(self, final: str) -> Act:
        grid = self.grid
        acts: dict[str, Act] = {"7": self._save, "8": self._restore, "D": grid.index, "E": self._next_line}
        acts |= {"H": lambda: grid.set_stop(on=True), "M": grid.reverse_index, "c": self._reset}
        if final in _SHIFTS:
            return partial(self._set_shift, _SHIFTS[final])
        return acts.get(final, _nothing)

    def _compile_other(self, token: str) -> Act:
        """Return the function for an unusual token. Control characters inside are executed, except in strings."""
        grid = self.grid
        kind = _KIND.match(token)
        assert kind is not None  # it begins with ESC
        feeds = token.count("\n")
        if kind[1] and kind[1] in "]PX^_":
            return lambda: self._string(token, feeds, KEEPS if kind[1] in "X^_" else None)
        inside = _INSIDE.findall(token)
        plain = "\x1b" + _INSIDE.sub("", token[1:]).replace("\x7f", "")
        if inside or plain != token:
            controls = [self.act(char) for run in inside for char in run]
            if TOKEN.fullmatch(plain):
                controls.append(self.act(plain))
            return lambda: self._all(controls)
        if len(token) == 3 and token[1] in _LEVELS and token[2] in _KNOWN_CHARSETS:
            return lambda: self._designate(_LEVELS[token[1]], token[2])
        if token in ("\x1b%@", "\x1b%G"):
            return self._designate_usual
        if token == "\x1b#8":  # noqa: S105  no secret
            return grid.fill
        # A token that was aborted by a character or another sequence has no effect.
        return _nothing if token[-1] in "\x18\x1a" or _WELL_FORMED.fullmatch(token) else _keep

    # -- effects ------------------------------------------------------------------------------------------------------

    def _all(self, acts: list[Act]) -> int | None:
        """Call several acts in order, and return the last result that is not None."""
        said = None
        for act in acts:
            said = act() or said
        return said if said == LEFT else None

    def _times(self, act: Act, count: int) -> None:
        for _ in range(count):
            act()

    def _string(self, token: str, feeds: int, said: int | None) -> int | None:
        self.grid.number += feeds
        if self.strings is not None and token[-1] not in "\x18\x1a":
            self.strings(token)
        return said

    def _line_feeds(self, count: int) -> None:
        grid = self.grid
        for _ in range(count):
            grid.number += 1
            grid.line_feed()

    def _return(self) -> None:
        self.grid.x = 0

    def _next_line(self) -> None:
        self.grid.x = 0
        self.grid.index()

    def _go_back(self, count: int) -> None:
        grid = self.grid
        if grid.reverse or grid.origin:
            for _ in range(min(count, grid.cols * grid.height)):
                grid.back()
        else:
            grid.x = max(min(grid.x, grid.cols - 1) - count, 0)

    def take_pen(self, pen: str) -> None:
        """Draw with this look from here on."""
        self.grid.pen = pen
        if self.paint is not None:
            self.grid.blank = self.paint.erased(pen)

    def _set_modes(self, modes: list[int], *, on: bool, private: bool) -> int | None:
        grid = self.grid
        before = self.alternate
        for mode in modes:
            if private:
                self._set_private(mode, on=on)
            elif mode == 4:
                grid.insert = on
            elif mode == 20:
                grid.newline = on
        return LEFT if self.alternate and not before else None

    def _set_private(self, mode: int, *, on: bool) -> None:
        grid = self.grid
        if mode == 2 and on:
            for level in range(4):
                self._designate(level, "B")
        elif mode == 6:
            grid.origin = on
            if not self.alternate:
                grid.go_to(0, 0)
        elif mode == 7:
            grid.wrap = on
        elif mode == 45:
            grid.reverse = on
        elif mode == 1048:
            if not self.alternate:
                (self._save if on else self._restore)()
        elif mode in (47, 1047, 1049):
            if on and mode == 1049 and not self.alternate:
                self._save()
            self.alternate = on
            if not on and mode == 1049:
                self._restore()

    def _set_shift(self, level: int) -> None:
        self._shift = level
        self._use(self._charsets[level])

    def _use(self, charset: str) -> None:
        self._charset = charset
        self.table = _CHARSETS.get(charset)

    def _designate(self, level: int, charset: str) -> None:
        self._charsets[level] = charset
        if level == self._shift:
            self._use(charset)

    def _designate_usual(self) -> None:
        self._set_shift(0)
        self._designate(0, "B")

    def _reset_charsets(self) -> None:
        self._charsets = ["B"] * 4
        self._set_shift(0)

    def _save(self) -> None:
        self.grid.save()
        self._saved = (self.grid.pen, self._charset)

    def _restore(self) -> None:
        self.grid.restore()
        self.take_pen(self._saved[0] if self.paint is None else self.paint.relinked(self._saved[0], self.grid.pen))
        self._use(self._saved[1])

    def _soft_reset(self) -> None:
        """DECSTR: saved state and margins are reset only for the active screen."""
        grid = self.grid
        margins, saved = (grid.upper, grid.bottom), (grid.saved, self._saved)
        grid.soft_reset()
        self._reset_charsets()
        if self.alternate:
            (grid.upper, grid.bottom), (grid.saved, self._saved) = margins, saved
        else:
            self._saved = (NULL, "B")

    def _reset(self) -> None:
        """RIS."""
        self.alternate = False
        self._reset_charsets()
        self._saved = (NULL, "B")
        self.grid.reset()


def _nothing() -> None:
    pass


def _keep() -> int:
    return KEEPS


def _number(parameter: str) -> int:
    return int(parameter.split(":", 1)[0][:9] or "0")


def _second(parameters: str) -> int:
    fields = parameters.split(";", 2)
    return _number(fields[1]) if len(fields) > 1 else 0


def _next_line(grid: Grid, count: int) -> None:
    grid.down(count)
    grid.x = 0


def _line_before(grid: Grid, count: int) -> None:
    grid.up(count)
    grid.x = 0


#: Effects of control sequences with one parameter, a count or position starting at 1 (ECMA-48, xterm's ctlseqs), by
#: their intermediates and final.
_SEQUENCES: dict[str, Callable[[Grid, int], None]] = {
    "@": Grid.insert_cells,
    "A": Grid.up,
    "B": Grid.down,
    "C": lambda grid, count: grid.move(count, 0),
    "D": lambda grid, count: grid.move(-count, 0),
    "E": _next_line,
    "F": _line_before,
    "G": lambda grid, count: grid.go_to(count - 1, grid.y),
    "I": Grid.tab,
    "L": Grid.insert_rows,
    "M": Grid.delete_rows,
    "P": Grid.delete_cells,
    "S": Grid.scroll_up,
    "T": Grid.scroll_down,
    "X": Grid.erase_cells,
    "Z": Grid.back_tab,
    "`": lambda grid, count: grid.go_to(count - 1, grid.y),
    "a": lambda grid, count: grid.move(count, 0),
    "b": Grid.repeat,
    "d": lambda grid, count: grid.go_to(grid.x, count - 1),
    "e": lambda grid, count: grid.move(0, count),
    " @": lambda grid, count: grid.edit_columns(0, delete=count),
    " A": lambda grid, count: grid.edit_columns(0, insert=count),
    "'}": lambda grid, count: grid.edit_columns(grid.x, insert=count),
    "'~": lambda grid, count: grid.edit_columns(grid.x, delete=count),
}
