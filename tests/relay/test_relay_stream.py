"""A relay over a byte stream: tasks at its far end are started, typed into, copied and found again."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast

import pytest

from jupyter_ptytasks.core import relay as frames
from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.errors import HostUnreachable
from jupyter_ptytasks.core.files import read_json
from jupyter_ptytasks.core.ring.format import list_bases
from jupyter_ptytasks.core.ring.reader import RingReader
from jupyter_ptytasks.provision import copy
from jupyter_ptytasks.provision.program import Program, program
from jupyter_ptytasks.provision.remote import Relay
from tests.ptyhost.hosting import is_alive
from tests.relay.far import Far, spec, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jupyter_ptytasks.provision.channels import Tail

ID = "abcdefgh0001"


class Speaker(asyncio.Protocol):
    """Speaks to a ptyhost: the frames that it sent, and `lost` at the end. With `copied`, it makes sure of every HEAD
    that so many bytes are in the copy.
    """

    def __init__(self, role: str, copied: Callable[[], int] | None = None) -> None:
        self.role = role
        self.decoder = wire.Decoder()
        self.frames: list[tuple[int, bytes]] = []
        self.lost = asyncio.Event()
        self.news = asyncio.Event()
        self.copied = copied

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(wire.hello(role=self.role))

    def data_received(self, data: bytes) -> None:
        frames = self.decoder.feed(data)
        ends = [wire.POSITION.unpack(payload)[0] for kind, payload in frames if kind == wire.HEAD]
        assert self.copied is None or not ends or ends[-1] <= self.copied()
        self.frames += frames
        self.news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()
        self.news.set()

    async def next(self, kind: int) -> bytes:
        """Return the payload of the next frame of this kind."""
        return await asyncio.wait_for(self._next(kind), 60)

    async def _next(self, kind: int) -> bytes:
        while True:
            for at, (found, payload) in enumerate(self.frames):
                if found == kind:
                    del self.frames[: at + 1]
                    return payload
            assert not self.lost.is_set(), "the connection was lost"
            self.news.clear()
            await self.news.wait()


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    there = Far(tmp_path)
    yield there
    there.end(ID)


async def start(near: Relay, what: dict[str, Any], end: int = 0, given_up: int = 0, **env: str) -> dict[str, Any]:
    said = {"spec": what, "env": {"TERM": "xterm-256color", **env}, "end": end, "given_up": given_up}
    return await asyncio.wait_for(near.call("start", **said), 60)


async def follow(near: Relay, far: Far, attempt: int = 1) -> tuple[Speaker, Tail]:
    tail = await near.tail(ID, attempt, far.here(ID), follow=True)
    speaker = Speaker("link", lambda: _end(far))
    near.connect(ID, lambda: speaker, tail)
    speaker.transport.write(wire.frame(wire.WATCH, b"\x01"))
    return speaker, tail


def _end(far: Far) -> int:
    with RingReader(far.here(ID).output) as ring:
        return ring.bounds()[1]


def text(far: Far) -> bytes:
    with RingReader(far.here(ID).output) as ring:
        return ring.read_range(*ring.bounds())


def test_a_task_is_started_typed_to_and_ends_after_its_output(far: Far) -> None:
    async def story() -> None:
        async with far.relay() as near:
            report = await start(near, spec(ID, "read line; echo got $line $WHAT; exit 7"), WHAT="there")
            assert report["ready"]
            assert report["host"]["pid"] == report["pid"]
            link, _ = await follow(near, far)
            await link.next(wire.STATUS)
            link.transport.write(wire.frame(wire.INPUT, b"hello\r"))
            record = json.loads(await link.next(wire.EXIT))
            # All of it is here before the end is told.
            assert (record["code"], text(far)) == (7, b"hello\r\ngot hello there\r\n")
            assert read_json(far.here(ID).exit) == record
            assert read_json(far.here(ID).host) == report["host"]
            await asyncio.wait_for(link.lost.wait(), 60)
            assert far.is_same(ID)

    asyncio.run(story())


def test_a_flood_is_copied_byte_for_byte_over_many_segments(far: Far) -> None:
    async def story() -> None:
        async with far.relay() as near:
            ring = {"size": 64 << 20, "segment": 1 << 20}
            await start(near, spec(ID, "seq 1 900000", ring=ring))
            link, _ = await follow(near, far)
            await link.next(wire.EXIT)
            assert far.is_same(ID)
            assert len(list_bases(far.here(ID).output)) > 4
            assert text(far) == b"".join(b"%d\r\n" % number for number in range(1, 900_001))

    asyncio.run(story())


def test_a_ring_that_drops_its_oldest_segments_is_copied_as_it_is(far: Far) -> None:
    async def story() -> None:
        async with far.relay() as near:
            ring = {"size": 256 << 10, "segment": 32 << 10}
            await start(near, spec(ID, "for i in $(seq 20); do seq 1 20000; sleep 0.02; done", ring=ring))
            link, _ = await follow(near, far)
            await link.next(wire.EXIT)
            bases = list_bases(far.here(ID).output)
            assert bases[-1] == list_bases(far.files(ID).output)[-1]
            assert text(far).endswith(b"19999\r\n20000\r\n")
            assert len(bases) < 30

    asyncio.run(story())


def test_the_copy_continues_where_it_stopped_even_if_the_task_has_ended(far: Far) -> None:
    async def story() -> None:
        async with far.relay() as near:
            await start(near, spec(ID, "echo one; read line; seq 1 200000; exit 3"))
            link, _ = await follow(near, far)
            await until(lambda: b"one" in text(far))
            link.transport.write(wire.frame(wire.INPUT, b"\r"))
            await until(lambda: len(text(far)) > 1000)
        # The stream is cut while it writes.
        await until(lambda: os.path.exists(far.files(ID).exit))
        size = len(text(far))
        async with far.relay() as near:
            seen = await near.call("look", id=ID, attempt=1)
            assert (seen["exited"], seen["exists"]) == (True, True)
            rest = await near.tail(ID, 1, far.here(ID), follow=False)
            assert await asyncio.wait_for(rest.ended, 60) == ""
        assert far.is_same(ID)
        assert len(text(far)) >= size
        assert (read_json(far.here(ID).exit) or {})["code"] == 3

    asyncio.run(story())


def test_the_next_attempt_continues_after_the_copy_even_if_nothing_is_left_there(far: Far) -> None:
    async def story() -> None:
        async with far.relay() as near:
            await start(near, spec(ID, "read line; echo first"))
            link, tail = await follow(near, far)
            # What runs is not robbed of its directory.
            assert await near.call("remove", id=ID) == {"removed": False}
            link.transport.write(wire.frame(wire.INPUT, b"\n"))
            await link.next(wire.EXIT)
            await asyncio.wait_for(link.lost.wait(), 60)
            assert tail.ended.done()
            end = len(text(far))
            host = read_json(far.files(ID).host) or {}
            await until(lambda: not is_alive(host["host_pid"]))
            assert await near.call("remove", id=ID) == {"removed": True}
            assert read_json(far.files(ID).exit) is None
            await start(near, spec(ID, "echo second", attempt=2), end)
            link, _ = await follow(near, far, attempt=2)
            await link.next(wire.EXIT)
            assert b"first\r\n" in text(far)
            assert text(far).endswith(b"second\r\n")
            assert list_bases(far.files(ID).output) == [end]

    asyncio.run(story())


def test_one_that_does_not_read_holds_up_no_other(far: Far) -> None:
    async def story() -> None:
        async with far.relay() as near:
            await start(near, spec(ID, "sleep 1000"))
            link, _ = await follow(near, far)
            viewer = Speaker("input")
            near.connect(ID, lambda: viewer, None)
            await viewer.next(wire.STATUS)
            # More than any window: the program reads nothing, and its terminal is full at some point.
            for _ in range(12):
                viewer.transport.write(wire.frame(wire.INPUT, b"x" * (1 << 20)))
            link.frames.clear()
            link.transport.write(wire.frame(wire.ASK_STATUS))
            await link.next(wire.STATUS)
            link.transport.write(wire.json_frame(wire.STOP, {"ladder": [["SIGKILL", 0]], "reason": "cancelled"}))
            assert json.loads(await link.next(wire.EXIT))["signal"] == "SIGKILL"

    asyncio.run(story())


def test_a_start_that_was_given_up_does_not_happen_later(far: Far) -> None:
    async def story() -> None:
        async with far.relay() as near:
            seen = await near.call("look", id=ID, attempt=1, abandon=True)
            assert (seen["hosted"], seen["host"]) == (False, None)
            report = await start(near, spec(ID, "echo no"))
            assert ("given up" in report["error"]["message"], report["given_up"]) == (True, 1)
            assert read_json(far.files(ID).host) is None
            # Nor does one that knew of that, and was given up in its turn.
            await near.call("look", id=ID, attempt=1, abandon=True)
            report = await start(near, spec(ID, "echo no"), given_up=1)
            assert report["given_up"] == 2
            # Another one of the same attempt is another matter.
            assert (await start(near, spec(ID, "echo yes"), given_up=2))["ready"]

    asyncio.run(story())


def test_an_attempt_is_started_once(far: Far) -> None:
    async def story() -> None:
        async with far.relay() as near:
            assert (await start(near, spec(ID, "sleep 1000")))["ready"]
            report = await start(near, spec(ID, "sleep 1000"))
            assert ("still running" in report["error"]["message"], report["was_started"]) == (True, True)
            assert not (await start(near, spec(ID, "sleep 1000", attempt=2)))["was_started"]
            far.end(ID)
            report = await start(near, spec(ID, "sleep 1000"))
            assert ("started before" in report["error"]["message"], report["was_started"]) == (True, True)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("about", "field", "message"),
    [({"cwd": "/nowhere"}, "cwd", "no such directory"), ({"command": ["/no/program"]}, "command", "")],
)
def test_a_failed_start_names_the_field(far: Far, about: dict[str, Any], field: str, message: str) -> None:
    async def story() -> None:
        async with far.relay() as near:
            report = await start(near, {**spec(ID, "true"), **about})
            assert report["error"]["field"] == field
            assert message in report["error"]["message"]

    asyncio.run(story())


def test_requests_that_make_no_sense_harm_nothing(far: Far) -> None:
    async def story() -> None:
        async with far.relay() as near:
            for payload in (b"", b"[]", b"{}", b'{"id":"../../etc"}', b'{"id":5,"tail":"x"}', b"\xff"):
                for kind in range(40):
                    near.send(frames.frame(kind, 99, payload))
            assert "ValueError" in (await near.call("look", id="../../../x", attempt=1))["error"]["message"]
            assert "error" in await near.call("nonsense")
            assert "error" in await near.call("look", id=ID, attempt="x")
            assert not (await near.call("look", id=ID, attempt=1))["exists"]

    asyncio.run(story())


def test_noise_of_a_login_is_skipped(far: Far) -> None:
    far.noise = "echo welcome; head -c 10000 /dev/zero | tr '\\0' x;"

    async def story() -> None:
        async with far.relay() as near:
            assert not (await near.call("look", id=ID, attempt=1))["exists"]

    asyncio.run(story())


def test_the_program_is_sent_once_and_again_when_it_is_damaged(far: Far) -> None:
    place = far.home / ".cache/ptytasks" / program().name

    async def story() -> None:
        for damage in (None, b"something else", b""):
            if damage is not None:
                place.write_bytes(damage)
            async with far.relay() as near:
                assert near.is_up
            assert place.read_bytes() == program().data
        written = place.stat().st_mtime_ns
        async with far.relay():
            assert place.stat().st_mtime_ns == written
        assert [path.name for path in place.parent.iterdir()] == [place.name]
        assert place.stat().st_mode & 0o777 == 0o600

    asyncio.run(story())


def test_the_program_is_the_same_whatever_else_a_process_has_loaded() -> None:
    code = "import sqlite3, unittest, http.client; from jupyter_ptytasks.provision.program import program"
    env = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    made = subprocess.check_output([sys.executable, "-c", f"{code}; print(program().digest)"], env=env, text=True)
    assert made.strip() == program().digest


def test_a_python_that_cannot_use_the_bytecode_takes_the_source(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.MAGIC_NUMBER", b"\0\0\r\n")
    other = program.__wrapped__()
    assert other.digest != program().digest

    async def story() -> None:
        async with far.relay(other) as near:
            assert not (await near.call("look", id=ID, attempt=1))["exists"]

    asyncio.run(story())


def test_a_program_that_arrives_damaged_is_not_run(far: Far) -> None:
    damaged = Program(program().data)
    damaged.data = damaged.data[:-1] + b"?"

    async def story() -> None:
        with pytest.raises(HostUnreachable, match="did not arrive"):
            async with far.relay(damaged):
                pass

    asyncio.run(story())


def test_missing_requirements_there_are_reported(far: Far, tmp_path: Path) -> None:
    async def story() -> None:
        far.python = "no-such-python"
        with pytest.raises(HostUnreachable, match="no-such-python"):
            async with far.relay():
                pass
        far.python = sys.executable
        (far.home / ".cache").write_text("a file")
        with pytest.raises(HostUnreachable, match="cannot be written"):
            async with far.relay():
                pass

    asyncio.run(story())


def test_the_end_of_the_stream_ends_what_went_over_it_and_no_task(far: Far) -> None:
    async def story() -> None:
        async with far.relay() as near:
            report = await start(near, spec(ID, "sleep 1000"))
            link, tail = await follow(near, far)
            await link.next(wire.STATUS)
            near.close()
            await asyncio.wait_for(link.lost.wait(), 60)
            assert await asyncio.wait_for(tail.ended, 60)
            with pytest.raises(HostUnreachable):
                await near.call("look", id=ID, attempt=1)
        os.kill(report["pid"], 0)
        async with far.relay() as near:
            assert (await near.call("look", id=ID, attempt=1))["hosted"]

    asyncio.run(story())


def test_a_copy_that_finds_no_room_holds_the_end_back_until_there_is(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    real, full = copy.write, [True]

    def write(*about: Any) -> int:
        if full[0]:
            raise OSError(28, "no space left on device")
        return real(*about)

    monkeypatch.setattr(copy, "write", write)
    monkeypatch.setattr(copy, "_RETRY", 0.05)

    async def story() -> None:
        async with far.relay() as near:
            await start(near, spec(ID, "echo all of it"))
            link, _ = await follow(near, far)
            await until(lambda: os.path.exists(far.files(ID).exit))
            assert not link.frames
            full[0] = False
            await link.next(wire.EXIT)
            assert text(far) == b"all of it\r\n"

    asyncio.run(story())


def test_a_program_runs_there_and_is_ended_if_its_caller_is_gone(far: Far) -> None:
    async def story() -> None:
        async with far.relay() as near:
            said = {"text": "in", "keep": ["PATH"]}
            done = await near.call("run", argv=["sh", "-c", "cat; echo $PATH-$HOME; echo no >&2; exit 3"], **said)
            assert done == {"code": 3, "out": "in/usr/bin:/bin-\n", "said": "no"}
            missing = await near.call("run", argv=["/no/such/program"], **said)
            assert missing["error"]["errno"] == errno.ENOENT
            pid = far.home / "pid"
            waiting = asyncio.ensure_future(
                near.call("run", argv=["sh", "-c", f"echo $$ > {pid}; exec sleep 1000"], **said)
            )
            await until(lambda: pid.exists() and pid.read_text().strip())
            waiting.cancel()
            await until(lambda: not is_alive(int(pid.read_text())))

    asyncio.run(story())


def test_a_relay_runs_at_the_far_end_of_another_one(far: Far) -> None:
    async def story() -> None:
        async with far.relay() as outer:
            there = await outer.call("about")
            argv = [there["python"], "-I", "-S", there["program"], "relay", there["data_dir"]]
            near = await Relay.over(outer, argv, ["PATH", "HOME", "TMPDIR"])
            assert (await start(near, spec(ID, "seq 100000; exit 4")))["ready"]
            link, _ = await follow(near, far)
            assert json.loads(await link.next(wire.EXIT))["code"] == 4
            assert far.is_same(ID)
            near.close()
            await asyncio.wait_for(near.lost.wait(), 60)
            assert outer.is_up
            with pytest.raises(HostUnreachable, match="so far"):
                await Relay.over(outer, ["sh", "-c", "echo so far >&2; exit 1"], ["PATH"])

    asyncio.run(story())
