"""The pen: the look of the next character, set by SGR sequences (CSI ... m), as xterm.js interprets them.

A pen maps attributes to the SGR parameters that set them (`{"bold": b"1", "fg": b"38;5;12"}`); it is empty after a
reset. Each parameter assigns constants to attributes, so of equal sequences only the last one counts: this makes it
cheap to track a pen through a flood.
"""

from __future__ import annotations

import re

from .lazy import lazy
from .vt import SGR

TYPE_CHECKING = False
if TYPE_CHECKING:
    Pen = dict[str, bytes]
    # The effects of one sequence, in order: an attribute and its value, or None to clear it; no name clears the pen.
    Effects = list[tuple[str, bytes | None]]

_ON = {1: "bold", 2: "dim", 3: "italic", 5: "blink", 7: "inverse", 8: "invisible", 9: "strike", 53: "overline"}
_ON |= {21: "underline", 59: "line"}
_ON |= dict.fromkeys([*range(30, 38), *range(90, 98)], "fg") | dict.fromkeys([*range(40, 48), *range(100, 108)], "bg")
_OFF = {23: "italic", 24: "underline", 25: "blink", 27: "inverse", 28: "invisible", 29: "strike", 39: "fg", 49: "bg"}
_OFF |= {55: "overline"}
_COLOR = {38: "fg", 48: "bg", 58: "line"}

_ALONE = rb"8;(?:5;[0-9]+|2;[0-9]+;[0-9]+;[0-9]+)"
_COLOR_ALONE = re.compile(rb"[34]" + _ALONE)
# SGR sequences except those that only set a foreground or only a background.
_SGR_BUT_COLORS = {
    (False, False): SGR,
    (True, False): lazy(rb"\x1b\[(?!3" + _ALONE + rb"m)([0-9;:]*)m"),
    (False, True): lazy(rb"\x1b\[(?!4" + _ALONE + rb"m)([0-9;:]*)m"),
    (True, True): lazy(rb"\x1b\[(?![34]" + _ALONE + rb"m)([0-9;:]*)m"),
}
# Bytes processed at a time.
_BLOCK = 1 << 16

# xterm.js reads at most this many parameters of a sequence.
_MOST_PARAMETERS = 32
_LONGEST_ITEM = 64
_cache: dict[bytes, Effects] = {}


def write(pen: Pen, parameters: bytes) -> None:
    """Apply the SGR sequence with these parameters to `pen`."""
    for slot, value in effects(parameters):
        if not slot:
            pen.clear()
        elif value is None:
            pen.pop(slot, None)
        else:
            pen[slot] = value


def fold(pen: Pen, data: bytes, start: int, end: int) -> None:
    """Apply every SGR sequence in `data[start:end]` to `pen`; costs little more than finding the last reset."""
    if data.find(b"\x1b", start, end) < 0:
        return
    reset = data.rfind(b"\x1b[0m", start, end)
    reset = max(reset, data.rfind(b"\x1b[m", max(start, reset), end))
    if reset >= 0:
        pen.clear()
        start = reset
    last: dict[bytes, None] = {}
    colors: set[bytes] = set()
    while start < end:
        # Of consecutive different colors, only the last counts, too.
        sought = _SGR_BUT_COLORS[b"38;" in colors, b"48;" in colors]
        block = max(data.find(b"\x1b", end - _BLOCK, end), start) if end - start > _BLOCK else start
        for parameters in dict.fromkeys(reversed(sought.findall(data, block, end))):
            if parameters[:3] in (b"38;", b"48;") and _COLOR_ALONE.fullmatch(parameters):
                if parameters[:3] in colors:
                    continue
                colors.add(parameters[:3])
            if parameters not in last:
                last[parameters] = None
                if parameters[:2] == b"0;":
                    block = start
                    break
        end = block
    for parameters in reversed(last):
        write(pen, parameters)


def sequence(pen: Pen) -> bytes:
    """Return the SGR parameters that turn a fresh pen into `pen`; equal for equal pens."""
    return b";".join([pen[slot] for slot in sorted(pen)])


def effects(parameters: bytes) -> Effects:
    """Return the effects of an SGR sequence with these parameters."""
    known = _cache.get(parameters)
    if known is None:
        if len(_cache) > 1000:
            _cache.clear()
        known = _cache[parameters] = _parse(parameters)
    return known


def _parse(parameters: bytes) -> Effects:
    items = parameters.split(b";")[:_MOST_PARAMETERS]
    done: Effects = []
    index = 0
    while index < len(items):
        item = items[index]
        code = int(item.split(b":", 1)[0][:9] or b"0")
        length = 1
        if code in _COLOR:
            length = _color_length(items, index)
            # Missing trailing values are zero; they must be explicit here, or the next parameters would be used.
            taken = items[index : index + length]
            value = b";".join(taken + [b"0"] * (length - len(taken)))
            # An invalid color mode swallows parameters and sets nothing.
            if _color_mode(items, index) in (2, 5) and len(value) <= _LONGEST_ITEM:
                done.append((_COLOR[code], value))
        elif code == 0:
            done.append(("", None))
        elif code == 4:
            off = item.split(b":")[1:2] in ([b"0"], [b"00"])
            done.append(("underline", None if off else item[:_LONGEST_ITEM]))
        elif code == 22:
            done += [("bold", None), ("dim", None)]
        elif code in _ON:
            done.append((_ON[code], b"%d" % code))
        elif code in _OFF:
            done.append((_OFF[code], None))
        index += length
    return done


def _color_mode(items: list[bytes], index: int) -> int:
    """Return the color mode of an extended color: 2 is RGB, 5 the palette."""
    fields = items[index].split(b":")
    mode = fields[1] if len(fields) > 1 else items[index + 1] if index + 1 < len(items) else b""
    return int(mode.split(b":", 1)[0][:9] or b"0")


def _color_length(items: list[bytes], index: int) -> int:
    """Return how many parameters an extended color takes: one if it has colons, else depending on its mode."""
    if b":" in items[index]:
        return 1
    for ahead in range(1, 5):
        if index + ahead < len(items) and b":" in items[index + ahead]:
            return ahead + 1
    return {5: 3, 2: 5, 0: 7}.get(_color_mode(items, index), 6)
