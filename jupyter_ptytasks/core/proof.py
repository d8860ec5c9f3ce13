"""Two processes prove to each other, over a connection, that both know a secret, without telling it to anyone.

Each side sends 32 random bytes and, when it has those of the other, the HMAC-SHA256 by the secret of its role, its own
bytes and the other's. What follows belongs to the protocol that is spoken. Whoever took the place of the other side
learns nothing by that: neither the secret, nor an answer that is of use in another connection or role.
"""

from __future__ import annotations

import hmac
import os

#: The roles: who listens, and who connects.
LISTENER, CALLER = b"ptytasks listener", b"ptytasks caller"

_SIZE = 32


class Proof:
    """One side of a proof, in one of the roles. Send `nonce`, then what `feed` returns."""

    __slots__ = ("_buffer", "_role", "_secret", "_theirs", "is_given", "nonce")

    def __init__(self, secret: bytes, role: bytes) -> None:
        self._secret = secret
        self._role = role
        self._theirs: bytes | None = None
        self._buffer = b""
        self.nonce = os.urandom(_SIZE)
        #: Whether the other side knows the secret.
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
        """Return what has come in after the proof."""
        rest, self._buffer = self._buffer, b""
        return rest

    def _digest(self, role: bytes, first: bytes, second: bytes) -> bytes:
        return hmac.digest(self._secret, role + first + second, "sha256")
