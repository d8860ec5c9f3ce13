"""Sanitise: recorded output without what asks the terminal or acts beyond its screen, so that no replay ever does.

A query in history would be answered into the program's input a second time, as garbage typed on reopen
(microsoft/vscode#123803, jupyterlab/jupyterlab#17179); a bell would ring, a notification pop up, the clipboard change.
Everything that draws, and all that tells of a state (titles, links, directories, prompt marks, progress) stays.
"""

from __future__ import annotations

import re

from .vt import CSI, TOKEN, plain, seven_bit, string

_BEL_ENQ = b"\x07\x05"

# BEL, ENQ, and an ESC that begins no plain CSI but those that may ask (c, n, t, x) or print (i).
_SUSPECT = re.compile(rb"[\x05\x07\x1b](?:(?<!\x1b)|(?!\[[0-9;:]*[@-bd-hj-mo-su-wyz{|}~`]))")
_INSIDE = re.compile(rb"[\x00-\x04\x06\x08-\x17\x19\x1c-\x1f]")

# What stands for a dropped token: ST, which ends what the token ended and else does nothing, so that no two pieces
# around it become one sequence or one character.
_NOTHING = b"\x1b\\"

# Control sequences that make a terminal answer or act (xterm's ctlseqs), as prefix, intermediates and final: DA1-3,
# DSR, DECRQM, window operations, XTVERSION, kitty's keyboard query, DECREQTPARM, DECRQCRA, XTSMGRAPHICS, DECRQPSR,
# XTQMODKEYS, XTREPORTCOLORS, DECRQLP, DECRQUPSS, and media copy.
_CONTROL = frozenset(b"c >c =c ?c n ?n $p ?$p t >t >q ?u x *y ?S $w ?m #R '| &u i ?i".split())

# Strings that do: DECRQSS, XTGETTCAP; clipboard, notifications, iTerm2's file transfers and calls for attention;
# colors asked for.
_DEVICE = re.compile(rb"[0-9;]*[$+]q")
_OPERATING = re.compile(rb"(?:52|9(?!;4(?:;|$))|777|99|1337)(?:;|$)|(?:4|5|1[0-9]|21);(?:.*[;=])?\?(?:;|$)", re.DOTALL)
_GRAPHICS_QUERY = re.compile(rb"G(?:[^;]*,)?a=q")


def sanitise(data: bytes) -> bytes:
    """Return `data` with an ST for every query and side effect; an incomplete token at its end stays as it is."""
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
                # Not complete, unless by the ESC of a token that is not complete either.
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
    """Return `token` itself, or what is put in its place."""
    meaning = plain(token)
    if _acts(meaning):
        # Control characters inside of a token are carried out all the same; inside of a string they are not.
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
