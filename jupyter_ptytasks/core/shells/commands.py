"""The commands of a shell, and whether it is waiting at its prompt, tracked through its marks.

Output of a program cannot be mistaken for a mark: a mark counts only with the nonce, in the right order, and with the
expected number. So reprinting the output of an earlier command has no effect.
"""

from __future__ import annotations

from collections import deque

from .marks import DONE, END, INPUT, OUTPUT, PROMPT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .marks import Mark

#: Maximum number of commands that are remembered.
MOST = 1000


class Command:
    """A command of a shell.

    `text` is what was typed, `cwd` the directory, `started` the start time (Unix seconds), each None if unknown. Its
    output is from offset `start` (in line number `line`) to `end` (in `end_line`), both None while it is running.
    `exit` and `duration` (seconds) are None if unknown.
    """

    __slots__ = ("attempt", "cwd", "duration", "end", "end_line", "exit", "line", "number", "start", "started", "text")

    def __init__(self, attempt: int, number: int, mark: Mark, line: int, text: str | None) -> None:
        self.attempt = attempt
        self.number = number
        self.text = text
        self.cwd = mark.text("cwd")
        self.started = mark.time()
        self.start = mark.end
        self.line = line
        self.end: int | None = None
        self.end_line: int | None = None
        self.exit: int | None = None
        self.duration: float | None = None


class CommandLog:
    """Tracks the marks with `nonce`, which must be passed in order.

    `prompt` is where the current prompt begins (offset), `input` where the typed text begins: None unless the shell is
    at its prompt. `cwd` is its directory. `turn` is the end of the last mark that a shell prints once before each
    prompt, and `status` the exit code in it: that of the last command, or of one that was not run.
    """

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self._attempt = 0
        self._number = 0
        self._open: Command | None = None
        self._closing: tuple[int, int] | None = None
        self.commands: deque[Command] = deque(maxlen=MOST)
        self.prompt: int | None = None
        self.input: int | None = None
        self.cwd: str | None = None
        self.turn = -1
        self.status: int | None = None

    @property
    def has_marks(self) -> bool:
        """Whether there has been any mark."""
        return self._attempt > 0

    @property
    def runs(self) -> bool:
        """Whether a command has begun and not ended."""
        return self._open is not None

    @property
    def attempt(self) -> int:
        """The attempt of the task that has printed the last mark."""
        return self._attempt

    def take(self, mark: Mark, line: int) -> Command | None:
        """Process the next mark, in line number `line`. Return the command that begins with it, if any."""
        attempt = mark.attempt(self._nonce)
        if attempt is None or attempt < self._attempt:
            return None
        if attempt > self._attempt:
            self._attempt, self._number = attempt, 0
            self._open = self.prompt = self.input = None
        if mark.kind == OUTPUT:
            return self._begin(mark, line)
        if mark.kind == DONE:
            self._finish(mark, line)
        elif mark.kind == END and self._open is not None:
            self._closing = (mark.start, line)
        elif self._open is None and mark.kind == PROMPT:
            self.prompt, self.input = mark.start, None
        elif self._open is None and mark.kind == INPUT:
            self.input = mark.end
            self.prompt = mark.start if self.prompt is None else self.prompt
        return None

    def _begin(self, mark: Mark, line: int) -> Command | None:
        number = mark.number("n")
        if number is None or number <= self._number:
            return None
        if self._open is not None:
            self._close(self._open, mark.start, line)
        self._number = number
        self._open = Command(self._attempt, number, mark, line, mark.text("cmd"))
        self.commands.append(self._open)
        self.cwd = self._open.cwd
        self.input = self._closing = None
        return self._open

    def _finish(self, mark: Mark, line: int) -> None:
        number, command = mark.number("n"), self._open
        if number is None or (number != self._number if command is not None else number < self._number):
            return
        self._number = number
        if command is not None:
            end, end_line = self._closing or (mark.start, line)
            self._close(command, end, end_line)
            command.exit = mark.exit
            command.duration = _duration(command, mark)
        self.prompt = self.input = self._closing = None
        self.cwd = mark.text("cwd")
        self.turn = mark.end
        self.status = mark.exit if mark.exit is not None else mark.number("status")

    def _close(self, command: Command, end: int, line: int) -> None:
        command.end, command.end_line = max(end, command.start), max(line, command.line)
        self._open = None


def _duration(command: Command, mark: Mark) -> float | None:
    """Return the duration (seconds) of a command that ends with `mark`: from the mark, or from its times."""
    told, ended = mark.number("d"), mark.time()
    if told is not None:
        return told / 1000
    return max(ended - command.started, 0.0) if ended is not None and command.started is not None else None
