"""Restoring modes: the bytes that bring a terminal from one state to another."""

from __future__ import annotations

from . import pen as pens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .mode_state import ModeState, ScreenModes
    from .pen import Pen

_ORIGIN = 6
_CURSOR_SEEN = 25
_LEVELS = b"()*+"
_SHIFTS = (b"\x0f", b"\x0e", b"\x1bn", b"\x1bo")


def transition(old: ModeState, new: ModeState, *, known: bool) -> bytes:
    """Return the bytes that lead from `old` to `new`; unless `old` is `known`, set modes that RIS does not reset."""
    out: list[bytes] = []
    normal, alternate = zip(old.screens, new.screens)
    leaves = old.alternate and (not new.alternate or _differ(*normal))
    enters = new.alternate and (leaves or not old.alternate)
    if leaves:
        out.append(b"\x1b[?%dl" % old.alternate_mode)
    if _differ(*normal) or leaves or enters:
        _screen(out, *normal, enters=leaves or enters)
    if enters:
        out.append(b"\x1b[?%dh" % new.alternate_mode)
    if _differ(*alternate):
        if not new.alternate:
            out.append(b"\x1b[?1047h")
        _screen(out, *alternate)
        if not new.alternate:
            out.append(b"\x1b[?1047l")
    redrawn = bool(out)
    _modes(out, old, new, known=known)
    _charsets(out, old, new, redrawn=redrawn)
    if redrawn or old.pen != new.pen:
        out.append(_sgr(new.pen))
    if old.link != new.link:
        out.append(b"\x1b]8;%s\x1b\\" % (new.link.encode() or b";"))
    if old.title != new.title:
        out.append(b"\x1b]2;%s\x1b\\" % new.title.encode())
    if old.cwd != new.cwd:
        out.append(b"\x1b]7;%s\x1b\\" % new.cwd.encode())
    return b"".join(out)


def pen_and_charsets(new: ModeState) -> bytes:
    """Return the bytes that set the pen, the hyperlink and the charsets of `new` if G0 and the pen are unknown."""
    out = [_sgr(new.pen)]
    if new.link:
        out.append(b"\x1b]8;%s\x1b\\" % new.link.encode())
    _charsets(out, new, new, redrawn=True)
    return b"".join(out)


def _differ(old: ScreenModes, new: ScreenModes) -> bool:
    return (old.margins, old.saved_pen, old.saved_charset) != (new.margins, new.saved_pen, new.saved_charset)


def _screen(out: list[bytes], old: ScreenModes, new: ScreenModes, *, enters: bool = True) -> None:
    """Set the margins and what DECSC saved. If the other screen is `enter`ed next, leave the saved pen and charset
    active, so that 1049 saves them again.
    """
    if old.margins != new.margins:
        out.append(b"\x1b[%sr" % new.margins)
    if enters or (old.saved_pen, old.saved_charset) != (new.saved_pen, new.saved_charset):
        out.append(_sgr(new.saved_pen) + b"\x0f\x1b(" + new.saved_charset + b"\x1b7")


def _modes(out: list[bytes], old: ModeState, new: ModeState, *, known: bool) -> None:
    changed = old.flags ^ new.flags
    if not known:
        changed.add(_CURSOR_SEEN)
    # Origin mode sends the cursor home: it comes first, as the margins did.
    in_order = sorted(changed, key=lambda mode: (mode != _ORIGIN, mode))
    out += [b"\x1b[?%d%c" % (mode, b"h" if mode in new.flags else b"l") for mode in in_order]
    if old.mouse != new.mouse:
        out.append(b"\x1b[?%dh" % new.mouse if new.mouse else b"\x1b[?%dl" % old.mouse)
    if old.encoding != new.encoding:
        out.append(b"\x1b[?%dh" % new.encoding if new.encoding else b"\x1b[?%dl" % old.encoding)
    if old.blink != new.blink:
        out.append(b"\x1b[?12%c" % (b"h" if new.blink else b"l"))
    if old.style != new.style:
        out.append(b"\x1b[%d q" % (new.style or 0))
    if old.insert != new.insert:
        out.append(b"\x1b[4%c" % (b"h" if new.insert else b"l"))
    if old.newline != new.newline or not known:
        out.append(b"\x1b[20%c" % (b"h" if new.newline else b"l"))


def _charsets(out: list[bytes], old: ModeState, new: ModeState, *, redrawn: bool) -> None:
    if not redrawn and (old.charsets, old.shift, old.charset) == (new.charsets, new.shift, new.charset):
        return
    designated = list(new.charsets)
    designated[new.shift] = new.charset
    for level, charset in enumerate(designated):
        if charset != old.charsets[level] or level == 0:
            out.append(b"\x1b%c%s" % (_LEVELS[level], charset))
    out.append(_SHIFTS[new.shift])


def _sgr(pen: Pen) -> bytes:
    parameters = pens.sequence(pen)
    return b"\x1b[0;%sm" % parameters if parameters else b"\x1b[0m"
