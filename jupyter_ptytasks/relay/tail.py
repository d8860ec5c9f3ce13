"""Sends new data of one task's files, piece by piece, as far as the window allows, so that the other side can keep an
identical copy.
"""

from __future__ import annotations

import os

from ..core import relay
from ..core.files import read_json
from ..core.paths import TaskFiles
from ..core.platform import files as system
from ..core.ring.format import index_path, list_bases, log_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Tail:
    """Sends new bytes of a task's ring, oldest first; then the exit record of the attempt.

    `have` is the newest segment of the other side, and the size of its log there; None if it has none. With `newest`,
    it starts with the segment that is being written, and only names the earlier ones. If the writer drops segments that
    were not sent yet, it continues with the oldest remaining one. The caller closes it.
    """

    def __init__(
        self,
        channel: int,
        directory: str,
        attempt: int,
        have: Sequence[int] | None,
        send: Callable[[bytes], None],
        *,
        newest: bool = False,
    ) -> None:
        self.channel = channel
        self.window = relay.Window(relay.TAIL_WINDOW)
        self._files = TaskFiles(directory)
        self._attempt = attempt
        self._send = send
        self._base = self._log = self._index = -1
        self._log_sent = self._index_sent = 0
        self._first = -1
        self._have = have
        self._newest = newest
        self._hosted = self._recorded = False

    def close(self) -> None:
        """Close the open segment."""
        for fd in (self._log, self._index):
            if fd >= 0:
                os.close(fd)
        self._base = self._log = self._index = -1

    def end(self) -> tuple[int, int, int]:
        """Return the current end of the ring: base, size of the log, size of the index; base -1 without a ring."""
        bases = list_bases(self._files.output)
        if not bases:
            return (-1, 0, 0)
        base = bases[-1]
        return base, _size(log_path(self._files.output, base)), _size(index_path(self._files.output, base))

    def has_sent(self, end: tuple[int, int, int]) -> bool:
        """Return whether everything up to `end` was sent."""
        base, log, index = end
        return self._base > base or (self._base == base and self._log_sent >= log and self._index_sent >= index)

    def pump(self, limit: int) -> int:
        """Send new data, about `limit` bytes at most; return how many bytes were sent: 0 if there is no new data, or
        the window is full. Raises OSError.
        """
        sent = 0
        if not self._hosted:
            self._hosted = self._send_record(self._files.host, relay.HOST)
        while self.window.room > 0 and sent < limit:
            if self._base < 0 and not self._begin():
                break
            # The log first: a segment without an index can be read, but not an index without its log.
            step = self._send_part(relay.LOG, self._log, self._log_sent)
            self._log_sent += step
            more = self._send_part(relay.INDEX, self._index, self._index_sent)
            self._index_sent += more
            sent += step + more
            if not step and not more and not self._advance():
                break
        return sent

    def send_record(self) -> None:
        """Send the exit record, if the attempt has one; the whole ring was sent before."""
        if not self._recorded:
            self._recorded = self._send_record(self._files.exit, relay.RECORD)

    def _send_record(self, path: str, kind: int) -> bool:
        found = read_json(path)
        if found is None or found.get("attempt") != self._attempt:
            return False
        with open(path, "rb") as file:
            self._send_piece(kind, 0, 0, file.read())
        return True

    def _send_part(self, kind: int, fd: int, offset: int) -> int:
        if fd < 0 or self.window.room <= 0:
            return 0
        data = system.pread(fd, min(relay.BLOCK, self.window.room), offset)
        if data:
            self._send_piece(kind, self._base, offset, data)
        return len(data)

    def _send_piece(self, kind: int, base: int, offset: int, data: bytes) -> None:
        if kind in (relay.LOG, relay.INDEX):
            self.window.spend(len(data))
        self._send(relay.frame(relay.PART, self.channel, relay.PIECE.pack(kind, base, offset) + data))

    def _begin(self) -> bool:
        """Open the first segment to send; return whether there is one."""
        bases = list_bases(self._files.output)
        if not bases:
            return False
        base, size = self._have if self._have is not None else (-1, 0)
        if base + size == bases[0]:
            self._first = bases[0]  # the ring continues where the copy ends: nothing is dropped there
        self._tell_first(bases[0])
        if self._newest:
            for earlier in bases[:-1]:
                self._send_piece(relay.EARLIER, earlier, 0, b"")
            base, size = bases[-1], 0
        elif base not in bases:
            base, size = bases[0], 0
        return self._open(base, size)

    def _advance(self) -> bool:
        """Open the segment after the current one, which was sent; return whether there is one."""
        bases = list_bases(self._files.output)
        later = [base for base in bases if base > self._base]
        if not later:
            return False
        # More was written between the last read and the start of the next segment.
        if _size_of(self._log) > self._log_sent or _size_of(self._index) > self._index_sent:
            return True
        self._tell_first(bases[0])
        return self._open(later[0], 0)

    def _tell_first(self, first: int) -> None:
        if first != self._first:
            self._first = first
            self._send_piece(relay.DROPPED, first, 0, b"")

    def _open(self, base: int, size: int) -> bool:
        try:
            log = os.open(log_path(self._files.output, base), os.O_RDONLY | system.BINARY)
        except FileNotFoundError:
            return False  # it was just dropped
        self.close()
        self._base, self._log, self._log_sent, self._index_sent = base, log, size, 0
        try:
            self._index = os.open(index_path(self._files.output, base), os.O_RDONLY | system.BINARY)
        except FileNotFoundError:
            self._index = -1
        return True


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _size_of(fd: int) -> int:
    return os.fstat(fd).st_size if fd >= 0 else 0
