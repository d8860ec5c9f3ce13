"""Compressed segments read back unchanged, by readers and by a writer that continues."""

from __future__ import annotations

import gzip
import os
import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ptytasks.core.ring.format import list_bases, log_path, packed_path
from jupyter_ptytasks.core.ring.packing import bases_to_pack, pack
from jupyter_ptytasks.core.ring.reader import RingReader
from tests.core.test_ring import OUTPUT, open_writer, read_all

if TYPE_CHECKING:
    from pathlib import Path


@settings(max_examples=30)
@given(chunks=OUTPUT, more=OUTPUT, packed=st.sets(st.integers(0, 20)), offsets=st.lists(st.integers(0, 60_000)))
def test_whatever_is_packed_reads_the_same(
    chunks: list[bytes], more: list[bytes], packed: set[int], offsets: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        writer = open_writer(directory, size=1 << 20)
        for chunk in chunks:
            writer.write(chunk)
        writer.close()
        whole = b"".join(chunks)
        bases = list_bases(directory)
        for index in packed:
            if index < len(bases):
                pack(directory, bases[index])
        assert list_bases(directory) == bases
        assert bases_to_pack(directory) == [base for index, base in enumerate(bases) if index not in packed]
        assert read_all(directory) == (0, whole)
        with RingReader(directory) as reader:
            for offset in offsets:
                at, data = reader.read(offset, 1000)
                assert data == whole[at : at + len(data)]
                assert (data, at) == (b"", offset) if offset >= len(whole) else data
                near = reader.read_nowait(offset, 1000)
                assert near is None or whole[offset : offset + 1000].startswith(near)
        # The task is restarted.
        writer = open_writer(directory, size=1 << 20)
        assert (writer.end, writer.lines) == (len(whole), whole.count(b"\n"))
        for chunk in more:
            writer.write(chunk)
        writer.close()
        assert read_all(directory) == (0, whole + b"".join(more))


def test_a_packed_segment_is_a_gzip_file(tmp_path: Path) -> None:
    writer = open_writer(str(tmp_path), size=1 << 20)
    writer.write(b"hello\n" * 100)
    writer.close()
    before = (tmp_path / f"{0:020}.log").read_bytes()
    assert pack(str(tmp_path), 0) == len(before)
    assert pack(str(tmp_path), 0) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{0:020}.idx", f"{0:020}.log.gz"]
    assert gzip.decompress((tmp_path / f"{0:020}.log.gz").read_bytes()) == before
    if os.name == "posix":  # elsewhere a file has no mode
        assert (tmp_path / f"{0:020}.log.gz").stat().st_mode & 0o077 == 0


def test_an_old_packed_segment_is_dropped_like_any_other(tmp_path: Path) -> None:
    writer = open_writer(str(tmp_path), size=4 * 4096)
    writer.write(b"x" * 80 + b"\n")
    writer.write(b"line of output\n" * 800)
    writer.close()
    for base in list_bases(str(tmp_path))[:-1]:
        pack(str(tmp_path), base)
    writer = open_writer(str(tmp_path), size=4 * 4096)
    oldest = writer.start
    writer.write(b"line of output\n" * 3000)
    assert writer.start > oldest
    assert not os.path.exists(packed_path(str(tmp_path), oldest))
    writer.close()


@pytest.mark.parametrize("left", [b"", b"\x1f\x8b", b"garbage" * 10])
def test_a_damaged_segment_is_a_hole(tmp_path: Path, left: bytes) -> None:
    writer = open_writer(str(tmp_path), size=1 << 20)
    for number in range(2000):
        writer.write(f"line {number}\n".encode())
    writer.close()
    first, second = list_bases(str(tmp_path))[:2]
    rest = read_all(str(tmp_path))[1][second:]
    pack(str(tmp_path), first)
    with open(packed_path(str(tmp_path), first), "wb") as file:
        file.write(left)
    with RingReader(str(tmp_path)) as reader:
        assert reader.read(0, 10) == (second, rest[:10])
        assert reader.read_range(0, reader.bounds()[1]) == rest


def test_a_task_whose_last_segment_is_damaged_can_be_restarted(tmp_path: Path) -> None:
    writer = open_writer(str(tmp_path), size=1 << 20)
    writer.write(b"hello\n")
    writer.close()
    pack(str(tmp_path), 0)
    with open(packed_path(str(tmp_path), 0), "r+b") as file:
        file.write(b"garbage")
    writer = open_writer(str(tmp_path), size=1 << 20)
    writer.write(b"again\n")
    writer.close()
    assert read_all(str(tmp_path))[1].endswith(b"again\n")
    assert os.path.exists(log_path(str(tmp_path), list_bases(str(tmp_path))[-1]))


def test_a_failed_compression_leaves_the_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = open_writer(str(tmp_path), size=1 << 20)
    writer.write(b"hello\n")
    writer.close()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        pack(str(tmp_path), 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{0:020}.idx", f"{0:020}.log"]
    assert read_all(str(tmp_path)) == (0, b"hello\n")
