"""Answers: the ptyhost replies to queries when there is no viewer, so that no program hangs until its timeout."""

from __future__ import annotations

from .vt import CSI, number, string

# As xterm.js answers DA1 (a VT100 with advanced video) and DA2 (an xterm of patch 276).
_DEVICE = {b"c": b"\x1b[?1;2c", b">c": b"\x1b[>0;276;0c"}
# DSR 5 (status) and 6 (cursor position): without a viewer, the cursor is at home.
_STATUS = {(b"n", 5): b"\x1b[0n", (b"n", 6): b"\x1b[1;1R", (b"?n", 6): b"\x1b[?1;1R"}
# Light gray on black, like most terminals, and JupyterLab's in its dark theme.
_COLORS = {b"10;?": b"\x1b]10;rgb:cccc/cccc/cccc", b"11;?": b"\x1b]11;rgb:0000/0000/0000"}


def answer(query: bytes) -> bytes:
    """Return the reply of a terminal to `query` (from `take_asked`); empty for most queries.

    Answered are DA1, DA2, DSR 5 and 6, and the OSC 10 and 11 that ask for colors (xterm's ctlseqs).
    """
    csi = CSI.fullmatch(query)
    if csi is None:
        color = _COLORS.get(string(query))
        return color + (b"\x07" if query.endswith(b"\x07") else b"\x1b\\") if color else b""
    function, wanted = csi[1] + csi[3] + csi[4], number(csi[2], 0, 0)
    return _STATUS.get((function, wanted), b"") or (_DEVICE.get(function, b"") if wanted == 0 else b"")
