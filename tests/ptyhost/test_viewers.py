"""Which viewer leads: direct calls without a ptyhost, sockets or a clock."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from jupyter_ptytasks.ptyhost.viewers import Viewer, Viewers

SIZES = st.tuples(st.integers(1, 1000), st.integers(1, 1000))


class Terminal:
    """What the viewers of a task act on: the size of its terminal, and how often others were told of a change."""

    def __init__(self) -> None:
        self.size = (24, 80)
        self.changes = 0
        self.viewers = Viewers(self.resize, self.change)

    def resize(self, rows: int, cols: int) -> None:
        self.size = (rows, cols)

    def change(self) -> None:
        self.changes += 1

    def attach(self, name: str = "", **hello: Any) -> Viewer:
        """Let a connection greet."""
        viewer = Viewer()
        viewer.greet({"role": "viewer", "viewer": name, **hello})
        self.viewers.attach(viewer)
        return viewer


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


def test_the_first_leads_until_another_one_types(terminal: Terminal) -> None:
    one, two = terminal.attach("one"), terminal.attach("two")
    terminal.viewers.resize(one, 30, 100)
    terminal.viewers.resize(two, 40, 120)
    assert terminal.viewers.leader is one
    assert terminal.size == (30, 100)
    assert terminal.viewers.type(two)
    assert terminal.viewers.leader is two
    assert terminal.size == (40, 120)
    changes = terminal.changes
    assert terminal.viewers.type(two)
    assert terminal.changes == changes
    terminal.viewers.detach(two)
    assert terminal.viewers.leader is one
    assert terminal.size == (30, 100)
    assert terminal.viewers.count == 1


def test_the_last_that_typed_leads_after_the_leader_has_left(terminal: Terminal) -> None:
    one, two, three = (terminal.attach(name) for name in ("one", "two", "three"))
    for viewer in (two, three, one):
        terminal.viewers.type(viewer)
    terminal.viewers.detach(one)
    assert terminal.viewers.leader is three


def test_a_read_only_viewer_neither_types_nor_leads(terminal: Terminal) -> None:
    reader = terminal.attach("reader", readonly=True)
    assert terminal.viewers.leader is None
    assert not terminal.viewers.type(reader)
    assert not terminal.viewers.may_answer(reader)
    terminal.viewers.resize(reader, 30, 100)
    assert terminal.size == (24, 80)
    assert terminal.viewers.count == 1
    writer = terminal.attach("writer")
    assert terminal.viewers.leader is writer


def test_only_the_terminal_of_the_leader_answers(terminal: Terminal) -> None:
    one, two = terminal.attach("one"), terminal.attach("two")
    assert [terminal.viewers.may_answer(viewer) for viewer in (one, two)] == [True, False]
    terminal.viewers.type(two)
    assert [terminal.viewers.may_answer(viewer) for viewer in (one, two)] == [False, True]
    two.closed = True
    assert [terminal.viewers.may_answer(viewer) for viewer in (one, two)] == [True, False]


def test_a_link_sets_the_size_and_is_not_a_viewer(terminal: Terminal) -> None:
    viewer, link = terminal.attach("one"), terminal.attach(role="link")
    terminal.viewers.resize(viewer, 30, 100)
    terminal.viewers.resize(link, 50, 50)
    assert terminal.size == (50, 50)
    assert link.is_link
    assert terminal.viewers.count == 1
    assert terminal.viewers.type(link)
    assert terminal.viewers.leader is viewer


def test_a_connection_that_only_types_does_not_lead(terminal: Terminal) -> None:
    typist = terminal.attach(role="input")
    assert terminal.viewers.type(typist)
    assert terminal.viewers.leader is None
    assert (typist.is_link, typist.is_viewer, terminal.viewers.count) == (False, False, 0)


@pytest.mark.parametrize("hello", [{}, {"role": None}, {"role": ["viewer"]}, {"role": "link", "viewer": 7}])
def test_an_unknown_role_is_a_link(hello: dict[str, Any]) -> None:
    viewer = Viewer()
    assert not viewer.is_link
    viewer.greet(hello)
    assert (viewer.is_link, viewer.is_viewer, viewer.readonly, viewer.viewer_id) == (True, False, False, "")


def test_the_id_of_a_viewer_is_cut(terminal: Terminal) -> None:
    assert terminal.attach("x" * 1000).viewer_id == "x" * 64


# -- how often a link is told how far the ring has grown ---------------------------------------------------------------


def heads(link: Viewer, ends: list[tuple[float, int]], until: float) -> list[tuple[float, int]]:
    """Return when, and with which end, HEADs go to a link; `ends` are times and the ring's ends at them."""
    sent: list[tuple[float, int]] = []
    now, end = 0.0, 0
    while now <= until:
        end = max([known for at, known in ends if at <= now], default=end)
        due = link.head_due(end)
        if due is not None and due <= now:
            link.note_head(end, now)
            sent.append((now, end))
            continue
        now = min(
            [at for at, _ in ends if at > now] + ([due] if due is not None and due > now else []), default=until + 1
        )
    return sent


