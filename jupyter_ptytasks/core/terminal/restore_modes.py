"""The prelude: the bytes that bring a terminal from the state of one ledger into that of another."""

from __future__ import annotations

from . import pen as pens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .modes import Ledger, Screen
    from .pen import Pen

_ORIGIN = 6
_CURSOR_SEEN = 25
_LEVELS = b"()*+"
_SHIFTS = (b"\x0f", b"\x0e", b"\x1bn", b"\x1bo")


def between(since: Ledger, to: Ledger, *, known: bool) -> bytes:
    """From `since` to `to`; unless it is `known`, nothing is taken for granted that a RIS may have left."""
    out: list[bytes] = []
    normal, alternate = ((since.screens[at], to.screens[at]) for at in (0, 1))
    leaves = since.alternate and (not to.alternate or _differ(*normal))
    enters = to.alternate and (leaves or not since.alternate)
    if leaves:
        out.append(b"\x1b[?%dl" % since.alternate_mode)
    if _differ(*normal) or leaves or enters:
        _screen(out, *normal, enters=leaves or enters)
    if enters:
        out.append(b"\x1b[?%dh" % to.alternate_mode)
    if _differ(*alternate):
        if not to.alternate:
            out.append(b"\x1b[?1047h")
        _screen(out, *alternate)
        if not to.alternate:
            out.append(b"\x1b[?1047l")
    redrawn = bool(out)
    _modes(out, since, to, known=known)
    _charsets(out, since, to, redrawn=redrawn)
    if redrawn or since.pen != to.pen:
        out.append(_sgr(to.pen))
    if since.link != to.link:
        out.append(b"\x1b]8;%s\x1b\\" % (to.link.encode() or b";"))
    if since.title != to.title:
        out.append(b"\x1b]2;%s\x1b\\" % to.title.encode())
    if since.cwd != to.cwd:
        out.append(b"\x1b]7;%s\x1b\\" % to.cwd.encode())
    return b"".join(out)


def pen_and_charsets(to: Ledger) -> bytes:
    """The bytes that bring the pen, the hyperlink and the charsets of `to` to a terminal in which G0 and the pen are not
    known.
    """
    out = [_sgr(to.pen)]
    if to.link:
        out.append(b"\x1b]8;%s\x1b\\" % to.link.encode())
    _charsets(out, to, to, redrawn=True)
    return b"".join(out)


def _differ(since: Screen, to: Screen) -> bool:
    return (since.margins, since.saved_pen, since.saved_charset) != (to.margins, to.saved_pen, to.saved_charset)


def _screen(out: list[bytes], since: Screen, to: Screen, *, enters: bool = True) -> None:
    """Margins and what DECSC saved; where one `enters` the other screen then, it leaves the pen and the charset that it
    saved in force, for a 1049 to save again.
    """
    if since.margins != to.margins:
        out.append(b"\x1b[%sr" % to.margins)
    if enters or (since.saved_pen, since.saved_charset) != (to.saved_pen, to.saved_charset):
        out.append(_sgr(to.saved_pen) + b"\x0f\x1b(" + to.saved_charset + b"\x1b7")


def _modes(out: list[bytes], since: Ledger, to: Ledger, *, known: bool) -> None:
    changed = since.flags ^ to.flags
    if not known:
        changed.add(_CURSOR_SEEN)
    # Origin mode sends the cursor home: it comes first, as the margins did.
    in_order = sorted(changed, key=lambda mode: (mode != _ORIGIN, mode))
    out += [b"\x1b[?%d%c" % (mode, b"h" if mode in to.flags else b"l") for mode in in_order]
    if since.mouse != to.mouse:
        out.append(b"\x1b[?%dh" % to.mouse if to.mouse else b"\x1b[?%dl" % since.mouse)
    if since.encoding != to.encoding:
        out.append(b"\x1b[?%dh" % to.encoding if to.encoding else b"\x1b[?%dl" % since.encoding)
    if since.blink != to.blink:
        out.append(b"\x1b[?12%c" % (b"h" if to.blink else b"l"))
    if since.style != to.style:
        out.append(b"\x1b[%d q" % (to.style or 0))
    if since.insert != to.insert:
        out.append(b"\x1b[4%c" % (b"h" if to.insert else b"l"))
    if since.newline != to.newline or not known:
        out.append(b"\x1b[20%c" % (b"h" if to.newline else b"l"))


def _charsets(out: list[bytes], since: Ledger, to: Ledger, *, redrawn: bool) -> None:
    if not redrawn and (since.charsets, since.shift, since.charset) == (to.charsets, to.shift, to.charset):
        return
    designated = list(to.charsets)
    designated[to.shift] = to.charset
    for level, charset in enumerate(designated):
        if charset != since.charsets[level] or level == 0:
            out.append(b"\x1b%c%s" % (_LEVELS[level], charset))
    out.append(_SHIFTS[to.shift])


def _sgr(pen: Pen) -> bytes:
    parameters = pens.sequence(pen)
    return b"\x1b[0;%sm" % parameters if parameters else b"\x1b[0m"
