"""A ptyhost survives any input: generated frames and hellos, split anywhere, all sent to the same ptyhost."""

from __future__ import annotations

import json
import os
import signal
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.platform.posix import tree
from jupyter_ptytasks.ptyhost.job import Job
from tests.ptyhost.hosting import Hosted, dial, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Survives all signals that can be survived, and answers whatever it reads with one letter.
TOUGH = """
import os, signal, tty
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
tty.setraw(0)
os.write(1, b'ready')
while True:
    if b'ping' in os.read(0, 65536):
        os.write(1, b'!')
"""

#: Whatever JSON can be, and a little more: Python reads NaN and Infinity, and numbers of any length.
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["\ud800", "x" * 100_000, 10**400, -(10**400), 1e308]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
#: Graces that keep a stop from going on to SIGKILL.
PATIENT = st.sampled_from([1000, 1e9, 1e308, float("inf"), 10**400])
#: Steps of which none is one; with one of them a ladder is none.
NO_STEPS = st.one_of(
    SCALARS,
    st.tuples(st.integers() | st.none() | st.just("SIGNOTHING"), st.floats()),
    st.tuples(st.just("SIGCONT"), st.sampled_from([float("nan"), None, "10", True, [], {}])),
    st.lists(SCALARS, min_size=3, max_size=3),
)
LADDERS = st.one_of(
    SCALARS,
    st.dictionaries(st.text(max_size=3), SCALARS, max_size=3),
    st.lists(st.tuples(st.sampled_from(["SIGCONT", "WINCH"]), PATIENT), min_size=1, max_size=70),
    st.tuples(st.lists(st.tuples(st.just("SIGTERM"), PATIENT), max_size=3), NO_STEPS).map(
        lambda two: [*two[0], two[1]]
    ),
)
SIGNALS = st.sampled_from(sorted(one.name for one in signal.Signals if one != signal.SIGKILL)) | VALUES
TARGETS = st.sampled_from(["tree", "leader", "foreground"]) | VALUES


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


PAYLOADS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"", b"\0", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\x01\xff\xff", bytes(wire.MAX_PAYLOAD)]),
    # Nested, as deep as a frame goes.
    st.tuples(st.sampled_from([b"[", b'{"a":', b'[{"a":']), st.integers(1, 60_000)).map(lambda two: two[0] * two[1]),
    st.integers(1, 2000).map(lambda deep: b'{"a":' * deep + b"1" + b"}" * deep),
    VALUES.map(as_json),
    st.fixed_dictionaries({}, optional={"signal": SIGNALS, "target": TARGETS}).map(as_json),
    st.fixed_dictionaries({"ladder": LADDERS}, optional={"reason": VALUES}).map(as_json),
)
FRAMES = st.tuples(st.one_of(st.integers(0, 12), st.integers(0, 255)), PAYLOADS).map(lambda two: wire.frame(*two))
NO_FRAMES = st.one_of(
    st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1)).map(lambda two: struct.pack(">BI", *two)),
    st.binary(max_size=20),
)
HELLOS = st.one_of(
    st.fixed_dictionaries(
        {"ptytasks": st.just(1)},
        optional={
            "role": st.sampled_from(["link", "viewer", "input"]) | VALUES,
            "viewer": st.text(max_size=5) | VALUES,
            "readonly": st.booleans() | VALUES,
            "more": VALUES,
        },
    ).map(lambda value: as_json(value) + b"\n"),
    st.sampled_from(
        [
            b"",
            b"\n",
            b"{}\n",
            b"[]\n",
            b'{"ptytasks":"1"}\n',
            b"x" * 70_000,
            b'{"ptytasks":1,"a":' + b"[" * 60_000 + b"\n",
        ]
    ),
)


class Story:
    """One task for all examples, with the link and the viewer of a regular client."""

    def __init__(self, hosted: Hosted) -> None:
        self.hosted = hosted
        self.link = hosted.connect(role="link")
        self.viewer = hosted.viewer("one")
        self.pings = 0

    def tell(self, data: bytes, cut: int) -> None:
        """Send bytes on a connection of their own, in two pieces, as far as they are taken."""
        with dial(self.hosted.socket_path, 0.2) as peer:
            try:
                peer.sendall(data[:cut])
                peer.sendall(data[cut:])
            except OSError:
                return  # it was let go, or is not read from for now

    def check(self) -> None:
        """The task runs, and who means it is served."""
        self.link.send_json(wire.SIGNAL, signal="SIGCONT", target="tree")
        assert self.link.ask_status()["pid"] == self.hosted.pid
        self.viewer.send(wire.INPUT, b"ping")
        self.pings += 1
        wait_until(lambda: self.hosted.output().count(b"!") >= self.pings, 20)
        self.link.frames.clear()
        assert self.hosted.log() == "", self.hosted.log()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, transport: str) -> Iterator[Story]:
    hosted = Hosted(str(tmp_path_factory.mktemp("frames")))
    hosted.python(TOUGH)
    hosted.wait_output(b"ready")
    yield Story(hosted)
    hosted.clean_up()


