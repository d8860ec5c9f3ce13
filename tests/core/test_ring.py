"""The ring: bytes written in any chunks read back the same, from any offset that is still available."""

from __future__ import annotations

import errno
import os
import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.platform import files
from jupyter_ptytasks.core.ring.format import decode_index, index_path, list_bases, log_path
from jupyter_ptytasks.core.ring.reader import RingReader
from jupyter_ptytasks.core.ring.writer import RingWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SEGMENT = 4096


def open_writer(directory: str, size: int = 4 * SEGMENT, segment: int = SEGMENT) -> RingWriter:
    return RingWriter(directory, size=size, segment=segment, rows=24, cols=80)


def read_all(directory: str) -> tuple[int, bytes]:
    """Return the start of the ring and all its bytes."""
    with RingReader(directory) as reader:
        start, end = reader.bounds()
        return start, reader.read_range(start, end)


OUTPUT = st.lists(
    st.binary(max_size=3 * SEGMENT) | st.sampled_from([b"line\n" * 300, b"\x1b[31mred\r\n" * 200]), max_size=12
)


@given(chunks=OUTPUT)
def test_any_chunking_reads_back_the_same(chunks: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        writer = open_writer(directory, size=1 << 20)
        for chunk in chunks:
            assert writer.write(chunk) == len(chunk)
        whole = b"".join(chunks)
        assert read_all(directory) == (0, whole)
        assert (writer.start, writer.end, writer.lines, writer.lost) == (0, len(whole), whole.count(b"\n"), 0)
        writer.close()


@given(chunks=OUTPUT)
def test_trimming_keeps_offsets_true(chunks: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        writer = open_writer(directory)
        whole = b""
        for chunk in chunks:
            writer.write(chunk)
            whole += chunk
            start, kept = read_all(directory)
            assert start == writer.start
            assert writer.end == len(whole)
            assert kept == whole[start:]
            assert len(kept) <= 4 * SEGMENT
        writer.close()


@given(chunks=OUTPUT, cut=st.integers(0, 12))
def test_another_writer_continues_where_the_last_one_ended(chunks: list[bytes], cut: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        for part in (chunks[:cut], chunks[cut:]):
            writer = open_writer(directory, size=1 << 20)
            for chunk in part:
                writer.write(chunk)
            writer.close()
        whole = b"".join(chunks)
        assert read_all(directory) == (0, whole)
        assert writer.lines == whole.count(b"\n")
        assert writer.modes.fed == len(whole)


def test_segments_begin_with_lines_and_know_their_number(tmp_path: Path) -> None:
    writer = open_writer(str(tmp_path), size=1 << 20)
    for number in range(3000):
        writer.write(f"line {number}\n".encode())
    writer.close()
    with RingReader(str(tmp_path)) as reader:
        bases = reader.bases()
        assert len(bases) > 5
        for base in bases[:-1]:
            keyframe = reader.keyframe(base)
            _, data = reader.read(base, 100)
            assert data.startswith(f"line {keyframe.line}\n".encode())
            assert (keyframe.rows, keyframe.cols) == (24, 80)


def test_index_notes_when_and_at_what_size(tmp_path: Path) -> None:
    writer = open_writer(str(tmp_path))
    writer.write(b"narrow\n")
    writer.resize(50, 132)
    writer.close()
    raw = (tmp_path / f"{0:020d}.idx").read_bytes()
    found = decode_index(raw)
    assert found is not None
    assert (len(raw) - found[1]) % 24 == 0
    assert len(raw) - found[1] >= 48


@pytest.mark.parametrize("length", [0, 3, 20, 200])
def test_torn_index_costs_the_keyframe_alone(tmp_path: Path, length: int) -> None:
    writer = open_writer(str(tmp_path), size=1 << 20)
    for number in range(2000):
        writer.write(f"line {number}\n".encode())
    writer.close()
    base = list_bases(str(tmp_path))[2]
    os.truncate(index_path(str(tmp_path), base), length)
    with RingReader(str(tmp_path)) as reader:
        _, data = reader.read(base, 64)
        # The line is counted from the segment before.
        assert data.startswith(f"line {reader.keyframe(base).line}\n".encode())


def test_garbage_in_the_index_is_survived_by_the_next_writer(tmp_path: Path) -> None:
    writer = open_writer(str(tmp_path))
    writer.write(b"before\n")
    writer.close()
    (tmp_path / f"{0:020d}.idx").write_bytes(os.urandom(500))
    writer = open_writer(str(tmp_path))
    writer.write(b"after\n")
    writer.close()
    assert read_all(str(tmp_path)) == (0, b"before\nafter\n")
    with RingReader(str(tmp_path)) as reader:
        assert reader.keyframe(0).line == 0


def test_truncated_segment_leaves_a_hole_and_true_offsets(tmp_path: Path) -> None:
    writer = open_writer(str(tmp_path), size=1 << 20)
    lines = [b"%08d\n" % number for number in range(2000)]
    for line in lines:
        writer.write(line)
    first, second = list_bases(str(tmp_path))[:2]
    os.truncate(log_path(str(tmp_path), first), 90)
    with RingReader(str(tmp_path)) as reader:
        assert reader.read(0, 1 << 20) == (0, b"".join(lines[:10]))
        offset, data = reader.read(90, 9)
        assert (offset, data) == (second, lines[second // 9])
    # A segment cut under the writer: what it writes next is still where it says.
    last = list_bases(str(tmp_path))[-1]
    os.truncate(log_path(str(tmp_path), last), 0)
    end = writer.end
    writer.write(b"still here\n")
    writer.close()
    with RingReader(str(tmp_path)) as reader:
        assert reader.read(end, 100) == (end, b"still here\n")


def test_missing_segment_in_the_middle_is_read_over(tmp_path: Path) -> None:
    writer = open_writer(str(tmp_path), size=1 << 20)
    writer.write(b"x" * 5 * SEGMENT)
    writer.close()
    bases = list_bases(str(tmp_path))
    os.unlink(log_path(str(tmp_path), bases[1]))
    with RingReader(str(tmp_path)) as reader:
        assert reader.read(bases[1] + 5, 10)[0] == bases[2]
        assert len(reader.read_range(0, writer.end)) == writer.end - (bases[2] - bases[1])


def test_reader_follows_the_writer_across_segments_without_waiting(tmp_path: Path) -> None:
    writer = open_writer(str(tmp_path))
    with RingReader(str(tmp_path)) as reader:
        position, read = 0, b""
        for number in range(2000):
            writer.write(b"%d\n" % number)
            while position < writer.end:
                data = reader.read_nowait(position, 1 << 16)
                if data is None:
                    start, data = reader.read(position, 1 << 16)
                    assert start == position
                position += len(data)
                read += data
        assert read == b"".join(b"%d\n" % number for number in range(2000))
    writer.close()


def test_reading_what_was_dropped_gives_what_is_there(tmp_path: Path) -> None:
    writer = open_writer(str(tmp_path))
    with RingReader(str(tmp_path)) as reader:
        writer.write(b"a" * SEGMENT)
        assert reader.read(0, 10) == (0, b"a" * 10)
        writer.write(b"b" * 20 * SEGMENT)
        # The open segment is gone by name, but not for who has it open.
        assert reader.read(0, 10) == (0, b"a" * 10)
        reader.close()
        offset, data = reader.read(0, 10)
        assert (offset, data) == (writer.start, b"b" * 10)
        assert reader.read(writer.end, 10) == (writer.end, b"")
    writer.close()


def test_missing_ring_is_empty(tmp_path: Path) -> None:
    with RingReader(str(tmp_path / "nowhere")) as reader:
        assert reader.bounds() == (0, 0)
        assert reader.read(0, 10) == (0, b"")


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Make writes fail once this many more bytes are written. (Real full disks: tests/ptyhost/test_full_disk.py.)"""
    room = 1 << 40
    write = files.pwrite

    def fill(left: int) -> None:
        nonlocal room
        room = left

    def limited(fd: int, data: bytes, offset: int) -> int:
        nonlocal room
        if room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        count = write(fd, data[:room], offset)
        room -= count
        return count

    monkeypatch.setattr(files, "pwrite", limited)
    return fill


def test_full_disk_drops_output_counts_it_and_says_so(tmp_path: Path, full_disk: Callable[[int], None]) -> None:
    writer = open_writer(str(tmp_path))
    writer.write(b"kept\n")
    full_disk(3)
    assert writer.write(b"partly\n") == 3
    assert writer.write(b"not at all\n") == 0
    assert writer.lost == 4 + 11
    full_disk(1 << 30)
    assert writer.write(b"again\n") == 6
    writer.close()
    text = read_all(str(tmp_path))[1]
    assert text.startswith(b"kept\npar")
    assert b"[15 bytes of output lost: No space left on device]" in text
    assert text.endswith(b"again\n")
    assert writer.end == len(text)
