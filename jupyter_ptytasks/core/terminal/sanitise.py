"""Sanitize: removes queries and side effects beyond the screen from recorded output, so that replays never have any.

A terminal would answer an old query again, and the reply would be typed into the program as garbage on reopen
(microsoft/vscode#123803, jupyterlab/jupyterlab#17179); a bell would ring, a notification pop up, the clipboard change.
Everything that draws or sets a state (titles, links, directories, prompt marks, progress) is kept.
"""

from __future__ import annotations

import re

from .vt import CSI, TOKEN, plain, seven_bit, string

_BEL_ENQ = b"\x07\x05"

# BEL, ENQ, and any ESC except one of a plain CSI that is not a possible query (c, n, t, x) or print command (i).
_SUSPECT = re.compile(rb"[\x05\x07\x1b](?:(?<!\x1b)|(?!\[[0-9;:]*[@-bd-hj-mo-su-wyz{|}~`]))")
_INSIDE = re.compile(rb"[\x00-\x04\x06\x08-\x17\x19\x1c-\x1f]")

# The replacement for a dropped token: ST, which ends what the token ended and otherwise does nothing, so that the text
# around it does not join into one sequence or character.
_NOTHING = b"\x1b\\"

# Control sequences that make a terminal reply or act (xterm's ctlseqs), as prefix, intermediates and final: DA1-3,
# DSR, DECRQM, window operations, XTVERSION, kitty's keyboard query, DECREQTPARM, DECRQCRA, XTSMGRAPHICS, DECRQPSR,
# XTQMODKEYS, XTREPORTCOLORS, DECRQLP, DECRQUPSS, and media copy.
_CONTROL = frozenset(b"c >c =c ?c n ?n $p ?$p t >t >q ?u x *y ?S $w ?m #R '| &u i ?i".split())

# Strings with the same effect: DECRQSS, XTGETTCAP; clipboard, notifications, iTerm2's file transfers and attention
# requests; color queries.
_DEVICE = re.compile(rb"[0-9;]*[$+]q")
_OPERATING = re.compile(rb"(?:52|9(?!;4(?:;|$))|777|99|1337)(?:;|$)|(?:4|5|1[0-9]|21);(?:.*[;=])?\?(?:;|$)", re.DOTALL)
_GRAPHICS_QUERY = re.compile(rb"G(?:[^;]*,)?a=q")


def sanitise(data: bytes) -> bytes:
    """Return `data` with an ST for every query and side effect; an incomplete token at its end is unchanged."""
    data = seven_bit(data)
    out: list[bytes] = []
    kept = read = 0
    for found in _SUSPECT.finditer(data):
        start = found.start()
        if start < read:
            continue
        if data[start] != 0x1B:
            token, instead = found[0], _NOTHING
        else:
            match = TOKEN.match(data, start)
            if match is None:
                # Incomplete, or completed only by the ESC of another incomplete token.
                continue
            token = match[0]
            instead = _clean(token)
        read = start + len(token)
        if instead is not token:
            out += (data[kept:start], instead)
            kept = read
    if not out:
        return data
    out.append(data[kept:])
    return b"".join(out)


def _clean(token: bytes) -> bytes:
    """Return `token` or its replacement."""
    meaning = plain(token)
    if _acts(meaning):
        # Control characters inside a token are executed, except in a string.
        inside = _INSIDE.findall(token) if meaning[1:2] not in b"]PX^_" else []
        return _NOTHING + b"".join(inside)
    if meaning[1:2] not in b"]PX^_" and any(code in _BEL_ENQ for code in token):
        return token.translate(None, _BEL_ENQ)
    return token


def _acts(meaning: bytes) -> bool:
    kind = meaning[1:2]
    if kind == b"[":
        csi = CSI.fullmatch(meaning)
        return csi is not None and csi[1] + csi[3] + csi[4] in _CONTROL
    if kind == b"]":
        return _OPERATING.match(string(meaning).rstrip(b"\x07")) is not None
    if kind == b"P":
        return _DEVICE.match(string(meaning)) is not None
    if kind == b"_":
        return _GRAPHICS_QUERY.match(string(meaning)) is not None
    return meaning == b"\x1bZ"
