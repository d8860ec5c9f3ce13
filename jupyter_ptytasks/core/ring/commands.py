"""The commands of a shell, read from its ring: the marks are in the output, so nothing else has to be stored.

The ptyhost does not look for them, so floods are not slowed down. Each request for commands reads the new output and
looks for marks. Marks are dropped together with the output that contains them. Blocking.
"""

from __future__ import annotations

from ..shells import marks
from ..shells.commands import CommandLog
from ..terminal.cells import NULL
from ..terminal.lines import Lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shells.commands import Command
    from .reader import RingReader

#: Bytes that are read at a time.
_BLOCK = 1 << 18
#: The longest prompt, including the input after it, that is drawn (bytes), and the number of rows that are drawn.
_LONGEST_PROMPT = 1 << 16
_ROWS = 200


class RingCommands:
    """The commands in a ring whose marks have `nonce`, and the state of the shell: `log`. Not thread-safe.

    `end` is the offset up to which the ring was read.
    """

    def __init__(self, nonce: str) -> None:
        self.log = CommandLog(nonce)
        self.end = -1
        self._line = 0
        self._held = b""

    def update(self, reader: RingReader) -> None:
        """Read the new output. Commands whose beginning has been dropped are removed."""
        start, end = reader.bounds()
        if self.end < 0:
            self.end, self._line = start, reader.line(start)
        for at, data in reader.blocks(self.end, end, _BLOCK):
            if at > self.end:
                # The output before was dropped meanwhile: a segment begins here.
                self._line, self._held = reader.line(at), b""
            self._take(reader, at, data)
        while self.log.commands and self.log.commands[0].start < start:
            self.log.commands.popleft()

    def _take(self, reader: RingReader, at: int, data: bytes) -> None:
        self.end = at + len(data)
        data = self._held + data
        base = self.end - len(data)
        complete = marks.complete(data)
        counted = 0
        for mark in marks.find(data[:complete] if complete < len(data) else data, base):
            self._line += data.count(b"\n", counted, mark.start - base)
            counted = mark.start - base
            prompt, typed = self.log.prompt, self.log.input
            command = self.log.take(mark, self._line)
            if command is not None and command.text is None and prompt is not None and typed is not None:
                command.text = self._typed(reader, prompt, typed, command)
        self._line += data.count(b"\n", counted, complete)
        self._held = data[complete:]

    def _typed(self, reader: RingReader, prompt: int, typed: int, command: Command) -> str | None:
        """Return what the terminal shows after a prompt; None if it is too much to draw."""
        found = Prompt.read(reader, prompt, typed, command.start)
        return found.text.rstrip() if found is not None else None

    def is_typed_to(self, reader: RingReader) -> bool:
        """Return whether there is unsent input at the prompt: the cursor has moved since the prompt."""
        prompt, typed = self.log.prompt, self.log.input
        if prompt is None or typed is None:
            return False
        found = Prompt.read(reader, prompt, typed, self.end)
        return found is None or found.has_moved


class Prompt:
    """A drawn prompt: the `text` after it, and whether the cursor `has_moved` since."""

    def __init__(self, before: bytes, behind: bytes, cols: int) -> None:
        lines = Lines(_ROWS, cols)
        lines.feed(before)
        grid = lines.grid
        x, y = grid.x, grid.y
        lines.feed(behind)
        self.has_moved = (grid.x, grid.y) != (x, y)
        rows = grid.rows[y:]
        text = "".join(
            [("" if row.wraps or at == 0 else "\n") + row.text[x if at == 0 else 0 :] for at, row in enumerate(rows)]
        )
        self.text = grid.clusters.spell(text.replace(NULL, " "))

    @classmethod
    def read(cls, reader: RingReader, prompt: int, typed: int, end: int) -> Prompt | None:
        """Draw the ring from a prompt to `end`; None if it is too much."""
        if end - prompt > _LONGEST_PROMPT:
            return None
        sizes = reader.sizes(prompt, end)
        cols = sizes[0][2] if sizes and sizes[0][2] else 80
        return cls(reader.read_range(prompt, typed), reader.read_range(typed, end), cols)
