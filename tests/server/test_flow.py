"""Flow control for viewers, with an artificial clock and without sockets."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_ptytasks.server.terminals import flow

#: Seconds that it takes to send one message.
SENDING = 50e-6


class Clock:
    """Time passes only while a coroutine sleeps or sends."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(flow, "time", clock)
    monkeypatch.setattr(flow, "asyncio", clock)
    return clock


def flood(clock: Clock, seconds: float, block: int) -> list[int]:
    """Send all that a viewer may be sent for a while, in messages of at most `block` bytes; give their sizes."""
    paced = flow.Paced()
    paced.begin(0)
    sizes: list[int] = []

    async def send() -> None:
        until, offset = clock.now + seconds, 0
        while clock.now < until:
            sizes.append(min(await paced.room(), block))
            offset += sizes[-1]
            paced.sent(offset)
            clock.now += SENDING

    asyncio.run(send())
    return sizes


@pytest.mark.parametrize("block", [1 << 16, 1 << 20, 5000])
def test_a_viewer_at_its_pace_is_sent_few_large_messages(clock: Clock, block: int) -> None:
    sizes = flood(clock, 10.0, block)
    assert abs(sum(sizes) - flow.WINDOW - 10 * flow.PACE) < 2 * flow.WINDOW
    assert min(sizes) >= min(block, flow.PIECE) - 1
    assert len(sizes) <= sum(sizes) / min(block, flow.PIECE) + 1


def test_output_slower_than_the_pace_is_sent_immediately(clock: Clock) -> None:
    paced = flow.Paced()
    paced.begin(0)
    began = clock.now
    for number in range(1, 1000):
        clock.now += 0.003
        before = clock.now
        asyncio.run(_send(paced, number * 10_000))
        assert clock.now == before
    assert clock.now - began < 3.0


async def _send(paced: flow.Paced, offset: int) -> None:
    await paced.room()
    paced.sent(offset)
