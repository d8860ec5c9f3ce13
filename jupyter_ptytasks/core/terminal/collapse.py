"""Collapse: output without what was overwritten in place, so that a terminal shows the same, scrollback included.

The law: a terminal just reset, of `cols` columns and at least `rows` rows, that is fed `collapse(data, cols)` has the
same cells, attributes, cursor and modes as one fed `data`. So this is no emulator but a recorder of rows (see rows): it
follows carriage returns, erasing in lines, and moves up and down within rows that it knows, as progress bars and live
tables use them. Whatever else it meets is a barrier: all that is known is put out, and the token after it as it is.
Full-screen programs that have ended leave nothing but their lasting effects.
"""

from __future__ import annotations

import re

from . import frames, full_screen
from . import pen as pens
from .modes import Ledger
from .rows import ERASE, Region, after, has_background, pen_of, restored
from .vt import CSI, TOKEN, complete, number, plain, seven_bit, string

# Both begin with one set of bytes, which `re` looks for far faster than for alternatives.
# What ends a stretch of plain lines, made of text, colours, tabs, erasing to the right, and strings of no concern.
_NEWS = re.compile(
    rb"[\x00-\x06\x08\n-\x1f\x7f](?:(?<![\n\r\x1b])|(?<=\r)(?!\n)|(?<=\n)(?<!\r\n)"
    rb"|(?<=\x1b)(?!\[[0-9;:]*m|\[0?K|\](?!0|7784;|[1279][;\x07\x1b])[^\x00-\x1f\x7f]*(?:\x07|\x1b\\)|\\))"
)
# What ends a batch of frames, which are made of text, colours and erasing to the right.
_BATCH_END = re.compile(rb"[\x00-\x0c\x0e-\x1f\x7f](?:(?<!\x1b)|(?!\[[0-9;:]*m|\[0?K))")
_MOVE = re.compile(rb"\x1b\[([0-9]*)([A-GJK`])")
_UPS = re.compile(rb"(?:\x1b\[A){2,}")
# Home, clear the screen, clear the scrollback: nothing is left.
_CLEAR = re.compile(rb"\x1b\[H\x1b\[2?J\x1b\[3J|\x1b\[3J\x1b\[H\x1b\[2?J|\x1b\[2J\x1b\[3J\x1b\[H")

# Modes and strings that concern no cells: of each only what was said last counts.
_HARMLESS = frozenset((1, 5, 9, 12, 25, 66, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 2004, 2026))
_HARMLESS_STRINGS = (b"0", b"1", b"2", b"7", b"7784")
_ALTERNATE = frozenset((47, 1047, 1049))
# Sequences that leave the cursor in its column, and those that end its waiting to wrap.
_STAYS = frozenset(b"n ?n c >c =c t q p S T i J ?J ?K >q $p ?$p g".split()) | {b" q"}
_UNWRAPS = frozenset(b"@ P X d".split())

_MOST_WRITES = 64
_LONGEST_BATCH = 65536


def collapse(data: bytes, cols: int, rows: int = 24) -> bytes:
    """`data` without what is overwritten; `rows` is the least height that the terminal is known to have."""
    return _Collapse(seven_bit(data), cols, rows).run()


