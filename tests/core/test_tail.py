"""Reading new output at the end of a ring, for several parsers at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_ptytasks.core.progress import ProgressReader
from jupyter_ptytasks.core.ring.reader import RingReader
from jupyter_ptytasks.core.ring.tail import TailReader
from jupyter_ptytasks.core.ring.writer import RingWriter

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Heard:
    """A parser that keeps what it is fed."""

    def __init__(self) -> None:
        self.data: list[tuple[bytes, float, bool]] = []
        self.ended: list[tuple[bool, float]] = []

    def feed(self, data: bytes, now: float, *, gap: bool = False) -> None:
        self.data.append((data, now, gap))

    def end(self, succeeded: bool, now: float) -> None:
        self.ended.append((succeeded, now))


def test_only_the_end_of_a_long_ring_is_read(tmp_path: Path) -> None:
    ring = RingWriter(str(tmp_path), size=16 << 20, segment=1 << 20, rows=24, cols=80)
    ring.write(b"\x1b]9;4;1;5\x07")
    ring.write(b"x" * 100_000)
    reader = ProgressReader()
    tail = TailReader(lambda: RingReader(str(tmp_path)), 1, [reader])
    tail.read(1.0)
    before = reader.progress
    assert before is None
    ring.write(b"\x1b]9;4;1;6\x07")
    tail.read(2.0)
    found = reader.progress
    assert found is not None
    assert (found.fraction, found.updated) == (0.06, 2.0)
    tail.read(3.0)
    assert reader.progress == found
    ring.write(b"\x1b]9;4;1;7\x07" + b"x" * 100_000)
    tail.read(4.0)
    assert reader.progress == found
    ring.close()


def test_a_sequence_in_two_pieces_is_complete(tmp_path: Path) -> None:
    ring = RingWriter(str(tmp_path), size=16 << 20, segment=1 << 20, rows=24, cols=80)
    reader = ProgressReader()
    tail = TailReader(lambda: RingReader(str(tmp_path)), 1, [reader])
    for piece, expected in ((b"\x1b]9;4;", None), (b"1;6", None), (b"1\x07", 0.61)):
        ring.write(piece)
        tail.read(1.0)
        assert (reader.progress and reader.progress.fraction) == expected
    ring.close()


def test_all_parsers_get_the_same_from_one_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = RingWriter(str(tmp_path), size=16 << 20, segment=1 << 20, rows=24, cols=80)
    ring.write(b"before")
    one, other = Heard(), Heard()
    opened: list[RingReader] = []

    def open_ring() -> RingReader:
        opened.append(RingReader(str(tmp_path)))
        return opened[-1]

    tail = TailReader(open_ring, 1, [one, other])
    tail.read(1.0)
    ring.write(b"x" * 100_000)
    ring.write(b"after")
    tail.read(2.0)
    tail.end(True, 3.0)
    ring.close()
    assert one.data == other.data
    assert one.data[0] == (b"before", 1.0, True)
    assert (one.data[1][1:], b"".join(data for data, _, _ in one.data[1:])[-6:]) == ((2.0, True), b"xafter")
    assert one.ended == other.ended == [(True, 3.0)]
    assert len(opened) == 3


def test_of_a_flood_no_more_than_a_glance(tmp_path: Path) -> None:
    ring = RingWriter(str(tmp_path), size=16 << 20, segment=1 << 20, rows=24, cols=80)
    heard = Heard()
    tail = TailReader(lambda: RingReader(str(tmp_path)), 1, [heard])
    tail.read(1.0)
    heard.data.clear()
    for now in (2.0, 3.0):
        ring.write(b"x" * (2 << 20) + b"end")
        tail.read(now)
    assert all(gap and data.endswith(b"xend") for data, _, gap in heard.data)
    assert [len(data) for data, _, _ in heard.data] == [4 << 10, 4 << 10]
    # Its end is read as thoroughly as that of any other.
    ring.write(b"x" * (2 << 20))
    tail.end(True, 4.0)
    ring.close()
    assert len(heard.data[-1][0]) == 64 << 10


def test_from_the_beginning_output_is_read_piece_by_piece(tmp_path: Path) -> None:
    ring = RingWriter(str(tmp_path), size=16 << 20, segment=1 << 20, rows=24, cols=80)
    heard = Heard()
    tail = TailReader(lambda: RingReader(str(tmp_path)), 1, [heard], lambda: 5)
    written = b"known" + b"".join(b"%7d\n" % number for number in range(20_000))
    ring.write(written)
    assert [tail.read(float(now)) for now in range(3)] == [True, True, False]
    assert tail.position == len(written)
    more = b"%64d\n" % 1 * 1500
    ring.write(more)
    assert tail.read(4.0)
    ring.write(b"the last")
    tail.end(True, 5.0)
    ring.close()
    assert b"".join(data for data, _, _ in heard.data) == written[5:] + more + b"the last"
    assert max(len(data) for data, _, _ in heard.data) == 64 << 10
    assert not any(gap for _, _, gap in heard.data)


def test_a_flood_costs_no_more_at_its_beginning(tmp_path: Path) -> None:
    ring = RingWriter(str(tmp_path), size=16 << 20, segment=1 << 20, rows=24, cols=80)
    heard = Heard()
    tail = TailReader(lambda: RingReader(str(tmp_path)), 1, [heard], lambda: 0)
    sizes = []
    for now in (1.0, 2.0, 3.0):
        ring.write(b"x" * (2 << 20))
        assert tail.read(now) is (now == 1.0)
        sizes.append(sum(len(data) for data, _, _ in heard.data))
        heard.data.clear()
    ring.close()
    assert sizes == [64 << 10, 4 << 10, 4 << 10]


def test_output_dropped_before_it_was_read_is_skipped(tmp_path: Path) -> None:
    ring = RingWriter(str(tmp_path), size=64 << 10, segment=32 << 10, rows=24, cols=80)
    heard = Heard()
    tail = TailReader(lambda: RingReader(str(tmp_path)), 1, [heard], lambda: 0)
    ring.write(b"first")
    assert not tail.read(1.0)
    ring.write(b"x\n" * (100 << 10) + b"last")
    assert not tail.read(2.0)
    assert heard.data[1][0].startswith(b"x")
    assert [gap for _, _, gap in heard.data[1:]] == [True] + [False] * len(heard.data[2:])
    assert heard.data[-1][0].endswith(b"last")
    ring.close()
