"""Frames: any chunking of a stream gives the same frames, and garbage is rejected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core import wire

FRAMES = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=200)), max_size=8)


@given(frames=FRAMES, cuts=st.lists(st.integers(1, 40), min_size=1))
def test_any_chunking_gives_the_same_frames(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    stream = wire.hello(id="abc") + b"".join(wire.frame(kind, payload) for kind, payload in frames)
    decoder = wire.Decoder()
    found = []
    turn = 0
    while stream:
        size = cuts[turn % len(cuts)]
        found += decoder.feed(stream[:size])
        stream = stream[size:]
        turn += 1
    assert found == frames
    assert decoder.hello == {"ptytasks": wire.VERSION, "id": "abc"}


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n", b"[]\n", b'{"ptytasks": "x"}\n', b"x" * (wire.MAX_HELLO + 1)]
)
def test_an_invalid_hello_is_refused(garbage: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.Decoder().feed(garbage)


def test_a_frame_without_measure_is_refused() -> None:
    decoder = wire.Decoder()
    with pytest.raises(wire.WireError):
        decoder.feed(wire.hello() + wire.HEADER.pack(wire.INPUT, wire.MAX_PAYLOAD + 1))


def test_fields_are_an_object() -> None:
    assert wire.fields(b'{"a": 1}') == {"a": 1}
    for payload in (b"[1]", b"{", b"\xff"):
        with pytest.raises(wire.WireError):
            wire.fields(payload)
