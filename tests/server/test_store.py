"""The database and its mirror: files of every version and state, and changes by other servers."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core.errors import (
    InternalError,
    InvalidState,
    NameInUse,
    StorageFull,
    StoreUnavailable,
    TaskNotFound,
    TooManyTasks,
)
from jupyter_ptytasks.core.model import IfExists, Kind, Task, new_id
from jupyter_ptytasks.core.states import State
from jupyter_ptytasks.server.store import Store
from jupyter_ptytasks.storage import sqlite_file
from jupyter_ptytasks.storage.database import Database
from jupyter_ptytasks.storage.sqlite_file import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW = 1.8e9
ENDED = State.SUCCEEDED


def make(name: str = "task", *, age: float = 0.0, state: State = State.RUNNING, **about: Any) -> Task:
    """Return a task that was created `age` seconds ago; if it is not live, it also ended then."""
    ended = NOW - age if not state.live else None
    created = NOW - age
    return Task(
        id=new_id(created), name=name, command="true", kind=Kind.COMMAND, cwd="/", state=state, created=created,
        ended=ended, provisioner="local", **about,
    )  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "ptytasks" / "tasks.db"


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[..., Database]]:
    """Open the database; another time for another server."""
    files: list[Database] = []

    def open_it(*on_disk: Task) -> Database:
        files.append(Database(str(path), lambda: on_disk))
        return files[-1]

    yield open_it
    for file in files:
        file.close()


def version_of(path: Path) -> int:
    sql = sqlite3.connect(path)
    try:
        return int(sql.execute("PRAGMA user_version").fetchone()[0])
    finally:
        sql.close()


# -- the file ----------------------------------------------------------------------------------------------------------


def test_a_task_comes_back_as_it_was(opened: Callable[..., Database]) -> None:
    task = make(tags=("a", "b"), metadata={"k": [1, None]}, pid=5, timeout=2.5, group="g", usage={"user": 0.5})
    added, _ = opened().add(task, IfExists.NEW, 10)
    (found,) = opened().changes(0).tasks
    assert found == added
    assert found == task.with_(revision=found.revision)


def test_a_new_file_is_private_and_of_the_newest_version(path: Path, opened: Callable[..., Database]) -> None:
    opened().changes(0)
    assert version_of(path) == len(MIGRATIONS)
    assert path.stat().st_mode & 0o077 == 0


def test_an_old_file_is_migrated_and_keeps_its_tasks(
    path: Path, opened: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = opened()
    task, _ = file.add(make(), IfExists.NEW, 10)
    file.close()
    monkeypatch.setattr(sqlite_file, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE later (x);"))
    assert opened(make("not asked for")).changes(0).tasks == [task]
    assert version_of(path) == len(MIGRATIONS) + 1


def test_a_migration_that_fails_changes_nothing(
    path: Path, opened: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = opened()
    task, _ = file.add(make(), IfExists.NEW, 10)
    file.close()
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_file, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE later (x); CREATE TABLE tasks (y);"))
        with pytest.raises(InternalError):
            opened().changes(0)
    assert version_of(path) == len(MIGRATIONS)
    assert opened().changes(0).tasks == [task]


def test_a_file_of_a_newer_version_is_left_alone(path: Path, opened: Callable[..., Database]) -> None:
    opened().changes(0)
    sql = sqlite3.connect(path)
    sql.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    sql.close()
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="newer version"):
        opened().changes(0)
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", [b"garbage" * 1000, b"SQLite format 3\0" + bytes(4096), b"x" * 600])
def test_a_corrupt_file_is_moved_aside_and_rebuilt(path: Path, opened: Callable[..., Database], damage: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(damage)
    task = make("from disk")
    (found,) = opened(task).changes(0).tasks
    assert found == task.with_(revision=found.revision)
    (aside,) = path.parent.glob("tasks.db.corrupt-*[0-9]")
    assert aside.read_bytes() == damage


def test_a_file_that_is_damaged_under_us(path: Path, opened: Callable[..., Database]) -> None:
    """The first read of a damaged file fails with a request to retry; the next read is complete."""
    task = make("from disk")
    file, other = opened(task), opened(task)
    file.add(make("lost"), IfExists.NEW, 10)
    before = other.version()
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(InternalError, match="try again"):
        file.changes(0)
    assert [found.name for found in file.changes(0).tasks] == ["from disk"]
    assert [found.name for found in other.changes(0).tasks] == ["from disk"]
    assert other.version()[0] != before[0]


def test_a_file_that_is_emptied_under_us(path: Path, opened: Callable[..., Database]) -> None:
    file = opened(make("from disk"))
    before = file.version()
    path.write_bytes(b"")
    with pytest.raises(InternalError):
        file.changes(0)
    assert [found.name for found in file.changes(0).tasks] == ["from disk"]
    assert file.version()[0] != before[0]


# -- what servers do with it -------------------------------------------------------------------------------------------


def test_names(opened: Callable[..., Database]) -> None:
    file = opened()
    first, _ = file.add(make("a"), IfExists.FAIL, 10)
    assert file.add(make("a"), IfExists.RETURN, 10) == (first, False)
    assert file.add(make("a"), IfExists.RESTART, 10) == (first, False)
    with pytest.raises(NameInUse):
        file.add(make("a"), IfExists.FAIL, 10)
    ended = file.observe(first.id, 1, State.SUCCEEDED)
    assert file.add(make("a"), IfExists.RESTART, 10) == (ended, False)
    assert file.add(make("a"), IfExists.RETURN, 10)[1]
    with pytest.raises(TooManyTasks):
        file.add(make("b"), IfExists.NEW, 1)


def test_moves_are_checked(opened: Callable[..., Database]) -> None:
    file = opened()
    task, _ = file.add(make(), IfExists.NEW, 10)
    with pytest.raises(InvalidState):
        file.remove(task.id)
    ended = file.observe(task.id, 1, State.SUCCEEDED, pid=5)
    assert (ended.state, ended.pid) == (State.SUCCEEDED, 5)
    for late in (State.QUEUED, State.STARTING, State.RUNNING):
        assert file.observe(task.id, 1, late) == ended
    again, begun = file.begin_attempt(task.id, 2, 10)
    assert (begun, again.state, again.attempt) == (True, State.STARTING, 2)
    assert file.begin_attempt(task.id, 2, 10) == (again, False)
    with pytest.raises(TaskNotFound):
        file.observe("unknown0", 1, State.FAILED)
    queued, _ = file.add(make(state=State.QUEUED), IfExists.NEW, 10)
    with pytest.raises(InvalidState, match="queued cannot become running"):
        file.observe(queued.id, 1, State.RUNNING)


def test_all_that_are_there_are_removed_or_none(opened: Callable[..., Database]) -> None:
    file = opened()
    one, other, runs = [file.add(make(state=state), IfExists.NEW, 10)[0] for state in (ENDED, ENDED, State.RUNNING)]
    with pytest.raises(InvalidState):
        file.remove(one.id, other.id, runs.id)
    assert len(file.changes(0).tasks) == 3
    assert file.remove(one.id, "unknown0", other.id) == [one.id, other.id]
    assert [task.id for task in file.changes(0).tasks] == [runs.id]
    with pytest.raises(TaskNotFound):
        file.remove(one.id, other.id)


def test_one_of_many_ends_a_task(opened: Callable[..., Database]) -> None:
    """All servers see the end; exactly one writes it."""
    task, _ = opened().add(make(), IfExists.NEW, 10)
    done: list[State] = []

    def end(state: State) -> None:
        done.append(opened().observe(task.id, 1, state).state)

    workers = [threading.Thread(target=end, args=(state,)) for state in (State.SUCCEEDED, State.FAILED) * 3]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [found.state for found in opened().changes(0).tasks] * 6 == done


# -- the mirror --------------------------------------------------------------------------------------------------------


async def test_writes_during_a_flush_are_one_transaction(
    opened: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(opened)
    await store.add(make("taken"), IfExists.NEW, 10)
    count = transactions(monkeypatch)
    names = [*map(str, range(9)), "taken", "one too many"]
    found = await asyncio.gather(*(store.add(make(name), IfExists.FAIL, 10) for name in names), return_exceptions=True)
    assert count() == 1
    assert [type(one) for one in found[9:]] == [NameInUse, TooManyTasks]
    assert {task.name for task in opened().changes(0).tasks} == {*map(str, range(9)), "taken"}
    assert {task.name for task in store.tasks} == {*map(str, range(9)), "taken"}
    await store.close()


async def test_a_failure_of_one_is_none_of_the_others(
    opened: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(opened)
    put = Database._put

    def failing(self: Database, sql: sqlite3.Connection, old: Task | None, task: Task) -> Task:
        if task.name == "bad":
            sql.execute("ROLLBACK")  # as a full disk does it
            raise sqlite3.OperationalError("database or disk is full")
        return put(self, sql, old, task)

    monkeypatch.setattr(Database, "_put", failing)
    found = await asyncio.gather(
        *(store.add(make(name), IfExists.NEW, 10) for name in ("a", "bad", "b")), return_exceptions=True
    )
    assert [type(one) for one in found] == [tuple, StorageFull, tuple]
    assert {task.name for task in opened().changes(0).tasks} == {"a", "b"} == {task.name for task in store.tasks}
    await store.close()


def transactions(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return what counts the transactions that write, from now on."""
    begun: list[bool] = []
    transaction = sqlite_file.SqliteFile.transaction

    def counted(self: sqlite_file.SqliteFile, *, write: bool = True) -> Any:
        begun.extend([True] * write)
        return transaction(self, write=write)

    monkeypatch.setattr(sqlite_file.SqliteFile, "transaction", counted)
    return lambda: len(begun)


