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
    source = _restored_from(new)
    _screens(out, old, new, source)
    redrawn = bool(out)
    _modes(out, old, new, known=known)
    if redrawn or (old.charsets, old.shift, old.charset) != (new.charsets, new.shift, new.charset):
        if source is None:
            out.append(_charsets(old, new))
        elif source is new.screens[new.alternate]:
            # Except in a freshly reset terminal, the cursor must not return to an earlier position.
            out.append((_save(source) if known else b"") + _charsets(old, new, restores=True))
            redrawn = True
    if redrawn or old.pen != new.pen:
        out.append(_sgr(new.pen))
    if old.link != new.link:
        out.append(b"\x1b]8;%s\x1b\\" % (new.link.encode() or b";"))
    if old.title != new.title:
        out.append(b"\x1b]2;%s\x1b\\" % new.title.encode())
    if old.cwd != new.cwd:
        out.append(b"\x1b]7;%s\x1b\\" % new.cwd.encode())
    return b"".join(out)


def pen_and_link(new: ModeState) -> bytes:
    """Return the bytes that set the pen and the hyperlink of `new` if the pen is unknown."""
    return _sgr(new.pen) + (b"\x1b]8;%s\x1b\\" % new.link.encode() if new.link else b"")


def charsets(new: ModeState) -> bytes:
    """Return the bytes that activate the charset of `new` if G0 and the active charset are unknown."""
    return _charsets(new, new)


def _restored_from(new: ModeState) -> ScreenModes | None:
    """Return the screen whose saved charset is active although another one is designated; None if there is none.

    Only DECRC leads there: in xterm.js it restores which charset is active, but not what is designated. The next SI or
    SO activates the designated charset.
    """
    if new.charset != new.charsets[new.shift]:
        for screen in (new.screens[new.alternate], new.screens[0]):
            if screen.saved_charset == new.charset:
                return screen
    return None


def _screens(out: list[bytes], old: ModeState, new: ModeState, source: ScreenModes | None) -> None:
    """Set the margins and what DECSC saved on both screens, and show the right one.

    If the active charset comes from the normal screen (`source`), it is restored before the alternate one is entered.
    """
    normal, alternate = zip(old.screens, new.screens)
    leaves = old.alternate and (not new.alternate or _differ(*normal) or source is normal[1])
    enters = new.alternate and (leaves or not old.alternate)
    if leaves:
        out.append(b"\x1b[?%dl" % old.alternate_mode)
    if _saved(alternate[0]) != _saved(alternate[1]):
        save = _save(alternate[1])
        out.append(b"\x1b[?1047h" + save + b"\x1b[?1047l" if enters or not new.alternate else save)
    _margins(out, normal[0].margins, normal[1].margins)
    if leaves or enters or _saved(normal[0]) != _saved(normal[1]):
        # If the alternate screen is entered next, 1049 saves the same pen and charset again.
        out.append(_save(normal[1]))
    if enters:
        if source is normal[1]:
            out.append(_charsets(old, new, restores=True))
        out.append(b"\x1b[?%dh" % new.alternate_mode)
    if new.alternate:
        _margins(out, b"" if enters else alternate[0].margins, alternate[1].margins)


def _differ(old: ScreenModes, new: ScreenModes) -> bool:
    return old.margins != new.margins or _saved(old) != _saved(new)


def _saved(screen: ScreenModes) -> tuple[Pen, bytes]:
    return screen.saved_pen, screen.saved_charset


def _margins(out: list[bytes], old: bytes, new: bytes) -> None:
    if old != new:
        out.append(b"\x1b[%sr" % new)


def _save(screen: ScreenModes) -> bytes:
    """Return the bytes that save (DECSC) what `screen` has saved, at the cursor; they leave it active, in G0."""
    return _sgr(screen.saved_pen) + b"\x0f\x1b(" + screen.saved_charset + b"\x1b7"


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


def _charsets(old: ModeState, new: ModeState, *, restores: bool = False) -> bytes:
    """Return the bytes that designate the charsets of `new`, and activate its charset: by DECRC, or as designated."""
    designated = list(new.charsets)
    if not restores:
        designated[new.shift] = new.charset
    changed = [
        b"\x1b%c%s" % (_LEVELS[level], charset)
        for level, charset in enumerate(designated)
        if charset != old.charsets[level] or level == 0
    ]
    return b"".join([*changed, _SHIFTS[new.shift], b"\x1b8" if restores else b""])


def _sgr(pen: Pen) -> bytes:
    parameters = pens.sequence(pen)
    return b"\x1b[0;%sm" % parameters if parameters else b"\x1b[0m"
