"""Writes tests/contract/lines.json: streams, and their lines in xterm.js. `python -m tests.oracle.lines`

Everybody who tells a terminal's output as text is held to it: core/lines.py by pytest, lines.ts by jest.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.npm import install
from tests.oracle.client import HERE, Xterm
from tests.oracle.streams import SGR, WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = HERE.parent / "contract" / "lines.json"
DATA = HERE.parent / "data"

BARS = "".join(
    f"\r{number:3}%|{'█' * (number // 20):10}| {number}/200\n\r"
    f"inner {number % 50}/50\n\rlast {number % 7}/7\x1b[A\x1b[A"
    for number in range(201)
)
LIVE = "".join(
    f"{'' if turn == 0 else chr(13) + chr(27) + '[2K' + (chr(27) + '[1A' + chr(27) + '[2K') * 2}"
    f"{f'log {turn}' + chr(13) + chr(10) if turn % 3 == 2 else ''}┏━━━┓\r\n┃{turn:3}┃\r\n┗━━━┛"
    for turn in range(12)
)
#: Name: the stream, at 24 by 80.
NAMED = {
    "a line": "one\r\ntwo\r\n",
    "an unfinished line": "one\r\n$ ",
    "empty lines": "one\r\n\r\n\r\ntwo\r\n",
    "line feeds without returns": "one\ntwo\nthree",
    "EL 2, then CR": "loading 50%\x1b[2K\rdone\r\n",
    "EL 0": "a longer line\r\x1b[Kshort\r\na longer line\rshort\x1b[K\r\n",
    "EL 0 in the middle": "abcdef\x1b[3D\x1b[0KX\r\n",
    "EL 1": "abcdef\x1b[3D\x1b[1KX\r\n",
    "CR alone": "a longer line\rshort",
    "a bar by CR": "".join(f"\r{number:3}%|{'#' * (number // 10):10}|" for number in range(101)) + "\r\n",
    "a bar by BS": "".join(f"{chr(8) * 7}{number:3}/100" for number in range(101)) + "\r\n",
    "a bar as Keras draws it": "".join(
        f"{chr(8) * 30}\r\x1b[1m{n:2}/20\x1b[0m \x1b[32m{'━' * n}\x1b[0m\x1b[37m{'━' * (20 - n)}\x1b[0m"
        for n in range(21)
    ),
    "a spinner by CHA": "".join(f"\x1b[1G\x1b[0K{'|/-+'[n % 4]} working" for n in range(9)) + "\r\n",
    "a spinner by HPA": "x\x1b[5`y\x1b[2`z\r\n",
    "a spinner by CUB": "working |" + "".join(f"\x1b[1D{'/-|'[n % 3]}" for n in range(9)) + "\r\n",
    "CUF": "a\x1b[5Cb\x1b[Cc\r\n",
    "HPR": "a\x1b[5ab\r\n",
    "ECH": "abcdefgh\x1b[6D\x1b[3XX\r\n",
    "DCH": "abcdefgh\x1b[6D\x1b[3PX\r\n",
    "ICH": "abcdefgh\x1b[6D\x1b[3@X\r\n",
    "IRM": "abc\r\x1b[4hXY\x1b[4lZ\r\n",
    "REP": "-\x1b[20b+\x1b[m\x1b[5b|\r\n",
    "tabs": "a\tb\tcc\r\n\tx\r\n1234567\t8\r\n12345678\t9\r\n",
    "tab stops": "\x1b[3g\x1b[5G\x1bH\ra\tb\tc\r\n",
    "tabs back": "a\tb\tc\x1b[2ZX\x1b[IY\r\n",
    "DECSC and DECRC": "at \x1b7" + "".join(f"\x1b8{number}%" for number in range(0, 101, 10)) + "\r\n",
    "a line above": "step 1 ...\r\nstep 2 ...\x1b[A\rstep 1 done\x1b[B\rstep 2 done\r\n",
    "three bars": BARS,
    "three bars, left": BARS + "\n\n\n\rdone\r\n",
    "a table with a log above": LIVE + "\r\ndone\r\n",
    "ED 0": "a\r\nb\r\nc\x1b[2A\r\x1b[JA\r\nB",
    "ED 1": "a\r\nb\r\nccc\x1b[D\x1b[1J",
    "ED 2 and home": "a\r\nb\r\nc\x1b[H\x1b[2Jnew\r\n",
    "CUP": "\x1b[5;10Hhere\x1b[2;1Hthere\x1b[7d!\r\n",
    "margins": "1\r\n2\r\n3\r\n4\r\n5\x1b[2;4r\x1b[4;1Hx\r\ny\r\nz\x1b[r\x1b[24;1H",
    "a status line as apt draws it": "\n\x1b7\x1b[0;23r\x1b8\x1b[1A"
    + "".join(f"\x1b7\x1b[24;0f\x1b[42mProgress: [{n:3}%]\x1b[49m\x1b8Setting up {n}\r\n" for n in range(30))
    + "\x1b7\x1b[0;24r\x1b8\x1b[Jdone\r\n",
    "IL and DL": "1\r\n2\r\n3\r\n4\x1b[2A\x1b[Lnew\x1b[2B\x1b[M",
    "IND, RI, NEL": "a\x1bDb\x1bMc\x1bEd\r\n",
    "scrolled": "".join(f"line {number}\r\n" for number in range(60)),
    "wider than the screen": "x" * 200 + "|\r\n" + "y" * 80 + "\r\n" + "z" * 81,
    "wider than the screen, in pieces": "x" * 100 + "\r" + "y" * 10 + "\r\n",
    "without wrapping": "\x1b[?7l" + "0123456789" * 12 + "\x1b[?7h\r\n",
    "wide characters": "日本語\r語\r\n" + "日" * 45 + "\r\n",
    "half of a wide character": "日本語\x1b[4GX\r\n日本語\x1b[3D\x1b[K|\r\n日本語\x1b[3D\x1b[X|\r\n",
    "combining marks": "e\u0301\u0302 a\u0300\bX \u200bzero\u200d\ufe0f\r\n",
    "emoji": "🚀🎉 👩\u200d💻 ⚠\ufe0f done\r🚀!\r\n",
    "the alternate screen": "$ vim\r\n\x1b[?1049h\x1b[2J\x1b[Htext\r\nmore\x1b[?1049l$ \r\n",
    "an alternate screen that is open": "$ less\r\n\x1b[?1049h\x1b[Hpage\r\n2",
    "titles and links": "\x1b]0;title\x07a \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ b\x1b]133;A\x07\r\n",
    "a picture by OSC 1337": "before\r\n\x1b]1337;File=inline=1:QUJD\x07\r\nafter\r\n",
    "a picture by sixel": "before\r\n\x1bPq#0;2;0;0;0~~@@\n-vv\x1b\\\r\nafter\r\n",
    "a picture by kitty": "before\r\n\x1b_Gf=100,m=1;QUJD\x1b\\\x1b_Gm=0;QUJD\x1b\\\r\nafter\r\n",
    "charsets": "\x1b(0lqqk\x1b(B plain \x0e\x1b)0x\x0fx\r\n",
    "DECALN": "abc\x1b#8",
    "controls": "a\x00b\x07c\x7fd\x05e\r\n",
    "sequences cut short": "a\x1b[3\x18b\x1b[1;\x1b[31mc\x1b]0;t\x1b[0md\r\n",
    "controls in sequences": "abc\x1b[1\rDX\x1b[\n2Cy\r\n",
    "C1": "a\x85b\x9b31mc\x9dtitle\x9cd\r\n",
    "colors": "\x1b[1;31mred\x1b[0m plain \x1b[38;5;9;48;2;1;2;3mboth\x1b[39m one\x1b[m\r\n",
    "colors that go on": "\x1b[31ma\r\nb\x1b[0m c\r\n",
    "colors drawn over": "10%|\x1b[31m#\x1b[0m   \r20%|\x1b[31m##\x1b[0m  \r30%\r\n",
    "colors by number": "\x1b[90ma\x1b[101mb\x1b[38;5;1mc\x1b[38:5:200md\x1b[38:2::1:2:3me\x1b[0;2;3;9mf\x1b[53mg\r\n",
    "blanks that show": "\x1b[44m   \x1b[0m|\x1b[7m  \x1b[m   \r\n",
}
ATOMS = [
    *WORDS,
    *WORDS,
    *(f"\x1b[{sgr}m" for sgr in SGR),
    *[
        "\r",
        "\r\n",
        "\r\n",
        "\n",
        "\b",
        "\b\b\b",
        "\t",
        "\x1b[K",
        "\x1b[1K",
        "\x1b[2K",
        "\x1b[J",
        "\x1b[1J",
        "\x1b[2J",
        "\x1b[H",
    ],
    *[
        "\x1b[A",
        "\x1b[2A",
        "\x1b[B",
        "\x1b[3C",
        "\x1b[2D",
        "\x1b[G",
        "\x1b[5G",
        "\x1b[4`",
        "\x1b[2X",
        "\x1b[3P",
        "\x1b[2@",
        "\x1b[4b",
    ],
    *[
        "\x1b7",
        "\x1b8",
        "\x1b[s",
        "\x1b[u",
        "\x1b[L",
        "\x1b[M",
        "\x1b[S",
        "\x1b[T",
        "\x1b[2;4r",
        "\x1b[r",
        "\x1b[3;4H",
        "\x1b[2d",
    ],
    *[
        "\x1bD",
        "\x1bM",
        "\x1bE",
        "\x1bH",
        "\x1b[g",
        "\x1b[Z",
        "\x1b[I",
        "\x1b[E",
        "\x1b[F",
        "\x1b[4h",
        "\x1b[4l",
        "\x1b(0",
        "\x1b(B",
    ],
    *["\x1b]0;t\x07", "\x1b[?25l", "\x1b[?1049h\x1b[Halt\x1b[?1049l", "\x1bPq~\x1b\\", "\x07", "\x1b[?6h", "\x1b[?6l"],
]


def generated(count: int = 300) -> Iterator[dict[str, Any]]:
    """Yield random streams, the same ones every time."""
    for seed in range(count):
        source = random.Random(seed)
        stream = "".join(source.choices(ATOMS, k=source.randrange(3, 30)))
        yield {
            "name": f"generated {seed}",
            "rows": source.randrange(4, 10),
            "cols": source.randrange(8, 30),
            "stream": stream,
        }


def recorded() -> Iterator[dict[str, Any]]:
    """Yield recorded output of real programs."""
    for path in sorted((DATA / "streams").iterdir()):
        yield {"name": path.name, "rows": 24, "cols": 80, "file": f"streams/{path.name}"}
    for path in sorted((DATA / "progress").glob("*.bin")):
        yield {"name": path.name, "rows": 40, "cols": 120, "file": f"progress/{path.name}"}


def stream_of(case: dict[str, Any]) -> bytes:
    """Return the bytes of a case."""
    return Path(DATA, case["file"]).read_bytes() if "file" in case else case["stream"].encode()


def make(xterm: Xterm) -> list[dict[str, Any]]:
    """Return all cases, each with its lines: plain, and with SGR sequences."""
    named = [{"name": name, "rows": 24, "cols": 80, "stream": stream} for name, stream in NAMED.items()]
    cases = [*named, *recorded(), *generated()]
    for case in cases:
        (lines,) = xterm.lines(stream_of(case), rows=case["rows"], cols=case["cols"])
        case["lines"] = [plain for plain, _ in lines]
        case["ansi"] = [ansi for _, ansi in lines]
    return cases


def main() -> None:
    """Write the file."""
    install(HERE)
    xterm = Xterm()
    body = ",\n".join(json.dumps(case, ensure_ascii=True) for case in make(xterm))
    FILE.write_text(f"[\n{body}\n]\n")
    xterm.close()


if __name__ == "__main__":
    main()
