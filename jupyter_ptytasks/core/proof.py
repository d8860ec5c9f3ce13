"""Mutual authentication: two processes prove over a connection that both know a secret, without revealing it.

Each side sends 32 random bytes and, once it has those of the other side, the HMAC-SHA256, keyed with the secret, of its
role, its own bytes and the other's. Then the actual protocol starts. An impostor on either side learns nothing: neither
the secret, nor a response that could be replayed in another connection or role.
"""

from __future__ import annotations

import hmac
import os

#: The roles: the listening and the connecting side.
LISTENER, CALLER = b"ptytasks listener", b"ptytasks caller"

_SIZE = 32


class Proof:
    """One side of the authentication, in one of the roles. Send `nonce`, then what `feed` returns."""

    __slots__ = ("_buffer", "_role", "_secret", "_theirs", "is_given", "nonce")

    def __init__(self, secret: bytes, role: bytes) -> None:
        self._secret = secret
        self._role = role
        self._theirs: bytes | None = None
        self._buffer = b""
        self.nonce = os.urandom(_SIZE)
        #: Whether the other side has proven that it knows the secret.
        self.is_given = False

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes from the other side; return what to send. Raises PermissionError for a wrong proof."""
        self._buffer += data
        answer = b""
        if self._theirs is None and len(self._buffer) >= _SIZE:
            self._theirs, self._buffer = self._buffer[:_SIZE], self._buffer[_SIZE:]
            answer = self._digest(self._role, self.nonce, self._theirs)
        if self._theirs is not None and not self.is_given and len(self._buffer) >= _SIZE:
            proof, self._buffer = self._buffer[:_SIZE], self._buffer[_SIZE:]
            role = CALLER if self._role == LISTENER else LISTENER
            if not hmac.compare_digest(proof, self._digest(role, self._theirs, self.nonce)):
                raise PermissionError("the other side does not know the secret")
            self.is_given = True
        return answer

    def rest(self) -> bytes:
        """Return the bytes received after the proof."""
        rest, self._buffer = self._buffer, b""
        return rest

    def _digest(self, role: bytes, first: bytes, second: bytes) -> bytes:
        return hmac.digest(self._secret, role + first + second, "sha256")