class _Collapse:
    """One pass over `data`, with what of the terminal's modes decides how far rows are known."""

    def __init__(self, data: bytes, cols: int, rows: int) -> None:
        self._data = data
        self._end = complete(data)
        self._rows = max(rows, 1)
        self._region = Region(cols)
        self._ledger = Ledger()  # fed only as far as it was needed
        self._colours: dict[bytes, bytes] = {}
        self._newline = False
        self._reset_modes()
        self._tab_stops = False  # whether they were changed
        self._saves = False  # whether the cursor's place was ever saved

    def _reset_modes(self) -> None:
        self._inserting = False
        self._margins = False
        self._origin = False
        self._reverse = False
        self._saved_pen = b""

    def run(self) -> bytes:
        data, end, pos = self._data, self._end, 0
        while pos < end:
            news = _NEWS.search(data, pos, end)
            stop = news.start() if news else end
            if stop > pos:
                self._take_lines(pos, stop)
            pos = self._take_token(stop) if news else end
        self._region.flush()
        self._region.out.append(data[end:])
        return b"".join(self._region.out)

    def _take_lines(self, pos: int, stop: int) -> None:
        """A stretch of plain lines, the last of them perhaps without its end."""
        data, region = self._data, self._region
        first = data.find(b"\r\n", pos, stop)
        if first < 0:
            self._take_text(data[pos:stop])
            return
        self._take_text(data[pos:first], line=True)
        self._take_line_feed(b"\r\n", 0)
        pos = first + 2
        last = data.rfind(b"\r\n", pos, stop)
        if last >= 0:
            known = self._known_rows and not self._inserting
            lines = data[pos:last].rsplit(b"\r\n", self._rows) if known else []
            if not known or (len(lines) > self._rows and region.row == len(region.rows) - 1):
                # Only the last lines can ever be reached again.
                passed = lines.pop(0) + b"\r\n" if known else data[pos : last + 2]
                self._pass(passed, 0, after(region.pen, passed))
                region.wrapped = False
            for line in lines:
                self._take_text(line, line=True)
                self._take_line_feed(b"\r\n", 0)
            pos = last + 2
        if pos < stop:
            self._take_text(data[pos:stop])

    def _take_text(self, run: bytes, *, line: bool = False) -> None:
        region = self._region
        if self._inserting or (self._tab_stops and b"\t" in run):
            self._pass(run, None, after(region.pen, run))
        elif line and region.x == 0 and region.row == len(region.rows) - 1 and not region.rows[-1]:
            region.write_line(run)
        elif run and not region.write(run):
            self._pass(run, None, after(region.pen, run))

    def _take_line_feed(self, token: bytes, column: int) -> None:
        """A line feed, which `token` is, that leads to `column`."""
        region = self._region
        if not self._known_rows or (region.row == len(region.rows) - 1 and has_background(region.pen)):
            self._pass(token, column)
            return
        region.line_feed()
        region.x = column
        past = len(region.rows) - 2 * self._rows
        if past > 2 * self._rows and past <= region.row:
            region.commit(past)

    @property
    def _known_rows(self) -> bool:
        """Whether moves up and down, and line feeds, lead where they seem to."""
        return not (self._margins or self._origin)

    def _pass(self, token: bytes, x: int | None, pen: bytes | None = None) -> None:
        """The barrier: puts out all that is known, then `token` as it is, which leaves the cursor in column `x`."""
        region = self._region
        region.flush()
        region.out.append(token)
        region.begin(x, region.pen if pen is None else pen)

    def _take_token(self, pos: int) -> int:
        """Takes the token at `pos`, and returns where the next one begins."""
        data, region = self._data, self._region
        code = data[pos]
        if code == 0x0D:
            return self._take_return(pos)
        if code == 0x1B:
            return self._take_escape(pos)
        token = data[pos : pos + 1]
        x = region.locate()
        if token in b"\n\x0b\x0c":
            if self._newline:
                self._take_line_feed(token, 0)
            elif x is None:
                self._pass(token, None)
            else:
                self._take_line_feed(token, min(x, region.cols - 1))
        elif token != b"\b":
            self._pass(token, x)
        elif x is None or self._reverse:
            self._pass(token, None)
        else:
            region.go_to(max(min(x, region.cols - 1) - 1, 0))
        return pos + 1

    def _take_return(self, pos: int) -> int:
        """A carriage return, with the frames after it where they come in a batch."""
        data, region = self._data, self._region
        limit = min(self._end, pos + _LONGEST_BATCH)
        found = _BATCH_END.search(data, pos + 1, limit)
        stop = found.start() if found else limit
        if found and data[stop - 1 : stop + 1] == b"\r\n":
            stop -= 1
        elif not found and limit < self._end:
            stop = data.rfind(b"\r", pos, limit)
        if not self._inserting and data.count(b"\r", pos + 1, stop) > 1:
            batch = data[pos + 1 : stop]
            may_erase = region.row > 0 or not region.wrapped
            needed = frames.needed(batch, region.cols, plain=not region.pen, may_erase=may_erase)
            if needed:
                self._take_frames(batch.split(b"\r"), needed)
                return stop
        region.go_to(0)
        if len(region.rows[region.row]) > _MOST_WRITES:
            region.flush()
        return pos + 1

    def _take_frames(self, batch: list[bytes], needed: list[int]) -> None:
        done = 0
        for index in needed:
            self._region.go_to(0)
            if index > done:
                self._region.pen = after(self._region.pen, b"".join(batch[done:index]))
            done = index + 1
            self._take_text(batch[index])

    def _take_escape(self, pos: int) -> int:
        data = self._data
        move = _MOVE.match(data, pos)
        if move:
            ups = _UPS.match(data, pos)
            if ups:
                self._take_rise_or_fall(ups, -(len(ups[0]) // len(b"\x1b[A")))
                return ups.end()
            self._take_move(move, int(move[1][:9] or b"0"), move[2])
            return move.end()
        clear = _CLEAR.match(data, pos)
        if clear and not (self._origin or self._saves or self._tab_stops or has_background(self._region.pen)):
            self._start_over(clear)
            return clear.end()
        match = TOKEN.match(data, pos)
        assert match is not None
        return self._take_other(match[0], match.end())

    def _take_move(self, token: re.Match[bytes], count: int, final: bytes) -> None:
        region = self._region
        x, last = region.locate(), region.cols - 1
        if final in b"ABEF":
            by = (count or 1) * (1 if final in b"BE" else -1)
            self._take_rise_or_fall(token, by, returns=final in b"EF")
        elif final in b"G`":
            region.go_to(min(count or 1, region.cols) - 1)
        elif x is None:
            self._pass(token[0], None)
        elif final == b"K" and count == 2 and x <= last:
            region.erase(ERASE, 0, token[0])
        elif final == b"J" and count == 0 and x <= last:
            region.erase_below(token[0])
        elif final in b"JK":
            self._pass(token[0], x)
        elif final == b"C":
            region.go_to(min(min(x, last) + (count or 1), last))
        else:
            region.go_to(max(min(x, last) - (count or 1), 0))

    def _take_rise_or_fall(self, token: re.Match[bytes], by: int, *, returns: bool = False) -> None:
        region = self._region
        x = region.locate()
        if self._known_rows:
            overlong = region.find_overlong()
            if 0 < overlong <= region.row:
                region.commit(overlong)
        target = region.row + by
        reached = 0 <= target < len(region.rows) and len(region.rows) - target <= self._rows
        # A column in doubt does not matter where a carriage return follows.
        placed = x is not None or returns or self._data.startswith(b"\r", token.end())
        if reached and placed and self._known_rows:
            region.go_to(0 if x is None or returns else min(x, region.cols - 1))
            region.row = target
        else:
            self._pass(token[0], 0 if returns else None if x is None else min(x, region.cols - 1))

    def _take_other(self, token: bytes, end: int) -> int:
        region = self._region
        x = region.locate()
        meaning = plain(token)
        if meaning != token:
            x = None  # control characters inside a sequence are carried out
        kind = meaning[1:2]
        if kind == b"]":
            self._take_osc(meaning, x)
        elif kind in b"PX^_":
            self._pass(token, None)  # it may be a picture
        elif kind == b"[":
            csi = CSI.fullmatch(meaning)
            if csi is None:
                self._pass(token, None)
            elif csi[1] == b"?" and not csi[3] and csi[4] in b"hl":
                return self._take_private(token, x, csi[2], end, on=csi[4] == b"h")
            else:
                self._take_csi(token, x, csi[1] + csi[3] + csi[4], csi[2])
        elif meaning == b"\x1bc":
            self._reset_modes()
            self._tab_stops = self._saves = False
            self._start_over(None, end)
        elif meaning in (b"\x1b=", b"\x1b>") and meaning == token:
            self._last(b"?66", token)
        else:
            self._take_short(token, x, meaning[1:])
        return end

    def _take_osc(self, token: bytes, x: int | None) -> None:
        body = string(token)
        command = body.split(b";", 1)[0]
        if command in _HARMLESS_STRINGS or body.startswith(b"9;4;"):
            if token[-1] not in b"\x18\x1a":
                self._last(b"]" + command, b"\x1b]" + body.rstrip(b"\x07") + b"\x1b\\")
            return
        if full_screen.COLOURS.match(token):
            key = b";".join(body.rstrip(b"\x07").split(b";")[:2])
            self._colours.pop(key, None)
            self._colours[key] = token
        self._pass(token, None if command == b"1337" else x, after(self._region.pen, token))

    def _take_short(self, token: bytes, x: int | None, rest: bytes) -> None:
        last = None if x is None else min(x, self._region.cols - 1)
        if rest == b"7":
            self._save()
            self._pass(token, x)
        elif rest == b"8":
            self._pass(token, None, restored(self._region.pen, self._saved_pen))
        elif rest == b"H":
            self._tab_stops = True
            self._pass(token, x)
        elif rest in (b"D", b"M"):
            self._pass(token, last)
        elif rest == b"E":
            self._pass(token, None if x is None else 0)
        elif len(rest) == 2 and rest[0] in b"()*+-./":
            self._pass(token, x)
        else:
            self._pass(token, None)

    def _take_csi(self, token: bytes, x: int | None, function: bytes, parameters: bytes) -> None:
        region = self._region
        pen = None
        if function == b"m":
            pen = after(region.pen, plain(token))
        elif function == b"r":
            self._margins = number(parameters, 0, 1) > 1 or number(parameters, 1, 0) > 0
            x = None
        elif function == b"s":
            self._save()
        elif function == b"u":
            x, pen = None, restored(region.pen, self._saved_pen)
        elif function in (b"h", b"l"):
            for mode in parameters.split(b";")[:32]:
                if int(mode.split(b":")[0][:9] or b"0") == 4:
                    self._inserting = function == b"h"
                elif int(mode.split(b":")[0][:9] or b"0") == 20:
                    self._newline = function == b"h"
        elif function == b"!p":
            self._reset_modes()
            pen = b""
        elif function == b"g":
            self._tab_stops = True
        elif function in (b"H", b"f"):
            x = None if x is None and token != plain(token) else min(number(parameters, 1, 1), region.cols) - 1
        elif function in _UNWRAPS:
            x = None if x is None else min(x, region.cols - 1)
        elif function not in _STAYS:
            x = None
        self._pass(token, x, pen)

    def _take_private(self, token: bytes, x: int | None, parameters: bytes, end: int, *, on: bool) -> int:
        modes = [int(mode.split(b":")[0][:9] or b"0") for mode in parameters.split(b";")[:32]]
        if token == plain(token) and _HARMLESS.issuperset(modes):
            for mode in modes:
                self._last(b"?%d" % mode, b"\x1b[?%d%c" % (mode, b"h" if on else b"l"))
            return end
        if on and not _ALTERNATE.isdisjoint(modes):
            return self._take_full_screen(token, end)
        pen = None
        for mode in modes:
            if mode == 6:
                self._origin = on
                x = None if token != plain(token) else 0
            elif mode == 45:
                self._reverse = on
            elif mode == 1048 and on:
                self._save()
            elif mode in (1048, 1049):
                x, pen = None, restored(self._region.pen, self._saved_pen)
        self._pass(token, x, pen)
        return end

    def _save(self) -> None:
        self._saves = True
        self._saved_pen = self._region.pen

    def _last(self, key: bytes, token: bytes) -> None:
        self._region.lasting.pop(key, None)
        self._region.lasting[key] = token

    def _ledger_at(self, pos: int) -> Ledger:
        self._ledger.feed(self._data[self._ledger.fed : pos])
        return self._ledger

    def _start_over(self, clear: re.Match[bytes] | None, end: int = 0) -> None:
        """RIS, or `clear`: of all before only modes and colours are left."""
        region = self._region
        lasting = region.lasting if clear else {}
        ledger = self._ledger_at(clear.end() if clear else end)
        region.out.clear()
        if clear is None:
            region.out.append(b"\x1bc")
        region.out += self._colours.values()
        region.out.append(ledger.prelude(Ledger()))
        if clear:
            region.out.append(clear[0])
        region.begin(0, region.pen if clear else b"")
        region.lasting = lasting
        region.wrapped = False

    def _take_full_screen(self, enter: bytes, start: int) -> int:
        """The alternate screen, from after the token `enter` on."""
        data, region = self._data, self._region
        x = region.locate()
        entered = self._ledger_at(start).copy()
        leave = full_screen.LEAVE.search(data, start, self._end)
        if leave and leave[0] == b"\x1bc":
            return leave.start()
        region.flush()
        region.out.append(enter)
        if leave is None:
            cut = full_screen.last_clear(data[start : self._end])
            if cut and self._ledger_at(start + cut).alternate_since == start:
                region.out.append(self._ledger.prelude(entered))
                start += cut
            region.out.append(data[start : self._end])
            region.begin(None, region.pen)
            return self._end
        left = self._ledger_at(leave.start()).copy()
        kept = None
        if not full_screen.saves_for_later(data, start, leave.start()):
            kept = full_screen.closed(data[start : leave.start()], enter, leave[0], entered, left)
        region.out.append(data[start : leave.start()] if kept is None else kept)
        region.out.append(leave[0])
        self._adopt(self._ledger_at(leave.end()))
        pen = pen_of(pens.sequence(self._ledger.pen), self._ledger.link.encode())
        region.begin(None if kept is None or x is None else min(x, region.cols - 1), pen)
        return leave.end()

    def _adopt(self, ledger: Ledger) -> None:
        """Takes over the modes that a passage left which was not looked into."""
        normal = ledger.screens[0]
        self._inserting, self._newline = ledger.insert, ledger.newline
        self._origin, self._reverse = 6 in ledger.flags, 45 in ledger.flags
        self._margins = normal.margins != b""
        self._saved_pen = pens.sequence(normal.saved_pen)
        self._saves = True
