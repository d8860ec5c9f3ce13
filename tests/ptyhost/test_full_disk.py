"""A full disk costs old output, then new output, but never the task or its exit record."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from tests.ptyhost.hosting import Hosted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def cramped(small_disk: Path, transport: str) -> Iterator[Hosted]:
    """A task to start, on a small disk."""
    task = Hosted(str(small_disk))
    yield task
    (small_disk / "filler").unlink(missing_ok=True)
    task.clean_up()


def fill(path: Path) -> None:
    """Take all the room that is left on a disk."""
    with pytest.raises(OSError, match="No space"):
        _write_without_end(path)


def _write_without_end(path: Path) -> None:
    with open(path, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_the_oldest_segments_make_room(cramped: Hosted) -> None:
    cramped.start("sh", "-c", "seq 1000000; echo the end", ring={"size": 64 << 20, "segment": 256 << 10})
    record = cramped.ended(patience=60)
    assert record["code"] == 0
    assert record["output"]["lines"] == 1_000_001
    assert record["output"]["lost"] == 0
    assert record["output"]["start"] > 5_000_000
    assert cramped.output().endswith(b"1000000\r\nthe end\r\n")


def test_output_that_finds_no_room_is_counted_and_the_end_is_recorded(cramped: Hosted, small_disk: Path) -> None:
    cramped.start(
        "sh",
        "-c",
        "echo first; read go; seq 300000; read go; echo last; exit 6",
        ring={"size": 64 << 20, "segment": 4 << 20},
    )
    cramped.wait_output(b"first")
    # Another program takes all the space there is.
    filler = small_disk / "filler"
    fill(filler)
    viewer = cramped.viewer("one")
    viewer.send(1, b"\n")
    viewer.ask_status()
    while (status := viewer.ask_status())["output"]["lost"] < 1_000_000:
        pass
    filler.unlink()
    viewer.send(1, b"\n")
    record = cramped.ended()
    assert record["code"] == 6
    output = cramped.output()
    assert output.startswith(b"first\r\n")
    assert b"bytes of output lost: No space left on device]" in output
    assert output.endswith(b"last\r\n")
    assert status["output"]["lost"] > 0
    assert record["output"]["end"] == len(output)


def test_the_end_is_recorded_on_a_disk_that_stays_full(cramped: Hosted, small_disk: Path) -> None:
    cramped.start("sh", "-c", "read go; seq 100000; exit 6")
    fill(small_disk / "filler")
    cramped.viewer("one").send(1, b"\n")
    record = cramped.ended()
    assert record["code"] == 6
    assert record["output"]["lost"] > 0


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
