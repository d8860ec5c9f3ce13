"""What is known of rings changes no line, whatever was written, and wherever an earlier walk has ended."""

from __future__ import annotations

import tempfile
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.ring import reading
from jupyter_ptytasks.core.ring.known import Known, KnownRings
from jupyter_ptytasks.core.ring.lines import RingLines
from jupyter_ptytasks.core.ring.reader import RingReader
from jupyter_ptytasks.core.ring.writer import RingWriter
from jupyter_ptytasks.core.terminal import lines as terminal_lines
from tests.oracle import streams

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (5, 40)
colored = st.sampled_from(
    [b"step 1 loss 0.5\r\n", b"\x1b[2m12:01\x1b[0m loss\x1b[1m 3\x1b[K\r\n", "é 1\r\n".encode(), b"\x1b[0m\r\n"]
)
written = st.lists(st.one_of(colored, colored, streams.everything, streams.garbage), max_size=12).map(b"".join)


def lines_in_bulk(directory: str, known: KnownRings | None, most: int | None = None) -> list[tuple[int, str]]:
    """Return the lines of a ring, up to those of `most` batches or all."""
    with RingReader(directory) as reader:
        ring = RingLines(reader, SIZE, known=known)
        found = ring.since(ring.first)
        walk = found.in_bulk()
        batches = list(islice(walk, most))
        if most is not None:
            walk.close()
            return []
        lines = [line for batch in batches for line in (batch if isinstance(batch, list) else batch.lines())]
        return lines + [line[:2] for line in found.rest()]


@given(
    writes=st.lists(written, min_size=1, max_size=3),
    most=st.one_of(st.none(), st.integers(1, 12)),
    segment=st.integers(100, 3000),
    kept=st.sampled_from([1 << 20, 1500]),
)
def test_walks_find_the_same_lines_again(writes: list[bytes], most: int | None, segment: int, kept: int) -> None:
    known = KnownRings()
    with tempfile.TemporaryDirectory() as top, pytest.MonkeyPatch.context() as patch:
        patch.setattr(terminal_lines, "_WORTH", 1)
        patch.setattr(reading, "_BLOCK", 512)
        patch.setattr(reading, "_PIECE", 64)
        patch.setattr(reading, "_LINES", 2)
        patch.setattr(reading, "_LONGEST", 256)
        writer = RingWriter(top, size=max(kept, 2 * segment), segment=segment, rows=5, cols=40)
        for stream in writes:
            writer.write(stream)
            expected = lines_in_bulk(top, None)
            lines_in_bulk(top, known, most)
            assert lines_in_bulk(top, known) == expected
            assert lines_in_bulk(top, known) == expected
        writer.close()


def ring_of(directory: Path, data: bytes) -> str:
    writer = RingWriter(str(directory), size=1 << 26, segment=1 << 22, rows=24, cols=80)
    writer.write(data)
    writer.close()
    return str(directory)


def test_what_is_known_is_not_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = b"".join(b"\r%3d%%|#####|" % percent for percent in range(100)) + b"\r\ndone\r\n"
    ring = ring_of(tmp_path / "ring", b"plain \x1b[1mline\x1b[0m 1\r\n" * 20_000 + frames * 1000)
    known = KnownRings()
    first = lines_in_bulk(ring, known)
    monkeypatch.setattr(terminal_lines.Lines, "feed", lambda *_: pytest.fail("drawn again"))
    assert lines_in_bulk(ring, known) == first
    assert len(first) == 22_001


def test_what_takes_as_much_room_as_the_output_is_not_kept(tmp_path: Path) -> None:
    ring = ring_of(tmp_path / "ring", b"tabs\tare drawn\r\n" * 200_000)
    known = KnownRings()
    first = lines_in_bulk(ring, known)
    found = known.get(ring)
    assert found is not None
    assert found.is_full
    assert found.offset < 1 << 20
    assert lines_in_bulk(ring, known) == first
    again = known.get(ring)
    assert again is not None
    assert again.weight == found.weight


def test_all_of_it_is_bounded() -> None:
    known = KnownRings(most=100_000)
    for number in range(50):
        one = Known(0, SIZE, [])
        one.add([(0, "x" * 1000)], None, 1000)
        known.keep(str(number), one)
        assert known.get(str(number)) is one
    kept = [known.get(str(number)) for number in range(50)]
    assert 1 < len([one for one in kept if one]) < 6
    assert sum(one.weight for one in kept if one) <= 100_000
