"""Servers may report the same tasks in any order: no report fails, nothing happens twice, and all see the same."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from jupyter_ptytasks.core.errors import InvalidState, NameInUse, TaskNotFound, TooManyTasks
from jupyter_ptytasks.core.model import IfExists, Kind, Task, new_id
from jupyter_ptytasks.core.states import ENDED, PENDING, State
from jupyter_ptytasks.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVERS = 3
MAX_LIVE = 4
#: What a server can see of an attempt that has been started.
SEEN = sorted(ENDED | {State.QUEUED, State.STARTING, State.RUNNING, State.PAUSED, State.STOPPING})
#: What each of them rules out: somebody who has got so far never goes back within the attempt.
STAGES = {
    State.HELD: -1,
    State.QUEUED: -1,
    State.STARTING: 0,
    State.RUNNING: 1,
    State.PAUSED: 1,
    State.STOPPING: 2,
    **dict.fromkeys(ENDED, 3),
}

servers = st.integers(0, SERVERS - 1)


class Refused(Exception):
    """What a test refuses to do together with a change."""


class Servers(RuleBasedStateMachine):
    """Databases of several servers on one file, and what must have become of each task."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        path = str(Path(self.directory.name) / "tasks.db")
        self.files = [Database(path, lambda: ()) for _ in range(SERVERS)]
        self.tasks: dict[str, Task] = {}
        self.clock = 1.8e9

    def teardown(self) -> None:
        for file in self.files:
            file.close()
        self.directory.cleanup()

    def any_task(self, data: st.DataObject) -> Task:
        return self.tasks[data.draw(st.sampled_from(sorted(self.tasks)))]

    @initialize()
    def begin(self) -> None:
        self.add(0, "a", IfExists.NEW)

    @rule(
        server=servers,
        name=st.sampled_from("ab"),
        if_exists=st.sampled_from(IfExists),
        state=st.sampled_from([State.STARTING, State.HELD, State.QUEUED]),
    )
    def add(self, server: int, name: str, if_exists: IfExists, state: State = State.STARTING) -> None:
        self.clock += 1
        task = Task(
            id=new_id(self.clock), name=name, command="true", kind=Kind.COMMAND, cwd="/", state=state,
            created=self.clock, provisioner="local",
        )  # fmt: skip
        newest = max((one for one in self.tasks.values() if one.name == name), key=lambda one: one.id, default=None)
        stands_in_the_way = (
            newest is not None and if_exists is not IfExists.NEW and (newest.live or if_exists is IfExists.RESTART)
        )
        active = sum(one.active for one in self.tasks.values())
        try:
            found, added = self.files[server].add(task, if_exists, MAX_LIVE)
        except TooManyTasks:
            assert active >= MAX_LIVE
            assert state.active
            assert not stands_in_the_way
        except NameInUse:
            assert if_exists is IfExists.FAIL
            assert stands_in_the_way
        else:
            assert added is not stands_in_the_way
            if added:
                self.tasks[task.id] = found
            else:
                assert newest is not None
                assert found.id == newest.id

    @rule(server=servers, state=st.sampled_from(SEEN), late=st.integers(0, 2), data=st.data())
    def observe(self, server: int, state: State, late: int, data: st.DataObject) -> None:
        """A report of this attempt or of one before: it is taken in if it is news, and is never an error."""
        if not self.tasks:
            return
        old = self.any_task(data)
        if old.pending:
            return  # nothing of it runs that could be seen
        new = self.files[server].observe(old.id, old.attempt - late, state, pid=server)
        if late:
            assert new == old
        else:
            is_later = STAGES[state] > STAGES[old.state]
            # A place may have its own queue, from which a start comes back.
            moves = {
                (State.RUNNING, State.PAUSED), (State.PAUSED, State.RUNNING), (State.STARTING, State.QUEUED),
            }  # fmt: skip
            turns = (old.state, state) in moves or (old.state is State.LOST and state in ENDED - {State.LOST})
            assert new.state is (state if is_later or turns else old.state)
            if old.pid is None and new.live:
                assert new.pid == server
        self.tasks[new.id] = new

    @rule(server=servers, data=st.data(), ahead=st.integers(0, 1))
    def restart(self, server: int, data: st.DataObject, ahead: int) -> None:
        """Of all servers that begin the same attempt one does."""
        if not self.tasks:
            return
        old = self.any_task(data)
        active = sum(one.active for one in self.tasks.values())
        try:
            new, begun = self.files[server].begin_attempt(old.id, old.attempt + ahead, MAX_LIVE)
        except InvalidState:
            assert old.live
            assert ahead
        except TooManyTasks:
            assert active >= MAX_LIVE
        else:
            assert begun is bool(ahead)
            if begun:
                assert (old.live, new.state, new.attempt, new.pid) == (False, State.STARTING, old.attempt + 1, None)
            else:
                assert new == old
            self.tasks[new.id] = new

    @rule(
        servers=st.lists(servers, min_size=1, max_size=3),
        state=st.sampled_from([State.STARTING, State.CANCELLED]),
        data=st.data(),
    )
    def move(self, servers: list[int], state: State, data: st.DataObject) -> None:
        """Of all servers that launch or cancel a task that is pending one does."""
        if not self.tasks:
            return
        old = self.any_task(data)
        active = sum(one.active for one in self.tasks.values())
        moves = 0
        for server in servers:
            limit = MAX_LIVE if state.active else None
            try:
                new, moved = self.files[server].move(old.id, PENDING, state, max_live=limit, pid=server)
            except TooManyTasks:
                assert old.pending
                assert active >= MAX_LIVE
                continue
            moves += moved
            assert new.state is (state if old.pending else old.state)
            self.tasks[new.id] = new
        assert moves <= old.pending

    @rule(server=servers, data=st.data(), fails=st.booleans())
    def rename(self, server: int, data: st.DataObject, fails: bool) -> None:
        """What is done together with a change is done, or neither of the two."""
        if not self.tasks:
            return
        old = self.any_task(data)
        events: list[str] = []

        @contextmanager
        def also(task: Task) -> Iterator[None]:
            assert task.group == "renamed"
            events.append("done")
            if fails:
                raise Refused
            yield
            events.append("kept")

        if fails:
            with pytest.raises(Refused):
                self.files[server].change(old.id, also, group="renamed")
            assert events == ["done"]
        else:
            self.tasks[old.id] = self.files[server].change(old.id, also, group="renamed")
            assert events in (["done", "kept"], ["done"])  # the latter together with others, which are not stored yet

    @rule(server=servers, data=st.data(), count=st.integers(1, 4), fails=st.booleans())
    def change_together(self, server: int, data: st.DataObject, count: int, fails: bool) -> None:
        """A batch of changes is stored atomically: all except those that fail, or none."""
        before = dict(self.tasks)
        steps = {
            "observe": lambda: self.observe(server, data.draw(st.sampled_from(SEEN)), 0, data),
            "restart": lambda: self.restart(server, data, 1),
            "move": lambda: self.move([server], State.STARTING, data),
            "rename": lambda: self.rename(server, data, False),
            "rename, which fails": lambda: self.rename(server, data, True),
            "add": lambda: self.add(server, "c", IfExists.FAIL),
        }
        with suppress(Refused), self.files[server].together():
            for name in data.draw(st.lists(st.sampled_from(sorted(steps)), min_size=count, max_size=count)):
                steps[name]()
            if fails:
                self.tasks = before
                raise Refused

    @rule(server=servers, data=st.data())
    def remove(self, server: int, data: st.DataObject) -> None:
        if not self.tasks:
            return
        old = self.any_task(data)
        try:
            self.files[server].remove(old.id)
        except InvalidState:
            assert old.live
            return
        assert not self.tasks.pop(old.id).live
        for file in self.files:
            with pytest.raises(TaskNotFound):
                file.observe(old.id, old.attempt, State.RUNNING)

    @invariant()
    def all_see_the_same(self) -> None:
        for file in self.files:
            assert {task.id: task for task in file.changes(0).tasks} == self.tasks


Servers.TestCase.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestServers = Servers.TestCase