async def test_the_mirror_follows_others_change_by_change(opened: Callable[..., Database]) -> None:
    ours, theirs = Store(opened), opened()
    seen: list[list[str]] = []
    ours.listeners.append(
        lambda change: seen.append([task.state.value if task else "" for task in (change.old, change.new)])
    )
    task, _ = theirs.add(make(), IfExists.NEW, 10)
    await ours.refresh(0.0)
    theirs.change(task.id, state=State.STOPPING)
    await ours.refresh(0.0)
    await ours.refresh(0.0)
    theirs.change(task.id, state=State.CANCELLED)
    theirs.remove(task.id)
    await ours.refresh(0.0)
    assert seen == [["", "running"], ["running", "stopping"], ["stopping", ""]]
    assert ours.tasks == []
    await ours.close()


async def test_the_mirror_follows_a_file_that_was_replaced(path: Path, opened: Callable[..., Database]) -> None:
    kept, lost = make("kept"), make("lost")
    ours = Store(lambda: opened(kept))
    await ours.add(lost, IfExists.NEW, 10)
    await asyncio.to_thread(path.unlink)
    await ours.refresh(0.0)
    assert [task.name for task in ours.tasks] == ["kept"]
    await ours.close()


async def test_requests_during_the_first_look_wait_for_it(opened: Callable[..., Database]) -> None:
    there = make("there")
    ours = Store(lambda: opened(there))

    async def names() -> list[str]:
        await ours.refresh()
        return [task.name for task in ours.tasks]

    assert [*await asyncio.gather(names(), names(), names())] == [["there"]] * 3
    await ours.close()


async def test_frequent_requests_do_not_wait(opened: Callable[..., Database], monkeypatch: pytest.MonkeyPatch) -> None:
    """The next refresh begins while the last one is still valid; late requests wait."""
    ours, theirs = Store(opened), opened()
    await ours.refresh()
    looks, may_look = 0, threading.Event()
    read = ours._read_changes

    def look() -> Any:
        nonlocal looks
        looks += 1
        may_look.wait(60)
        return read()

    monkeypatch.setattr(ours, "_read_changes", look)
    theirs.add(make("new"), IfExists.NEW, 10)
    ours._looked = time.monotonic()
    await ours.refresh(1000.0)
    assert looks == 0
    ours._looked -= 600.0
    # None of these waits for a look, which waits for us.
    for _ in range(100):
        await ours.refresh(1000.0)
        await asyncio.sleep(0)
    may_look.set()
    ours._looked -= 600.0
    await ours.refresh(1000.0)
    assert looks == 1
    assert [task.name for task in ours.tasks] == ["new"]
    await ours.close()
