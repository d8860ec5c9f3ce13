"""Mirrors of files in a directory that shows changes late: the far end has more than can be read here."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.ring.format import list_bases
from jupyter_ptytasks.core.ring.reader import RingReader
from jupyter_ptytasks.provision import copy, mirrors
from jupyter_ptytasks.provision.mirrors import Mirrors
from jupyter_ptytasks.storage.locks import Locks
from jupyter_ptytasks.storage.task_dirs import TaskDirs
from tests.core.made_tasks import make
from tests.relay.far import Far, spec, until
from tests.relay.test_relay_stream import Speaker, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyter_ptytasks.provision.remote import Relay

TASK = make(1)
SMALL = {"size": 256 << 10, "segment": 32 << 10}
COUNTS = "stty -echo; seq 1 10000; read x; seq 1 $x; read x; exit 4"


class Shared:
    """What a server sees of the directory that it shares with the far end: what was there at the last `refresh`."""

    def __init__(self, top: Path) -> None:
        self.far = Far(top)
        self.task_dirs = TaskDirs(str(top / "data"))
        self.runtime = top / "runtime"
        self.runtime.mkdir()
        self.there, self.here = self.far.files(TASK.id), self.task_dirs.files(TASK.id)

    def refresh(self) -> None:
        shutil.rmtree(self.here.dir, ignore_errors=True)
        shutil.copytree(self.there.dir, self.here.dir)

    async def begun(self, near: Relay) -> Mirrors:
        """Start the task, and return mirrors for it as soon as it has output."""
        await start(near, spec(TASK.id, COUNTS))
        await until(lambda: list_bases(self.there.output))
        self.refresh()
        return self.mirrors()

    def mirrors(self) -> Mirrors:
        return Mirrors(self.task_dirs, str(self.runtime), lambda: True)

    async def look(self, near: Relay, by: Mirrors) -> Speaker:
        """Return what looks at the task, and makes sure of each HEAD that so much can be read."""
        tail = await by.follow(near, TASK)
        speaker = Speaker("link", self.end if tail is not None else None)
        near.connect(TASK.id, lambda: speaker, tail)
        speaker.transport.write(wire.frame(wire.WATCH, b"\x01"))
        await speaker.next(wire.STATUS)
        return speaker

    def end(self) -> int:
        with self.task_dirs.open_ring(TASK.id) as ring:
            return ring.bounds()[1]

    def last(self) -> bytes:
        """Return the last of what is there."""
        with RingReader(self.there.output) as ring:
            end = ring.bounds()[1]
            return ring.read_range(max(end - 100, 0), end)

    def is_same(self) -> bool:
        """Return whether what is read here is what is there, byte for byte."""
        with self.task_dirs.open_ring(TASK.id) as here, RingReader(self.there.output) as there:
            return here.bounds() == there.bounds() and here.read_range(*here.bounds()) == there.read_range(
                *there.bounds()
            )

    def homes(self) -> list[Path]:
        """Return the directories of mirrors."""
        return [path for path in (self.runtime / "mirror").glob("*/*") if path.is_dir()]


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shared]:
    monkeypatch.setattr(mirrors, "_LOOK", 0.02)
    monkeypatch.setattr(mirrors, "_OPENING", 0.02)
    there = Shared(tmp_path)
    yield there
    there.far.end(TASK.id)


def test_output_is_read_in_the_mirror_until_the_files_show_it(shared: Shared) -> None:
    async def story() -> None:
        async with shared.far.relay() as near:
            await start(near, spec(TASK.id, COUNTS, ring=SMALL))
            await until(lambda: len(list_bases(shared.there.output)) == 2)
            shared.refresh()
            by = shared.mirrors()
            reader = shared.task_dirs.open_ring(TASK.id)
            seen = reader.bounds()[1]
            assert reader.read(seen, 10)[1] == b""
            link = await shared.look(near, by)
            tail = await by.follow(near, TASK)
            other = await shared.look(near, by)
            assert await by.follow(near, TASK) is tail  # one for all
            # The ring rolls, and drops its oldest segments: so does the mirror.
            link.transport.write(wire.frame(wire.INPUT, b"60000\r"))
            await until(lambda: shared.last().endswith(b"60000\r\n") and shared.is_same())
            assert list_bases(shared.there.output)[0] > 0
            # Whoever has read the files goes on in the mirror, and gets each byte once.
            with RingReader(shared.there.output) as there:
                at, data = reader.read(seen, 100)
                assert at == there.bounds()[0]
                assert there.read(at, 100) == (at, data)
            reader.close()
            (home,) = shared.homes()
            assert list_bases(str(home / "output")) == list_bases(shared.there.output)
            # Nobody looks any more: it stays until nobody misses it.
            link.transport.close()
            other.transport.close()
            assert tail is not None
            await asyncio.wait_for(tail.ended, 60)
            assert shared.is_same()
            assert shared.homes() == [home]
            shared.refresh()
            await until(lambda: not shared.task_dirs.mirrors and not shared.homes())
            assert shared.is_same()
            by.close()
            assert not list((shared.runtime / "mirror").glob("*/"))

    asyncio.run(story())


def test_the_end_is_known_before_the_files_show_it(shared: Shared) -> None:
    async def story() -> None:
        async with shared.far.relay() as near:
            await start(near, spec(TASK.id, COUNTS))
            await until(lambda: os.path.exists(shared.there.host) and list_bases(shared.there.output))
            shared.refresh()
            by = shared.mirrors()
            link = await shared.look(near, by)
            link.transport.write(wire.frame(wire.INPUT, b"3\r\r"))
            record = json.loads(await link.next(wire.EXIT))
            assert shared.task_dirs.exit_record(TASK) == record
            ending = shared.task_dirs.read_exit(TASK)
            assert ending is not None
            assert ending["exit"].code == 4
            assert shared.is_same()
            assert "exit.json" not in os.listdir(shared.here.dir)
            await asyncio.wait_for(link.lost.wait(), 60)
            # All bytes are not enough.
            os.rename(shared.there.exit, kept := f"{shared.there.exit}.kept")
            shared.refresh()
            await asyncio.sleep(0.1)
            assert shared.task_dirs.exit_record(TASK) == record
            os.rename(kept, shared.there.exit)
            shared.refresh()
            await until(lambda: not shared.task_dirs.mirrors)
            assert shared.task_dirs.exit_record(TASK) == record
            by.close()

    asyncio.run(story())


def test_a_mirror_without_disk_space_is_given_up_with_a_log_message(
    shared: Shared, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, full = copy.write, [False]

    def write(*about: object) -> int:
        if full[0]:
            raise OSError(errno.ENOSPC, "no space left on device")
        return real(*about)  # type: ignore[arg-type]

    async def story() -> None:
        async with shared.far.relay() as near:
            by = await shared.begun(near)
            link = await shared.look(near, by)
            await until(lambda: TASK.id in shared.task_dirs.mirrors)
            full[0], link.copied = True, None
            link.transport.write(wire.frame(wire.INPUT, b"50000\r\r"))
            assert json.loads(await link.next(wire.EXIT))["code"] == 4
            assert not shared.task_dirs.mirrors
            shared.refresh()
            assert shared.is_same()
            await until(lambda: not shared.homes())
            assert await by.follow(near, TASK) is None  # not at once
            by.close()
        (said,) = [record.getMessage() for record in caplog.records if "mirror" in record.getMessage()]
        assert TASK.id in said
        assert "no space left" in said

    monkeypatch.setattr(copy, "write", write)
    asyncio.run(story())


def test_only_leftovers_of_killed_servers_are_removed(shared: Shared) -> None:
    root = shared.runtime / "mirror"
    for name in ("dead", "alive"):
        (root / name / f"{TASK.id}-1").mkdir(parents=True, mode=0o700)
        (root / name / "lock").touch()
    lock = Locks(str(root)).take("alive/lock")
    assert lock is not None

    async def story() -> None:
        async with shared.far.relay() as near:
            by = await shared.begun(near)
            await shared.look(near, by)
            left = {path.name for path in root.iterdir() if path.is_dir()}
            assert "dead" not in left
            assert "alive" in left
            assert len(left) == 2
            by.close()

    asyncio.run(story())
    assert (root / "alive" / f"{TASK.id}-1").exists()
    lock.close()


def test_files_that_are_not_late_have_none(shared: Shared) -> None:
    async def story() -> None:
        async with shared.far.relay() as near:
            assert await Mirrors(shared.task_dirs, str(shared.runtime), lambda: False).follow(near, TASK) is None
        assert not (shared.runtime / "mirror").exists()

    asyncio.run(story())
