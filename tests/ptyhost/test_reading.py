"""Reading a terminal: many times in one turn of the loop during a flood, otherwise once."""

from __future__ import annotations

import pytest

from jupyter_ptytasks.ptyhost.pty_posix import PosixPty

FULL = 4095


class Terminal(PosixPty):
    """A terminal that has given amounts of output, one for each read; None where there is nothing yet."""

    def __init__(self, *amounts: int | None) -> None:
        super().__init__(24, 80)
        self.amounts = list(amounts)
        self.reads = 0

    def _read(self, limit: int) -> bytes | None:
        self.reads += 1
        amount = self.amounts.pop(0)
        return None if amount is None else b"x" * min(amount, limit)


@pytest.mark.parametrize(
    ("amounts", "length", "reads"),
    [
        ([100, 100], 100, 1),
        ([None], None, 1),
        ([0], 0, 1),
        ([FULL, None], FULL, 2),
        ([FULL, FULL, 300, 300], 2 * FULL + 300, 3),
        ([FULL, 0], FULL, 2),
        ([FULL] * 100, 8 * FULL, 8),
        ([FULL + 2000] * 100, 5 * (FULL + 2000), 5),
        ([1 << 16] * 100, 1 << 15, 1),
    ],
)
def test_on_while_a_read_is_full_and_there_is_room(amounts: list[int | None], length: int | None, reads: int) -> None:
    terminal = Terminal(*amounts)
    try:
        output = terminal.read(1 << 15)
        assert (len(output) if output is not None else None) == length
        assert terminal.reads == reads
    finally:
        terminal.close()
