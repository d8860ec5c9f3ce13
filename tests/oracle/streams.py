"""Hypothesis strategies for the output of programs, from log lines to garbage."""

from __future__ import annotations

from hypothesis import strategies as st

WORDS = [
    "a",
    "ok",
    "epoch 3",
    "loss=0.25",
    "███▌",
    "│",
    "━━",
    "日本",
    "é",
    "e\u0301",
    "🚀",
    "x" * 15,
    " ",
    "\u26a0\ufe0f",
]
# No underlines: xterm.js saves (DECSC, 1049) that there is one, but not of what style.
SGR = ["", "0", "1", "31", "1;32", "44", "38;5;9", "48;2;1;2;3", "7", "27", "39", "49", "22", "3", "23", "0;35", "2"]

words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map("".join)
simple_words = st.text("abc █", min_size=1, max_size=14)
small = st.integers(0, 6)


def _bytes(text: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    return text.map(str.encode)


def csi(finals: str, numbers: st.SearchStrategy[int] = small) -> st.SearchStrategy[bytes]:
    """CSI sequences with at most one parameter."""
    parameter = st.one_of(st.just(""), numbers.map(str))
    return _bytes(st.builds("\x1b[{}{}".format, parameter, st.sampled_from(finals)))


sgr = _bytes(st.sampled_from(SGR).map("\x1b[{}m".format))
text = _bytes(words)
newline = st.just(b"\r\n")
line = st.builds(lambda parts: b"".join(parts) + b"\r\n", st.lists(st.one_of(text, sgr), max_size=4))
frame = st.builds(
    lambda pen, words, tail, end: b"\r" + pen + words.encode() + tail + end,
    st.one_of(st.just(b""), sgr),
    simple_words,
    st.sampled_from([b"", b"\x1b[K", b"\x1b[0m", b"\x1b[m\x1b[K"]),
    st.sampled_from([b"", b"", b"", b"\n", b"\r\n"]),
)


@st.composite
def bars(draw: st.DrawFn) -> bytes:
    """Nested bars in the manner of tqdm: down by line feeds, a frame, and up again."""
    height = draw(st.integers(1, 4))
    out = []
    for _ in range(draw(st.integers(1, 6))):
        row = draw(st.integers(0, height - 1))
        out.append("\r\n" * row + "\r" + draw(simple_words) + "\x1b[A" * row)
    return "".join(out).encode() + draw(st.sampled_from([b"", b"\r\n" * height]))


@st.composite
def live(draw: st.DrawFn) -> bytes:
    """A table in the manner of rich: drawn again and again over itself, now and then with a line above it."""
    height = draw(st.integers(1, 4))
    out = ["\x1b[?25l"]
    for turn in range(draw(st.integers(1, 4))):
        if turn:
            out.append("\r\x1b[2K" + "\x1b[1A\x1b[2K" * (height - 1))
        if draw(st.booleans()):
            out.append(draw(words) + "\r\n")
        rows = [f"\x1b[3{draw(small)}m{draw(simple_words)}\x1b[0m" for _ in range(height)]
        out.append("\r\n".join(rows))
    return "".join(out).encode() + draw(st.sampled_from([b"", b"\x1b[?25h\r\n"]))


moves = st.one_of(csi("ABCDEFG"), st.sampled_from([b"\r", b"\n", b"\r\n", b"\b", b"\t", b"\x1b[A\r", b"\r\x1b[2K"]))
erases = st.one_of(csi("K", st.integers(0, 2)), csi("J", st.integers(0, 3)), st.just(b"\x1b[2K"))
edits = csi("@PXLMST")
#: What moves and writes within a row in every way there is: spinners and bars do.
row_work = st.one_of(
    csi("CDGIXP@Z`ab"),
    csi("K", st.integers(0, 2)),
    st.sampled_from([b"\t", b"\b", b"\b\b\b", b"\r", b"\x1b7", b"\x1b8", b"\x1bH", b"\x1b[g", b"\x1b[3g"]),
)
places = _bytes(st.builds("\x1b[{};{}H".format, st.integers(0, 8), st.integers(0, 14)))
margins = st.sampled_from([b"\x1b[2;4r", b"\x1b[r", b"\x1b[1;3r", b"\x1b[3r", b"\x1b[?6h", b"\x1b[?6l"])
saves = st.sampled_from([b"\x1b7", b"\x1b8", b"\x1b[s", b"\x1b[u"])
charsets = st.sampled_from([b"\x1b(0", b"\x1b(B", b"\x1b)0", b"\x0e", b"\x0f"])
PRIVATE = [1, 5, 7, 9, 12, 25, 45, 66, 1000, 1002, 1003, 1004, 1006, 1016, 2004, 2026]
modes = _bytes(st.builds("\x1b[?{}{}".format, st.sampled_from(PRIVATE), st.sampled_from("hl")))
rare_modes = st.one_of(
    st.sampled_from([b"\x1b[4h", b"\x1b[4l", b"\x1b[20h", b"\x1b[20l", b"\x1b=", b"\x1b>", b"\x1b[?1;25;2004h"]),
    csi("q", st.integers(0, 6)).map(lambda token: token[:-1] + b" q"),
)
resets = st.sampled_from([b"\x1bc", b"\x1b[!p"])
titles = st.sampled_from([b"\x1b]0;run\x07", b"\x1b]2;caf\xc3\xa9\x1b\\", b"\x1b]7;file://h/tmp\x07"])
marks = st.sampled_from(
    [b"\x1b]133;A\x07", b"\x1b]8;;http://a/b\x1b\\", b"\x1b]8;;\x1b\\", b"\x07", b"\x1b]9;4;1;50\x07"]
)
queries = st.sampled_from(
    [
        b"\x1b[c",
        b"\x1b[>c",
        b"\x1b[0c",
        b"\x1b[5n",
        b"\x1b[6n",
        b"\x1b[?6n",
        b"\x1b[?25$p",
        b"\x1b[4$p",
        b"\x1bP$qm\x1b\\",
        b"\x1b]11;?\x07",
        b"\x1b]10;?\x1b\\",
        b"\x1b]4;1;?\x07",
        b"\x1b[18t",
        b"\x1b[>q",
        b"\x05",
        b"\x1bZ",
        b"\x1bP+q6b\x1b\\",
    ]
)
TAILS = [
    b"\x1b",
    b"\x1b[",
    b"\x1b[3",
    b"\x1b]0;ti",
    b"\xe2\x94",
    b"\xf0\x9f",
    b"\x1bP$q",
    b"\xc2",
    b"\x1b]0;a\x1b",
    b"\x1b(",
]
garbage = st.one_of(
    st.binary(min_size=1, max_size=6),
    st.text("\x1b[]m;1?\x9b\x07\x18é0c\\P_n6$qp\x0bA\r", min_size=1, max_size=8).map(str.encode),
    st.sampled_from(TAILS),
)
ordinary = st.one_of(line, line, frame, frame, text, sgr, newline, bars(), live())
screen_work = st.one_of(
    text, sgr, places, erases, newline, modes, saves, st.sampled_from([b"\x1b[H\x1b[2J", b"\x1b[2J"])
)


@st.composite
def alternate(draw: st.DrawFn) -> bytes:
    """A full-screen program; it may still be running at the end."""
    mode = draw(st.sampled_from([1049, 1049, 1049, 1047, 47]))
    body = b"".join(draw(st.lists(st.one_of(screen_work, screen_work, margins, charsets), max_size=8)))
    # Where a terminal knows no 1049, programs save the cursor themselves.
    enter, leave = (b"", b"") if mode == 1049 else (b"\x1b7", b"\x1b8")
    end = draw(st.sampled_from([b"\x1b[?%dl" % mode + leave] * 4 + [b""]))
    return enter + b"\x1b[?%dh" % mode + body + end


usual = st.one_of(ordinary, ordinary, ordinary, moves, moves, erases, titles, alternate())
unusual = st.one_of(ordinary, moves, erases, edits, places, margins, saves, charsets, modes, rare_modes, resets, marks)

logs = st.lists(line, max_size=40).map(b"".join)
programs = st.lists(usual, max_size=14).map(b"".join)
everything = st.lists(st.one_of(usual, unusual, unusual), max_size=16).map(b"".join)
anything = st.lists(st.one_of(usual, unusual, queries, garbage), max_size=16).map(b"".join)
rows_of_text = st.lists(
    st.one_of(text, text, sgr, row_work, row_work, newline, st.sampled_from([b"\n", b"\x1b[A", b"\x1b[2A", b"\x1b[B"])),
    max_size=20,
).map(b"".join)
sizes = st.tuples(st.integers(5, 12), st.integers(10, 30))


@st.composite
def chunks(draw: st.DrawFn, stream: bytes) -> list[bytes]:
    """`stream` cut anywhere."""
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    return [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
