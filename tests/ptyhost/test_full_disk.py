"""A full disk costs old output, then new output, but never the job and never the record of its end."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from tests.ptyhost.hosting import Hosted

if TYPE_CHECKING:
    from pathlib import Path


def fill(path: Path) -> None:
    """Take all the room that is left on a disk."""
    with pytest.raises(OSError, match="No space"):
        _write_without_end(path)


def _write_without_end(path: Path) -> None:
    with open(path, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_the_oldest_segments_make_room(small_disk: Path) -> None:
    hosted = Hosted(str(small_disk))
    try:
        hosted.start("sh", "-c", "seq 1000000; echo the end", ring={"size": 64 << 20, "segment": 256 << 10})
        record = hosted.ended(patience=60)
        assert record["code"] == 0
        assert record["output"]["lines"] == 1_000_001
        assert record["output"]["lost"] == 0
        assert record["output"]["start"] > 5_000_000
        assert hosted.output().endswith(b"1000000\r\nthe end\r\n")
    finally:
        hosted.clean_up()


def test_output_that_finds_no_room_is_counted_and_the_end_is_recorded(small_disk: Path) -> None:
    hosted = Hosted(str(small_disk))
    try:
        hosted.start(
            "sh",
            "-c",
            "echo first; read go; seq 300000; read go; echo last; exit 6",
            ring={"size": 64 << 20, "segment": 4 << 20},
        )
        hosted.wait_output(b"first")
        # Another program takes all the space there is.
        filler = small_disk / "filler"
        fill(filler)
        viewer = hosted.viewer("one")
        viewer.send(1, b"\n")
        viewer.ask_status()
        while (status := viewer.ask_status())["output"]["lost"] < 1_000_000:
            pass
        filler.unlink()
        viewer.send(1, b"\n")
        record = hosted.ended()
        assert record["code"] == 6
        output = hosted.output()
        assert output.startswith(b"first\r\n")
        assert b"bytes of output lost: No space left on device]" in output
        assert output.endswith(b"last\r\n")
        assert status["output"]["lost"] > 0
        assert record["output"]["end"] == len(output)
    finally:
        hosted.clean_up()


def test_the_end_is_recorded_on_a_disk_that_stays_full(small_disk: Path) -> None:
    hosted = Hosted(str(small_disk))
    try:
        hosted.start("sh", "-c", "read go; seq 100000; exit 6")
        fill(small_disk / "filler")
        hosted.viewer("one").send(1, b"\n")
        record = hosted.ended()
        assert record["code"] == 6
        assert record["output"]["lost"] > 0
    finally:
        (small_disk / "filler").unlink()
        hosted.clean_up()


def test_a_limit_on_the_size_of_files_acts_like_a_full_disk(hosted: Hosted, tmp_path: Path) -> None:
    """For who cannot mount: `ulimit -f` in blocks of 512 or 1024 bytes; the signal for it is ignored, the error is
    not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
        hosted.start("sh", "-c", "seq 200000; exit 6")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    record = hosted.ended()
    assert record["code"] == 6
    assert record["output"]["lost"] > 500_000
