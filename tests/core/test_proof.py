"""Mutual authentication: both sides prove that they know a secret, and an impostor learns nothing."""

from __future__ import annotations

import os

import pytest

from jupyter_ptytasks.core.proof import CALLER, LISTENER, Proof

SECRET = b"s" * 32


@pytest.mark.parametrize("size", [1, 7, 31, 32, 33, 64, 1000])
def test_both_know_it_in_whatever_pieces_it_comes(size: int) -> None:
    listener, caller = Proof(SECRET, LISTENER), Proof(SECRET, CALLER)
    inboxes = {listener: caller.nonce, caller: listener.nonce}
    for _ in range(500):
        for one, other in ((listener, caller), (caller, listener)):
            part, inboxes[one] = inboxes[one][:size], inboxes[one][size:]
            inboxes[other] += one.feed(part)
    assert listener.is_given
    assert caller.is_given
    assert SECRET not in listener.nonce + caller.nonce


def test_what_follows_the_proof_is_left() -> None:
    listener, caller = Proof(SECRET, LISTENER), Proof(SECRET, CALLER)
    answer = listener.feed(caller.nonce)
    proof = caller.feed(listener.nonce + answer + b"hello")
    assert caller.is_given
    assert caller.rest() == b"hello"
    assert listener.feed(proof + b"{") == b""
    assert listener.rest() == b"{"
    assert listener.rest() == b""


def test_another_secret_proves_nothing() -> None:
    listener, caller = Proof(SECRET, LISTENER), Proof(os.urandom(32), CALLER)
    with pytest.raises(PermissionError):
        listener.feed(caller.nonce + caller.feed(listener.nonce))
    assert not listener.is_given


def test_what_a_listener_says_is_no_proof_of_a_caller() -> None:
    """A listener must not accept its own proof, sent back to it."""
    listener, other = Proof(SECRET, LISTENER), Proof(SECRET, LISTENER)
    answer = other.feed(listener.nonce)
    with pytest.raises(PermissionError):
        listener.feed(other.nonce + answer)
    # Nor is its own, sent back.
    listener = Proof(SECRET, LISTENER)
    answer = listener.feed(listener.nonce)
    with pytest.raises(PermissionError):
        listener.feed(answer)


def test_the_proof_of_one_connection_is_none_in_another() -> None:
    listener, caller = Proof(SECRET, LISTENER), Proof(SECRET, CALLER)
    proof = caller.feed(listener.nonce)
    again = Proof(SECRET, LISTENER)
    with pytest.raises(PermissionError):
        again.feed(caller.nonce + proof)
