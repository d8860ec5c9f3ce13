"""A ptyhost with few descriptors, little memory or few processes serves fewer clients, and loses nothing."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import time
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core import wire
from tests.ptyhost.hosting import reach, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ptyhost.hosting import Hosted


def processor_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return sum(map(int, file.read().rpartition(b")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def take_descriptors(pid: int) -> None:
    """Leave a process no descriptor but those that it has open."""
    taken = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(set(range(100)) - taken), 4096))


def test_without_a_free_descriptor_it_waits_for_one(hosted: Hosted) -> None:
    hosted.start("cat")
    link = hosted.connect(role="link")
    link.ask_status()
    take_descriptors(hosted.host_pid)
    with reach(hosted.socket_path) as waiting:
        before, began = processor_seconds(hosted.host_pid), time.monotonic()
        wait_until(lambda: "Too many open files" in hosted.log())
        while time.monotonic() - began < 1.0:
            assert link.ask_status()["pid"] == hosted.pid
            time.sleep(0.1)
        assert processor_seconds(hosted.host_pid) - before < 0.3
        # As soon as a connection is closed there is one.
        link.close()
        assert waiting.recv(1 << 16)


@pytest.mark.parametrize("descriptors", [26, 32, 48])
def test_connections_take_no_descriptor_that_the_task_needs(
    hosted: Hosted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, descriptors: int
) -> None:
    # Not in this process, which may have more of them open.
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nulimit -S -n {descriptors}\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    ring = {"size": 1 << 20, "segment": 1 << 16}
    hosted.start("sh", "-c", "read go; seq 100000; ulimit -n; exit 3", ring=ring)
    viewer = hosted.viewer("one")
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(reach(hosted.socket_path))
        viewer.send(wire.INPUT, b"\n")
        record = hosted.ended()
    assert record["code"] == 3
    # Nothing was dropped because a new segment could not be opened.
    assert record["output"] == {"start": 0, "end": record["output"]["end"], "lines": 100_002, "lost": 0}
    # The command has what the server has.
    assert hosted.output().endswith(f"{descriptors}\r\n".encode())


def test_output_continues_when_no_segment_can_be_opened(hosted: Hosted) -> None:
    ring = {"size": 1 << 20, "segment": 1 << 16}
    hosted.start("sh", "-c", "seq 10000; read go; seq 30000; exit 3", ring=ring)
    hosted.wait_output(b"\n10000\r\n")
    viewer = hosted.viewer("one")
    viewer.ask_status()
    take_descriptors(hosted.host_pid)
    viewer.send(wire.INPUT, b"\n")
    wait_until(lambda: hosted.output().endswith(b"30000\r\n"))
    record = hosted.ended()
    assert record["code"] == 3
    assert (record["output"]["start"], record["output"]["lost"]) == (0, 0)
