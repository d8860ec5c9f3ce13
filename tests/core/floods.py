"""Floods: a few MiB of each kind of output that programs write repeatedly, and of unusual output."""

from __future__ import annotations

import random
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATA = Path(__file__).parent.parent / "data"


def _bar(number: int) -> bytes:
    part = number % 1000
    return b"%3d%%|%-30s| %d/1000 [00:%02d<00:%02d, 12.3it/s]" % (part // 10, b"#" * (part // 33), part, part % 60, 9)


def _each(make: Callable[[int], bytes]) -> Iterator[bytes]:
    return map(make, count())


def _recorded(path: str) -> Iterator[bytes]:
    data = (DATA / path).read_bytes()
    return _each(lambda _: data)


def _random(make: Callable[[random.Random], bytes]) -> Iterator[bytes]:
    source = random.Random(7)
    return _each(lambda _: make(source))


_SOUP = "aé日🚀e\u0301\u200d️żק한\u2588…\U00020000"
_FINALS = b"@ABCDEFGHIJKLMPSTXZ`abdefghlmnqrstu"
_COMMANDS: dict[str, Iterator[bytes]] = {}


def floods() -> dict[str, Iterator[bytes]]:
    """Return endless streams in pieces, by name."""
    made = {
        "bar by CR": _each(lambda n: b"\r" + _bar(n)),
        # Bars and spinners, in every way to go back.
        "bar by CR, colored": _each(lambda n: b"\r\x1b[32m" + _bar(n) + b"\x1b[0m"),
        "bar by CR, wide": _each(lambda n: "\r{:3d}%|{:<10}| 進捗".format(n % 100, "█" * (n % 10)).encode()),
        "bar by EL and CR": _each(lambda n: b"\x1b[2K\r" + _bar(n)),
        "bar by CR and EL": _each(lambda n: b"\r\x1b[K" + _bar(n)),
        "bar by CHA": _each(lambda n: b"\x1b[1G" + _bar(n)),
        "bar by CHA and EL": _each(lambda n: b"\x1b[1G\x1b[K" + _bar(n)),
        "bar by HPA": _each(lambda n: b"\x1b[1`" + _bar(n)),
        "bar by CUB": _each(lambda n: b"\x1b[200D" + _bar(n)),
        "bar by BS": _each(lambda n: b"\b" * 80 + _bar(n)),
        "bar by BS, as Keras has it": _each(lambda n: b"\b" * 80 + b"\r\x1b[1m" + _bar(n) + b"\x1b[0m\x1b[37m\x1b[0m"),
        "bar by ECH": _each(lambda n: b"\r\x1b[80X" + _bar(n)),
        "bar by DECRC": _each(lambda n: (b"\x1b7" if n == 0 else b"\x1b8") + _bar(n)),
        "bar by DECSC and DECRC": _each(lambda n: b"\x1b7" + _bar(n) + b"\x1b8"),
        "bar by CUU": _each(lambda n: _bar(n) + b"\r\n\x1b[A"),
        "bar by CPL": _each(lambda n: b"\x1b[F\x1b[K" + _bar(n) + b"\n"),
        "bar longer than the screen": _each(lambda n: b"\r" + _bar(n) * 2),
        "bar, hidden cursor": _each(lambda n: b"\x1b[?25l\r" + _bar(n) + b"\x1b[?25h"),
        "bar with OSC 9;4": _each(lambda n: b"\x1b]9;4;1;%d\x1b\\\r" % (n % 100) + _bar(n)),
        "bar with a title": _each(lambda n: b"\x1b]0;%d\x07\r" % n + _bar(n)),
        "spinner by CR": _each(lambda n: b"\r%c working" % b"|/-\\"[n % 4]),
        "spinner by BS": _each(lambda n: b"%c\b" % b"|/-\\"[n % 4]),
        "spinner by BS, two": _each(lambda n: b"\b\b%c " % b"|/-\\"[n % 4]),
        "spinner by CHA": _each(lambda n: b"\x1b[1G\x1b[0K%c working" % b"|/-\\"[n % 4]),
        "spinner by EL 1": _each(lambda n: b"\x1b[1K\r%c working" % b"|/-\\"[n % 4]),
        "spinner by DCH": _each(lambda n: b"\r\x1b[P\x1b[@%c" % b"|/-\\"[n % 4]),
        "spinner, braille": _each(
            lambda n: "\x1b[?25l\r\x1b[36m{}\x1b[39m downloading".format("⠋⠙⠹⠸⠼⠴⠦⠧"[n % 8]).encode()
        ),
        "dots": _each(lambda n: b"."),
        "three bars": _each(
            lambda n: b"\r" + _bar(n) + b"\n\r" + _bar(2 * n) + b"\n\r" + _bar(3 * n) + b"\x1b[A\x1b[A"
        ),
        "three bars by CUU 2": _each(lambda n: (_bar(n) + b"\r\n") * 3 + b"\x1b[3A"),
        "three bars by DECSC": _each(lambda n: b"\x1b7" + (_bar(n) + b"\r\n") * 3 + b"\x1b8"),
        "layers, as docker pulls them": _each(
            lambda n: b"\x1b[%dA\x1b[2K\r%s\r\x1b[%dB" % (n % 9 + 1, _bar(n), n % 9 + 1)
        ),
        "a table at home": _each(lambda n: b"\x1b[H" + (b"row %d\x1b[K\r\n" % n) * 20 + b"\x1b[J"),
        "a table at places": _each(lambda n: b"\x1b[%d;%dH%d\x1b[K" % (n % 20 + 1, n % 60 + 1, n)),
        "a status line below margins": _each(lambda n: b"\x1b7\x1b[24;1H" + _bar(n)[:70] + b"\x1b8%d\r\n" % n),
        "cleared again and again": _each(lambda n: b"\x1b[H\x1b[2J\x1b[3J" + _bar(n) + b"\r\n"),
        # Logs.
        "plain lines": _each(lambda n: b"%d the quick brown fox jumps over the lazy dog\r\n" % n),
        "colored lines": _each(lambda n: b"\x1b[32mINFO\x1b[0m \x1b[2m%d\x1b[0m step \x1b[1;34m%d\x1b[0m\r\n" % (n, n)),
        "lines, and a bar": _each(lambda n: b"\r\x1b[K%d line\r\n" % n + _bar(n)),
        "lines without CR": _each(lambda n: b"%d\n" % n),
        "links": _each(lambda n: b"\x1b]8;;file:///%d\x1b\\%d\x1b]8;;\x1b\\\r\n" % (n, n)),
        "one long line": _each(lambda n: b"%d " % n),
        "one long line of CJK": _each(lambda n: "日本語".encode()),
        "empty lines": _each(lambda n: b"\r\n"),
        "line feeds": _each(lambda n: b"\n"),
        # Pictures.
        "a picture by OSC 1337": _each(lambda n: b"\x1b]1337;File=inline=1:" if n == 0 else b"QUJD" * 1000),
        "pictures by OSC 1337": _each(lambda n: b"\x1b]1337;File=inline=1:" + b"QUJD" * 100_000 + b"\x07\r\n"),
        "small pictures by OSC 1337": _each(lambda n: b"\x1b]1337;File=inline=1:QUJD\x07"),
        "pictures by sixel": _each(lambda n: b"\x1bPq" + b"#0~~@@vv@@~~@@~~$-\n" * 5000 + b"\x1b\\\r\n"),
        "pictures by kitty": _each(lambda n: b"\x1b_Gm=1;" + b"QUJD" * 1000 + b"\x1b\\"),
        # Modes and strings.
        "titles": _each(lambda n: b"\x1b]2;%d\x07" % n),
        "titles by ST": _each(lambda n: b"\x1b]0;t\x1b\\"),
        "notifications": _each(lambda n: b"\x1b]9;hi\x07"),
        "prompts": _each(lambda n: b"\x1b]133;A\x07$ ls\r\n\x1b]133;D;0\x07"),
        "alternate screens": _each(lambda n: b"\x1b[?1049h\x1b[H%d\x1b[?1049l" % n),
        "an alternate screen": _each(lambda n: b"\x1b[?1049h" if n == 0 else b"\x1b[%d;3H%d\x1b[K" % (n % 24 + 1, n)),
        "synchronised": _each(lambda n: b"\x1b[?2026h\r" + _bar(n) + b"\x1b[?2026l"),
        "devices": _each(lambda n: b"\x1bP$qm\x1b\\"),
        "queries with controls inside": _each(lambda n: b"\x1b[\x07%dn" % (n % 7)),
        # One thing alone.
        "NUL": _each(lambda n: b"\0"),
        "BEL": _each(lambda n: b"\a"),
        "BEL and a letter": _each(lambda n: b"\aa"),
        "BS": _each(lambda n: b"\b"),
        "CR": _each(lambda n: b"\r"),
        "CAN": _each(lambda n: b"\x18"),
        "ENQ": _each(lambda n: b"\x05"),
        "DEL": _each(lambda n: b"\x7f"),
        "ESC": _each(lambda n: b"\x1b"),
        "tabs": _each(lambda n: b"\t"),
        "tabs and letters": _each(lambda n: b"a\t"),
        "form feeds": _each(lambda n: b"\x0c"),
        "shifts": _each(lambda n: b"\x0ea\x0f"),
        "C1": _each(lambda n: b"\xc2\x85"),
        "C1, unknown": _each(lambda n: b"\xc2\x81"),
        "surrogates": _each(lambda n: b"\xed\xa0\x80"),
        "combining marks": _each(lambda n: b"\xcc\x81"),
        "ST": _each(lambda n: b"\x1b\\"),
        "SGR 0": _each(lambda n: b"\x1b[m"),
        "SGR": _each(lambda n: b"\x1b[%dm" % (30 + n % 8)),
        "SGR, true color": _each(lambda n: b"\x1b[38;2;%d;%d;%dm*" % (n % 251, n % 253, n % 256)),
        "SGR of many parameters": _each(lambda n: b"\x1b[" + b"1;" * 200 + b"m"),
        "a sequence without end": _each(lambda n: b"\x1b[" if n == 0 else b"1;"),
        "DECSC and DECRC": _each(lambda n: b"\x1b7\x1b8"),
        "charsets": _each(lambda n: b"\x1b(0q\x1b(B"),
        "RIS": _each(lambda n: b"\x1bc"),
        "DECSTR": _each(lambda n: b"\x1b[!p"),
        "IND and RI": _each(lambda n: b"\x1bD\x1bM"),
        "tab stops": _each(lambda n: b"\x1bH\x1b[g "),
        "DECSET": _each(lambda n: b"\x1b[?%d%c" % (n % 2000, b"hl"[n % 2])),
        "IRM": _each(lambda n: b"\x1b[4hab\x1b[4l\r"),
        "REP": _each(lambda n: b"a\x1b[70b\r"),
        # Anything.
        "random bytes": _random(lambda source: source.randbytes(4096)),
        "random controls": _random(lambda source: bytes(source.choices(range(32), k=4096))),
        "random ASCII and ESC": _random(lambda source: bytes(source.choices([27, 91, *range(32, 127)], k=4096))),
        "random CSI": _random(lambda source: b"\x1b[%d%c" % (source.randrange(9), source.choice(_FINALS))),
        "random CSI and text": _random(
            lambda source: b"\x1b[%d;%d%cab" % (source.randrange(9), source.randrange(9), source.choice(_FINALS))
        ),
        "random ESC": _random(lambda source: bytes((27, source.randrange(32, 127)))),
        "random UTF-8": _random(lambda source: "".join(source.choices(_SOUP, k=1000)).encode()),
        "random UTF-8, cut": _random(
            lambda source: "".join(source.choices(_SOUP, k=99)).encode()[source.randrange(3) :]
        ),
    }
    for path in sorted([*(DATA / "streams").iterdir(), *(DATA / "progress").glob("*.bin")]):
        name = f"{path.parent.name}/{path.name}"
        made[f"recorded {name}"] = _recorded(name)
    return made


def flood(name: str, size: int) -> bytes:
    """Return the first `size` bytes of a flood."""
    return take(floods()[name], size)


def take(pieces: Iterator[bytes], size: int) -> bytes:
    """Return the first `size` bytes of endless pieces."""
    out = bytearray()
    while len(out) < size:
        out += b"".join(islice(pieces, 256))
        if len(out) > 256 and len(out) < size:
            # What repeats so soon need not be made again and again.
            continue
    return bytes(out[:size])