@pytest.mark.parametrize(("watching", "interval"), [(False, 1.0), (True, 0.003)])
@given(steps=st.lists(st.tuples(st.floats(0.0001, 3), st.integers(1, 9)), min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_heads_are_few_and_the_newest_comes(watching: bool, interval: float, steps: list[tuple[float, int]]) -> None:
    link = Viewer()
    link.greet({"role": "link"})
    link.watching = watching
    now, end = 10.0, 0
    ends = []
    for pause, more in steps:
        now, end = now + pause, end + more
        ends.append((now, end))
    sent = heads(link, ends, now + 10)
    assert sent[-1][1] == end
    assert sent[-1][0] <= now + interval
    times = [at for at, _ in sent]
    assert all(later - earlier >= interval * 0.999 for earlier, later in pairwise(times))
    assert link.head_due(end) is None


@pytest.mark.parametrize(("pieces", "most"), [(1, 334), (1000, 334), (32_000, 64)])
def test_of_a_flood_there_are_fewer(pieces: int, most: int) -> None:
    """In one second, in which the ring grows every millisecond."""
    link = Viewer()
    link.greet({"role": "link"})
    link.watching = True
    ends = [(10.0 + number / 1000, number * pieces) for number in range(1, 1001)]
    _, *sent = heads(link, ends, 12.0)  # without the first of all, of the empty ring
    assert most / 2 < len(sent) <= most
    # What comes after silence is told at once, and the last of a flood soon.
    assert sent[0] == ends[0]
    assert sent[-1][1] == ends[-1][1]
    assert sent[-1][0] <= ends[-1][0] + 0.016


@pytest.mark.parametrize("role", ["viewer", "input", None])
def test_only_links_get_heads(role: str | None) -> None:
    viewer = Viewer()
    if role is not None:
        viewer.greet({"role": role})
    assert viewer.head_due(100) is None


# -- anything that may happen, in any order ----------------------------------------------------------------------------


class AnyOrder(RuleBasedStateMachine):
    """Connections that come, type, resize, break and go."""

    def __init__(self) -> None:
        super().__init__()
        self.terminal = Terminal()
        self.connections: list[Viewer] = []
        self.typists: list[Viewer] = []
        #: Whether a server's link has set the size since.
        self.is_set = False

    @property
    def able(self) -> list[Viewer]:
        """Who may lead, in the order in which they came."""
        return [one for one in self.connections if one.is_viewer and not (one.readonly or one.closed)]

    @rule(role=st.sampled_from(["viewer", "viewer", "link", "input"]), readonly=st.booleans())
    def attach(self, role: str, readonly: bool) -> None:
        viewer = self.terminal.attach(role=role, readonly=readonly)
        self.connections.append(viewer)
        self.is_set = self.is_set and role != "viewer"

    @precondition(lambda self: self.connections)
    @rule(data=st.data())
    def type(self, data: st.DataObject) -> None:
        viewer = data.draw(st.sampled_from(self.connections))
        led = self.terminal.viewers.leader
        assert self.terminal.viewers.type(viewer) is not viewer.readonly
        if not viewer.readonly:
            self.typists.append(viewer)
        if viewer in self.able:
            assert self.terminal.viewers.leader is viewer
            self.is_set = self.is_set and led is viewer

    @precondition(lambda self: self.connections)
    @rule(data=st.data(), size=SIZES)
    def resize(self, data: st.DataObject, size: tuple[int, int]) -> None:
        viewer = data.draw(st.sampled_from(self.connections))
        before, leads = self.terminal.size, viewer is self.terminal.viewers.leader
        self.terminal.viewers.resize(viewer, *size)
        assert self.terminal.size == (size if leads or not viewer.is_viewer else before)
        self.is_set = not viewer.is_viewer or (self.is_set and not leads)

    @precondition(lambda self: self.connections)
    @rule(data=st.data(), breaks=st.booleans())
    def detach(self, data: st.DataObject, breaks: bool) -> None:
        viewer = data.draw(st.sampled_from(self.connections))
        viewer.closed = breaks
        self.connections.remove(viewer)
        changes = self.terminal.changes
        self.terminal.viewers.detach(viewer)
        assert self.terminal.changes == changes + viewer.is_viewer
        self.is_set = self.is_set and not viewer.is_viewer

    @invariant()
    def the_leader_is_here_and_may_type(self) -> None:
        leader = self.terminal.viewers.leader
        assert (leader is None) is (not self.able)
        assert leader is None or leader in self.able

    @invariant()
    def the_leader_typed_last_or_came_first(self) -> None:
        typed = [viewer for viewer in self.typists if viewer in self.able]
        assert self.terminal.viewers.leader is (typed[-1] if typed else next(iter(self.able), None))

    @invariant()
    def only_the_leader_answers(self) -> None:
        answering = [viewer for viewer in self.connections if self.terminal.viewers.may_answer(viewer)]
        assert answering == [leader for leader in [self.terminal.viewers.leader] if leader is not None]

    @invariant()
    def the_size_is_the_leaders_unless_a_server_has_set_it(self) -> None:
        leader = self.terminal.viewers.leader
        if leader is not None and leader.size is not None and not self.is_set:
            assert self.terminal.size == leader.size

    @invariant()
    def all_viewers_are_counted(self) -> None:
        assert self.terminal.viewers.count == sum(viewer.is_viewer for viewer in self.connections)


AnyOrder.TestCase.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
TestAnyOrder = AnyOrder.TestCase
