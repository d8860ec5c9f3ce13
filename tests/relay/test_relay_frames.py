"""The frames of a relay: any bytes in any chunks, after any noise; and windows that are never exceeded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core import relay
from jupyter_ptytasks.core.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Iterable

FRAMES = st.lists(
    st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1), st.binary(max_size=300)),
    max_size=12,
)
CUTS = st.lists(st.integers(1, 400), max_size=40)


def chunks(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    """Return `data` cut into chunks of these sizes, and the rest."""
    parts = []
    for size in sizes:
        parts.append(data[:size])
        data = data[size:]
    return [*parts, data]


@given(FRAMES, CUTS)
def test_frames_survive_any_chunks(frames: list[tuple[int, int, bytes]], cuts: list[int]) -> None:
    decoder = relay.Decoder()
    data = b"".join(relay.frame(*frame) for frame in frames)
    assert [frame for part in chunks(data, cuts) for frame in decoder.feed(part)] == frames


@given(st.binary(max_size=400).filter(lambda noise: b"\0" not in noise), FRAMES, CUTS)
def test_output_of_shells_before_the_banner_is_skipped(
    noise: bytes, frames: list[tuple[int, int, bytes]], cuts: list[int]
) -> None:
    greeting, decoder = relay.Greeting(), relay.Decoder()
    data = noise + relay.BANNER + b"ready\n" + b"".join(relay.frame(*frame) for frame in frames)
    words: list[tuple[bytes, str]] = []
    found: list[tuple[int, int, bytes]] = []
    for part in chunks(data, cuts):
        if words:
            found += decoder.feed(part)
            continue
        answer = greeting.feed(part)
        if answer is not None:
            words.append(answer[:2])
            found += decoder.feed(answer[2])
    assert (words, found) == ([(b"ready", "")], frames)


def test_endless_noise_is_not_a_relay() -> None:
    greeting = relay.Greeting()
    assert greeting.feed(b"login: ") is None
    with pytest.raises(WireError):
        greeting.feed(b"login: " * (1 << 18))


def test_a_frame_that_is_too_long_ends_the_stream() -> None:
    with pytest.raises(WireError):
        relay.Decoder().feed(relay.HEADER.pack(relay.BYTES, 1, relay.MAX_PAYLOAD + 1))


@given(st.lists(st.integers(1, 5000), max_size=60), st.integers(4, 20_000))
def test_a_sender_never_exceeds_its_window_and_is_never_stuck(sizes: list[int], size: int) -> None:
    window, consumed = relay.Window(size), relay.Consumed(size)
    for wanted in sizes:
        left = wanted
        while left:
            count = min(left, window.room)
            assert count > 0, "all was consumed, and there is no room"
            window.spend(count)
            left -= count
            for _, _, payload in relay.Decoder().feed(consumed.add(7, count)):
                window.credit(payload)
            assert 0 <= window.room <= size


@given(st.integers(0, 1000), st.integers(0, 2**32 - 1))
def test_more_credit_than_was_sent_is_refused(sent: int, said: int) -> None:
    window = relay.Window(1000)
    window.spend(sent)
    if said <= sent:
        window.credit(relay.COUNT.pack(said))
        assert window.room == 1000 - sent + said
    else:
        with pytest.raises(WireError):
            window.credit(relay.COUNT.pack(said))


@given(st.binary(max_size=60))
def test_pieces_and_calls_are_read_or_refused(data: bytes) -> None:
    for read in (relay.piece, relay.call_of):
        try:
            read(data)
        except WireError:
            continue
    assert relay.call_of(json.dumps({"call": "look", "id": "x"}).encode()) == ("look", {"id": "x"})