LINK = b'{"ptytasks":1,"role":"link"}\n'


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large, HealthCheck.too_slow],
)
@given(hello=HELLOS, frames=st.lists(FRAMES | NO_FRAMES, max_size=6), cut=st.integers(0, 2000))
@example(LINK, [wire.json_frame(wire.SIGNAL, {"signal": 9})], 0)
@example(LINK, [wire.json_frame(wire.STOP, {"ladder": [[9, 1]]})], 0)
@example(LINK, [wire.json_frame(wire.STOP, {"ladder": [["SIGCONT", float("nan")]]})], 0)
@example(LINK, [wire.json_frame(wire.STOP, {"ladder": [["SIGCONT", float("inf")]]})], 0)
@example(LINK, [wire.json_frame(wire.STOP, {"ladder": [["SIGCONT", 10**400]], "reason": "x" * 100_000})], 0)
@example(LINK, [wire.frame(wire.NOTE, b'{"a":' * 60_000)], 7)
@example(LINK, [wire.frame(wire.NOTE, b'{"a":1e999}'), wire.frame(wire.NOTE, b'{"a":NaN}')], 7)
@example(LINK, [wire.json_frame(wire.NOTE, {"a": "\ud800"})], 7)
@example(LINK, [wire.frame(wire.WATCH), wire.frame(wire.RESIZE, bytes(4)), wire.frame(wire.RESIZE, b"\xff" * 4)], 7)
@example(b'{"ptytasks":1,"a":' + b"[" * 60_000 + b"\n", [], 100)
@example(b'{"ptytasks":1,"role":["link"],"viewer":{"a":[1]}}\n', [wire.frame(wire.ASK_STATUS)] * 6, 3)
def test_it_survives_whatever_it_is_sent(story: Story, hello: bytes, frames: list[bytes], cut: int) -> None:
    story.tell(hello + b"".join(frames), cut)
    story.check()


@pytest.mark.parametrize("kind", [wire.ASK_STATUS, wire.REPAINT, wire.SIGNAL, wire.NOTE, 200])
def test_an_endless_stream_of_frames_delays_no_other_connection(story: Story, kind: int) -> None:
    payload = as_json({"signal": "SIGWINCH"}) if kind == wire.SIGNAL else b""
    flood = wire.frame(kind, payload) * 20_000
    with dial(story.hosted.socket_path) as peer:
        peer.sendall(LINK)
        peer.setblocking(False)
        for _ in range(3):
            # It never reads: what it is told must not pile up either.
            for _ in range(5):
                try:
                    peer.send(flood)
                except BlockingIOError:
                    break
            story.check()
    assert resident(story.hosted.host_pid) < 24_000


def resident(pid: int) -> int:
    """Return the KiB that a process has in memory."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def test_the_exit_record_fits_whatever_was_noted(hosted: Hosted) -> None:
    """It is written into reserved space of 4096 bytes."""
    hosted.start("sh", "-c", "for i in $(seq 50); do setsid sleep 1000 & done; read go; exit 3")
    link = hosted.connect(role="link")
    wait_until(lambda: len(children(hosted.host_pid)) >= 50)
    number = 0
    while len(as_json(link.ask_status()["notes"])) < wire.MAX_NOTES - 60:
        link.send_json(wire.NOTE, **{f"{number}": "\ud83d\ude00\ud800" * 2})
        number += 1
    # All of it is of the greatest length, and the disk has no more room than that.
    link.send_json(wire.STOP, ladder=[["SIGWINCH", 1000]], reason="\U0001f600" * 1000)
    hosted.viewer("\U0001f600" * 1000).send(wire.INPUT, b"\n")
    link.send_json(wire.STOP, ladder=[])
    record = hosted.ended()
    assert record["leftover"]["count"] == 0
    assert os.path.getsize(hosted.files.exit) <= 4096


def children(pid: int) -> list[int]:
    """Return the children of a process and of those below it."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
            for child in map(int, file.read().split()):
                found += [child, *children(child)]
    return found


def test_a_signal_to_a_process_that_has_just_ended(hosted: Hosted) -> None:
    """The foreground group has no more processes, as in a shell between two jobs."""
    hosted.python(
        "import os, signal, time\n"
        "signal.signal(signal.SIGTTOU, signal.SIG_IGN)\n"
        "child = os.fork()\n"
        "if child == 0:\n    os.setpgid(0, 0)\n    time.sleep(0.2)\n    os._exit(0)\n"
        "time.sleep(0.05)\nos.tcsetpgrp(0, child)\nos.waitpid(child, 0)\nprint('ready')\ntime.sleep(1000)"
    )
    hosted.wait_output(b"ready")
    link = hosted.connect(role="link")
    link.send_json(wire.SIGNAL, signal="SIGINT", target="foreground")
    assert link.ask_status()["pid"] == hosted.pid


@pytest.mark.parametrize("error", [ProcessLookupError, PermissionError, OSError])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL])
@pytest.mark.parametrize("target", ["tree", "leader", "foreground"])
def test_a_signal_that_does_not_arrive_is_not_an_error(
    monkeypatch: pytest.MonkeyPatch, error: type[OSError], number: int, target: str
) -> None:
    """To a process that has ended, or to a set-user-id program (sudo, su) that may not be signaled."""
    sent = []

    def refuse(*about: int) -> None:
        sent.append(about)
        raise error

    monkeypatch.setattr(os, "kill", refuse)
    monkeypatch.setattr(os, "killpg", refuse)
    monkeypatch.setattr(tree, "groups", lambda *_: {2**22 + 2})
    job = Job(lambda: 2**22 + 1)
    job.begin(2**22, 0.0)
    job.signal(number, target)
    assert sent[0] == (2**22 + {"leader": 0, "foreground": 1, "tree": 2}[target], number)


@pytest.mark.parametrize("group", [1, 0, -1])
def test_a_pid_that_means_all_processes_is_never_signaled(monkeypatch: pytest.MonkeyPatch, group: int) -> None:
    monkeypatch.setattr(os, "killpg", lambda *_: pytest.fail("everybody"))
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("everybody"))
    tree.signal_group(group, signal.SIGTERM)
    tree.signal_process(group, signal.SIGTERM)
