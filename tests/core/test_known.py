"""The cache of known lines never changes a result, whatever was written, and wherever an earlier walk ended."""

from __future__ import annotations

import tempfile
import zlib
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.ring import known_file, reading
from jupyter_ptytasks.core.ring.known import Known, KnownRings
from jupyter_ptytasks.core.ring.lines import RingLines
from jupyter_ptytasks.core.ring.reader import RingReader
from jupyter_ptytasks.core.ring.writer import RingWriter
from jupyter_ptytasks.core.terminal import lines as terminal_lines
from jupyter_ptytasks.readahead.walk import read_ahead
from tests.oracle import streams

if TYPE_CHECKING:
    from collections.abc import Callable

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
        if read_ahead(top, SIZE):
            patch.setattr(terminal_lines.Lines, "feed", lambda *_: pytest.fail("drawn again"))
        assert lines_in_bulk(top, KnownRings()) == expected


def ring_of(directory: Path, data: bytes) -> str:
    writer = RingWriter(str(directory), size=1 << 26, segment=1 << 22, rows=24, cols=80)
    writer.write(data)
    writer.close()
    return str(directory)


def test_known_lines_are_not_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = b"".join(b"\r%3d%%|#####|" % percent for percent in range(100)) + b"\r\ndone\r\n"
    ring = ring_of(tmp_path / "ring", b"plain \x1b[1mline\x1b[0m 1\r\n" * 20_000 + frames * 1000)
    known = KnownRings()
    first = lines_in_bulk(ring, known)
    monkeypatch.setattr(terminal_lines.Lines, "feed", lambda *_: pytest.fail("drawn again"))
    assert lines_in_bulk(ring, known) == first
    assert len(first) == 22_001


def test_output_that_was_read_ahead_is_not_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = b"".join(b"\r%3d%%|#####|" % percent for percent in range(100)) + b"\r\ndone\r\n"
    bar = b"".join(b"\r%3d%%|#####|" % percent for percent in range(80_000))  # whose middle is not drawn
    ring = ring_of(tmp_path / "ring", b"plain \x1b[1mline\x1b[0m 1\r\n" * 20_000 + frames * 500 + bar)
    expected = lines_in_bulk(ring, None)
    assert expected[-1] == (21_000, "79999%|#####|")
    assert not known_file.is_current(ring)
    assert read_ahead(ring, SIZE)
    assert known_file.is_current(ring)
    assert not read_ahead(ring, SIZE), "it is there"
    monkeypatch.setattr(terminal_lines.Lines, "feed", lambda *_: pytest.fail("drawn again"))
    assert lines_in_bulk(ring, KnownRings()) == expected


def test_a_ring_that_has_grown_is_read_again(tmp_path: Path) -> None:
    ring = ring_of(tmp_path / "ring", b"\r50%\r100%\r\n" * 1000)
    known = KnownRings()
    assert read_ahead(ring, SIZE)
    before = lines_in_bulk(ring, known)
    writer = RingWriter(ring, size=1 << 26, segment=1 << 22, rows=24, cols=80)
    writer.write(b"the next attempt\r\n")
    writer.close()
    after = [(1000, "the next attempt"), (1001, "")]
    assert lines_in_bulk(ring, known) == lines_in_bulk(ring, KnownRings()) == before[:-1] + after
    assert read_ahead(ring, SIZE)
    assert lines_in_bulk(ring, KnownRings()) == before[:-1] + after


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[:-5],
        lambda _: zlib.compress(b"[]"),
        lambda _: zlib.compress(b"[" * 100_000),
        lambda data: zlib.compress(zlib.decompress(data).replace(b'"parts":[', b'"parts":[7,')),
        lambda data: zlib.compress(zlib.decompress(data).replace(b'"rest":[', b'"rest":[[1],')),
        lambda data: zlib.compress(zlib.decompress(data).replace(b'"form":', b'"form":9')),
    ],
)
def test_a_damaged_file_is_ignored(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    ring = ring_of(tmp_path / "ring", b"\r50%\r100%\r\n" * 1000)
    expected = lines_in_bulk(ring, None)
    assert read_ahead(ring, SIZE)
    path = Path(known_file.path_of(ring))
    path.write_bytes(damage(path.read_bytes()))
    assert known_file.read(ring, (0, 12_000), SIZE) is None
    assert lines_in_bulk(ring, KnownRings()) == expected
    assert read_ahead(ring, SIZE), "it is written anew"


def test_results_as_large_as_the_output_are_not_written(tmp_path: Path) -> None:
    ring = ring_of(tmp_path / "ring", b"back\x08 spaces are drawn\r\n" * 200_000)
    assert not read_ahead(ring, SIZE)
    assert not read_ahead(str(tmp_path / "none"), SIZE)
    assert not Path(known_file.path_of(ring)).exists()


def test_results_as_large_as_the_output_are_not_kept(tmp_path: Path) -> None:
    ring = ring_of(tmp_path / "ring", b"back\x08 spaces are drawn\r\n" * 200_000)
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
