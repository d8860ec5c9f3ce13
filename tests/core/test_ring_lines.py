"""Lines of a ring: the same from wherever reading starts, and each reported once to followers."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.ring import lines as ring_lines
from jupyter_ptytasks.core.ring import reading as ring_reading
from jupyter_ptytasks.core.ring.lines import RingLines
from jupyter_ptytasks.core.ring.reader import RingReader
from jupyter_ptytasks.core.ring.writer import RingWriter
from jupyter_ptytasks.core.terminal.lines import Lines
from tests.core.floods import floods, take
from tests.oracle import streams

if TYPE_CHECKING:
    from collections.abc import Iterator

Line = tuple[int, str]


class Ring:
    """A ring on disk that is written to by the piece."""

    def __init__(self, top: Path, rows: int, cols: int, *, size: int = 1 << 26, segment: int = 1 << 22) -> None:
        self.directory = directory = tempfile.mkdtemp(dir=top)
        self.size = (rows, cols)
        self.writer = RingWriter(directory, size=size, segment=segment, rows=rows, cols=cols)

    def close(self) -> None:
        self.writer.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def lines(self, number: int = 0) -> list[Line]:
        """All lines from a number on."""
        with RingReader(self.directory) as reader:
            reading = RingLines(reader, self.size).since(number)
            found = [line for batch in reading for line in batch] + [(n, text) for n, text, _ in reading.rest()]
        return [line for line in found if line[0] >= number]

    def last(self, count: int) -> list[Line]:
        with RingReader(self.directory) as reader:
            _, lines = RingLines(reader, self.size).last(count)
        return [(number, text) for number, text, _ in lines]

    def follow(self, number: int) -> tuple[list[Line], int]:
        """The lines from `number` on that are settled, and the number to go on from."""
        with RingReader(self.directory) as reader:
            reading = RingLines(reader, self.size).since(number)
            lines = [line for batch in reading for line in batch]
            rest = reading.rest()
        following = next((n for n, _, is_settled in rest if not is_settled), rest[-1][0] + 1)
        lines += [(n, text) for n, text, _ in rest]
        return [line for line in lines if number <= line[0] < following], max(following, number)


def shown(stream: bytes, rows: int, cols: int) -> list[Line]:
    lines = Lines(rows, cols)
    lines.feed(stream)
    return lines.take() + [(number, text) for number, text, _ in lines.rest()]


@pytest.fixture(scope="module")
def rings() -> Iterator[Path]:
    """A place for rings: hypothesis makes many of them in one test."""
    directory = tempfile.mkdtemp()
    yield Path(directory)
    shutil.rmtree(directory)


@given(stream=streams.everything, size=streams.sizes, segment=st.integers(40, 400))
def test_it_does_not_matter_where_segments_end(rings: Path, stream: bytes, size: tuple[int, int], segment: int) -> None:
    ring = Ring(rings, *size, segment=segment)
    ring.writer.write(stream)
    assert ring.lines() == shown(stream, *size)
    ring.close()


usual = st.lists(st.one_of(streams.line, streams.line, streams.frame, streams.bars(), streams.live()), max_size=30)


@given(pieces=st.one_of(usual, st.lists(streams.programs, min_size=4, max_size=14)), size=streams.sizes)
def test_lines_are_the_same_when_the_beginning_is_dropped(
    rings: Path, pieces: list[bytes], size: tuple[int, int]
) -> None:
    """Left out are only lines from before; the numbers of those that the keyframe shows may be higher."""
    ring = Ring(rings, *size, size=600, segment=200)
    for piece in pieces:
        ring.writer.write(piece)
    with RingReader(ring.directory) as reader:
        begin = reader.bounds()[0]
    stream = b"".join(pieces)
    old = {"", *(text.rstrip() for _, text in shown(stream[:begin], *size))}
    found = [text.rstrip() for _, text in ring.lines(0)]
    counts = {0}  # of the lines that may have been found so far
    for text in [text.rstrip() for _, text in shown(stream, *size)]:
        seen = {count + 1 for count in counts if found[count : count + 1] == [text]}
        counts = (counts if begin and text in old else set()) | seen
    assert len(found) in counts
    ring.close()


def test_few_lines_are_where_they_were_when_the_beginning_is_dropped(rings: Path) -> None:
    """A bar that has run for long below a few lines: what the keyframe shows is no longer there is not returned."""
    ring = Ring(rings, 8, 40, size=4000, segment=1000)
    ring.writer.write(b"one\r\ntwo\r\n" + b"".join(b"\r%4d bar" % step for step in range(2000)))
    with RingReader(ring.directory) as reader:
        assert reader.bounds()[0] > 0
    assert ring.lines() == [(2, "1999 bar")]
    assert ring.last(5) == [(2, "1999 bar")]
    ring.writer.write(b"\x1b[2A\rONE\r\n\n\n")
    assert ring.lines() == [(2, "ONE"), (2, "two"), (2, "1999 bar"), (5, "")]
    ring.close()


def test_a_line_whose_beginning_has_left_the_screen_is_whole_when_the_output_before_is_dropped(rings: Path) -> None:
    ring = Ring(rings, 5, 10, size=600, segment=200)
    for _ in range(8):
        ring.writer.write(b"%s\r\n" % (b"x" * 120))
    line = "".join(f"word {number} " for number in range(20))
    ring.writer.write(line.encode())
    for _ in range(60):
        ring.writer.write(b"\x1b[31m\x1b[32m\x1b[33m")
    with RingReader(ring.directory) as reader:
        assert reader.bounds()[0] > 8 * 122 + len(line)
    ring.writer.write(b"end")
    assert ring.lines() == [(8, line + "end")]
    ring.close()


@given(pieces=usual, size=streams.sizes, data=st.data())
def test_it_does_not_matter_where_one_begins(
    rings: Path, pieces: list[bytes], size: tuple[int, int], data: st.DataObject
) -> None:
    """Programs overwrite only lines within the part that is drawn before the requested line."""
    stream = b"".join(pieces)
    ring = Ring(rings, *size, segment=300)
    ring.writer.write(stream)
    whole = shown(stream, *size)
    number = data.draw(st.integers(0, stream.count(b"\n")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ring_lines, "_CONTEXT", 600)
        assert ring.lines(number) == [line for line in whole if line[0] >= number]
        patch.setattr(ring_lines, "_WINDOW", 700)
        patch.setattr(ring_lines, "_MOST_WINDOW", 100_000)
        count = data.draw(st.integers(0, 20))
        assert ring.last(count)[-count - 1 :] == whole[-count - 1 :]
    ring.close()


def test_the_last_lines_are_what_was_drawn_before_what_is_read(rings: Path) -> None:
    """The first line that is read was drawn from the line above."""
    stream = b"\r\nbelow\x1b[A\rabove\r\n\r\n" + b"line\r\n" * 10
    ring = Ring(rings, 5, 20)
    ring.writer.write(stream)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ring_lines, "_WINDOW", len(b"\r\n" + b"line\r\n" * 10))
        assert ring.last(11)[-12:] == shown(stream, 5, 20)[-12:]
    ring.close()


@given(stream=st.one_of(usual.map(b"".join), streams.everything), size=streams.sizes, data=st.data())
def test_followers_get_every_line_once(rings: Path, stream: bytes, size: tuple[int, int], data: st.DataObject) -> None:
    ring = Ring(rings, *size)
    told: list[Line] = []
    following = 0
    for chunk in data.draw(streams.chunks(stream)):
        ring.writer.write(chunk)
        lines, after = ring.follow(following)
        assert all(following <= number < after for number, _ in lines) or not lines
        told += lines
        following = after
    standing = ring.lines(following)
    left = iter(told)
    for line in shown(stream, *size):
        # All that stands there in the end was told, in this order, or is still to be.
        assert line in standing or line in left
    ring.close()


def test_repeatedly_drawn_lines_are_reported_once_they_stay(rings: Path) -> None:
    """A table with log lines above it: each log line appears once, and the table in its last state."""
    ring = Ring(rings, 24, 80)
    told: list[str] = []
    following = 0
    for turn in range(40):
        up = b"\r\x1b[2K" + b"\x1b[1A\x1b[2K" * 2 if turn else b""
        log = b"log %d\r\n" % turn if turn % 4 == 3 else b""
        ring.writer.write(up + log + b"+---+\r\n|%d|\r\n+---+" % turn)
        lines, following = ring.follow(following)
        told += [text for _, text in lines]
    assert [text for text in told if text.startswith("log")] == [f"log {turn}" for turn in range(3, 40, 4)]
    # The first one was not yet known to be drawn again.
    assert told.count("|0|") + told.count("+---+") <= 3
    assert [text for _, text in ring.lines(following)] == ["+---+", "|39|", "+---+"]
    ring.close()


def numbers_of(lines: list[Line]) -> list[tuple[int, int]]:
    """The number of each line, and the number that it says it has."""
    return [(number, int(text.split()[1])) for number, text in lines if text]


@pytest.mark.parametrize("before", [0, 1, 3])
def test_numbers_stay_right_when_segments_are_dropped_meanwhile(rings: Path, before: int) -> None:
    """A search takes seconds, and a task may write a whole ring meanwhile."""

    def write(start: int, stop: int) -> None:
        ring.writer.write(b"".join(b"line %d \x1b[3%dmof\x1b[m many\r\n" % (n, n % 8) for n in range(start, stop)))

    ring = Ring(rings, 24, 80, size=1 << 20, segment=1 << 18)
    write(0, 30_000)
    with RingReader(ring.directory) as reader, pytest.MonkeyPatch.context() as patch:
        patch.setattr(ring_reading, "_BLOCK", 10_000)
        found = RingLines(reader)
        reading = found.since(0)
        walk = iter(reading)
        told = [line for _, batch in zip(range(before), walk, strict=False) for line in batch]
        write(30_000, 50_000)
        late = reader.bounds()[0] > found._start
        told += [line for batch in walk for line in batch] + [(n, text) for n, text, _ in reading.rest()]
        numbers = numbers_of(told)
        assert late
        assert all(number == said for number, said in numbers)
        assert [number for number, _ in numbers] == sorted({number for number, _ in numbers})
        # A place that is looked for after it has gone is that of the first line that is kept.
        write(50_000, 52_000)
        number, said = numbers_of([line for batch in found.since(10_000) for line in batch])[0]
        assert number == said
    ring.close()


@pytest.mark.parametrize("name", ["bar by CR", "bar by BS, as Keras has it", "dots", "spinner by CHA"])
def test_a_line_without_end_is_not_read_whole(rings: Path, name: str) -> None:
    """Megabytes without a line feed, as a bar writes in hours: of it one is drawn, and no more than a segment read."""
    segment = 1 << 20
    ring = Ring(rings, 24, 80, segment=segment)
    ring.writer.write(b"first\r\nsecond\r\n" + take(floods()[name], 6 * segment))
    drawn = read = 0

    def feed(lines: Lines, data: bytes) -> None:
        nonlocal drawn
        drawn += len(data)
        fed(lines, data)

    def count(reader: RingReader, offset: int, limit: int) -> tuple[int, bytes]:
        nonlocal read
        found = whole(reader, offset, limit)
        read += len(found[1])
        return found

    fed, whole = Lines.feed, RingReader.read
    with RingReader(ring.directory) as reader, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lines, "feed", feed)
        patch.setattr(RingReader, "read", count)
        found = RingLines(reader)
        assert (found.end, read <= 1.2 * segment) == (2, True)
        drawn = read = 0
        assert len([*found.since(2)]) > 1
        assert drawn < 1.4 * (1 << 20)
        assert read < 3 * segment
        drawn = read = 0
        assert found.last(2)[1][-1][0] == 2
        assert drawn < 4 * (1 << 20)
        assert read < 8 * segment
    assert [text for _, text in ring.last(2)][:2] == ["first", "second"]
    ring.close()
