"""/proc/<pid>/syscall is parsed in all of its forms; anything else is ignored."""

from __future__ import annotations

import os
import select
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.waiting import syscalls

#: What the program did, the architecture, /proc/<pid>/syscall, and what it says. Most of x86_64 was recorded.
SAID = [
    (
        "cat",
        "x86_64",
        "0 0x0 0x7f7c78acd000 0x20000 0x7f7c78b60b60 0xffffffff 0x0 0x7ffd53c010f8 0x7f7c78c492ad",
        "read",
    ),
    ("sleep", "x86_64", "230 0x0 0x0 0x7ffd31899e60 0x7ffd31899ea0 0x0 0x0 0x7ffd31899e48 0x7f02fecd6503", "other"),
    ("bash", "x86_64", "270 0x1 0x7ffd7e3d33b0 0x0 0x0 0x0 0x7ffd7e3d3320 0x7ffd7e3d3300 0x7f8e4c7d2d47", "select"),
    ("less", "x86_64", "7 0x7ffc2a1d5a60 0x1 0xffffffff 0x8 0x0 0x0 0x7ffc2a1d59f8 0x7f5f1c60e153", "poll"),
    ("node", "x86_64", "281 0xa 0x7ffe9e1c2ad0 0x400 0xffffffff 0x0 0x8 0x7ffe9e1c2a98 0x7f1f8e0e9b36", "epoll"),
    ("cat", "aarch64", "63 0x0 0xffffb3c50000 0x20000 0x22 0xffffffff 0x0 0xffffd2a1f0e0 0xffffb3e1d9d4", "read"),
    ("bash", "aarch64", "72 0x1 0xffffe8a1c1f8 0x0 0x0 0x0 0xffffe8a1c178 0xffffe8a1c0f0 0xffffa1c3e9d8", "select"),
    ("less", "aarch64", "73 0xffffcd2e3a60 0x1 0x0 0x0 0x8 0x0 0xffffcd2e3a20 0xffffb7d1a4c4", "poll"),
    ("sleep", "aarch64", "115 0x0 0x0 0xffffe0a1b2c8 0xffffe0a1b2c8 0x0 0x0 0xffffe0a1b250 0xffff9a3b7f10", "other"),
    ("a computation", "x86_64", "running\n", "running"),
    ("a page that is not there", "x86_64", "-1 0x7ffd31899e48 0x7f02fecd6503\n", "other"),
]


@pytest.mark.parametrize(("program", "machine", "text", "kind"), SAID, ids=lambda one: one.split()[0])
def test_recorded_calls(program: str, machine: str, text: str, kind: str) -> None:
    call = syscalls.parse(text, machine)
    assert call is not None, program
    assert call.kind == kind


@pytest.mark.parametrize(
    ("text", "machine"),
    [("", "x86_64"), ("0 0x0", "x86_64"), ("0 x y", "x86_64"), ("what", "x86_64"), (SAID[0][2], "riscv64")],
)
def test_what_is_not_known_says_nothing(text: str, machine: str) -> None:
    assert syscalls.parse(text, machine) is None


@given(
    text=st.text("0x1 7af-\n", max_size=30),
    machine=st.sampled_from(["x86_64", "aarch64", ""]),
    memory=st.binary(max_size=300),
)
def test_nonsense_never_raises(text: str, machine: str, memory: bytes) -> None:
    for line in (text, "0 " + text, f"7 0x10 0x2 {text}", f"23 0x40 0x10 {text}"):
        call = syscalls.parse(line, machine)
        if call is not None:
            assert call.memory is None or 0 < call.memory[1] <= 8192
            assert all(fd >= 0 for fd in call.descriptors(memory))
    assert all(fd >= 0 for fd in syscalls.watched(text))


@given(entries=st.lists(st.tuples(st.integers(-1, 2000), st.sampled_from([0, 1, 4, 5, 0x40])), min_size=1, max_size=40))
def test_a_poll_waits_for_what_it_wants_to_read(entries: list[tuple[int, int]]) -> None:
    memory = b"".join(struct.pack("=ihh", fd, events, 0) for fd, events in entries)
    call = syscalls.Call(syscalls.POLL, 0x1000, len(entries))
    assert call.memory == (0x1000, len(memory))
    assert call.descriptors(memory) == [fd for fd, events in entries if fd >= 0 and events & 0x41]


@given(descriptors=st.sets(st.integers(0, 1023), min_size=1))
def test_a_select_waits_for_its_first_set(descriptors: set[int]) -> None:
    count = max(descriptors) + 1
    call = syscalls.Call(syscalls.SELECT, count, 0x1000)
    place = call.memory
    assert place is not None
    assert place[1] % 8 == 0
    assert place[1] * 8 >= count
    memory = sum(1 << fd for fd in descriptors).to_bytes(place[1], "little")
    assert call.descriptors(memory) == sorted(descriptors)


def test_too_many_descriptors_are_not_looked_at() -> None:
    assert syscalls.Call(syscalls.POLL, 0x1000, 1025).memory is None
    assert syscalls.Call(syscalls.SELECT, 1025, 0x1000).memory is None
    # A select that only wants to write.
    assert syscalls.Call(syscalls.SELECT, 3, 0).memory is None


def test_a_recorded_epoll_waits_for_what_it_wants_to_read() -> None:
    recorded = """pos:\t0
flags:\t02000002
mnt_id:\t15
ino:\t1058
tfd:       17 events:       19 data:               11  pos:0 ino:5 sdev:1b
tfd:        9 events: 80000001 data:                9  pos:0 ino:422 sdev:f
tfd:        5 events:        4 data:                5  pos:0 ino:422 sdev:f
tfd:        6 events: 40000000 data:                6  pos:0 ino:422 sdev:f
"""
    assert syscalls.watched(recorded) == [17, 9]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel is asked")
def test_an_epoll_of_this_kernel() -> None:
    reader, writer = os.pipe()
    with select.epoll() as poll:
        poll.register(reader, select.EPOLLIN)
        poll.register(writer, select.EPOLLOUT)
        with open(f"/proc/self/fdinfo/{poll.fileno()}", encoding="ascii") as file:
            assert syscalls.watched(file.read()) == [reader]
    os.close(reader)
    os.close(writer)
