"""What runs in the terminals: logs, progress bars, floods; written by C, so that the terminal is what is measured."""

from __future__ import annotations

import os
import tempfile

from .plan import BenchmarkFailed, wait_until

#: A colored line, repeated until it is stopped.
FLOOD = ["yes", "\x1b[2m03:16:00\x1b[0m \x1b[32mINFO\x1b[0m \x1b[36mtrain\x1b[0m step 1200 \x1b[33mloss\x1b[0m 0.4213"]
#: The shortest line there is.
YES = ["yes"]
#: Does nothing, for long enough.
IDLE = ["sleep", "100000"]
#: Answers each key with itself, as a program in raw mode does.
ECHO = ["sh", "-c", "stty raw -echo; exec cat"]

#: Steps of one progress bar; then comes the next line.
_BAR_STEPS = 1000


def write_log(path: str, size: int) -> None:
    """Write a log of lines of 79 columns, with an escape sequence about every 20 bytes."""
    lines = []
    for step in range(5000):
        loss, rate, seconds = 4.0 / (1 + step / 300), 1e-3 * (1 - step / 5000), step * 0.37
        lines.append(
            f"\x1b[2m12:{step // 60 % 60:02}:{step % 60:02}\x1b[0m \x1b[32mINFO\x1b[0m train.loop step {step:5} "
            f"loss \x1b[1;33m{loss:8.4f}\x1b[0m lr {rate:.2e} {seconds:9.2f} s{'ok':>6}\n"
        )
    _fill(path, "".join(lines).encode(), size)


def write_bars(path: str, size: int) -> None:
    """Write what tqdm writes: bars that are drawn over themselves, one line after the other."""
    updates = []
    for epoch in range(8):
        for step in range(_BAR_STEPS + 1):
            done = step / _BAR_STEPS
            bar = "█" * int(done * 30) + "▏▎▍▌▋▊▉█"[int(done * 240) % 8] * (done < 1)
            updates.append(
                f"\repoch {epoch}: {done:4.0%}|{bar:<30}| {step}/{_BAR_STEPS} "
                f"[00:{step // 40:02}<00:{(_BAR_STEPS - step) // 40:02}, 39.{step % 97:02}it/s, loss={2 - done:.4f}]"
            )
        updates.append("\n")
    _fill(path, "".join(updates).encode(), size)


def write_drawing(path: str, size: int) -> None:
    """Write what a program draws that moves the cursor all over the normal screen, and never clears it."""
    cells = []
    for number in range(20_000):
        row, column, color = number * 7 % 23 + 1, number * 31 % 69 + 1, number % 8
        cells.append(f"\x1b[{row};{column}H\x1b[3{color}mx{number * 7919 % 10_000}\x1b[0m\x1b[K")
    _fill(path, "".join(cells).encode(), size)


def _fill(path: str, block: bytes, size: int) -> None:
    with open(path, "wb") as file:
        while size > 0:
            file.write(block[:size])
            size -= len(block)


class TimedCat:
    """A command that waits for `go`, writes a file to its terminal, and notes when that began and ended.

    So neither the start of the terminal counts nor that of the program, but all the time for which the terminal kept it
    waiting.
    """

    def __init__(self, directory: str, path: str, *, stay: bool = False) -> None:
        self._base = os.path.join(tempfile.mkdtemp(dir=directory), "cat")
        os.mkfifo(f"{self._base}.go")
        then = "exec sleep 100000" if stay else ":"
        self.argv = [
            "sh",
            "-c",
            f'read -r _ <"$1.go"; : >"$1.began"; cat "$2"; : >"$1.ended"; {then}',
            "sh",
            self._base,
            path,
        ]

    def go(self) -> None:
        """Let it begin; it must have been started. Raises BenchmarkFailed when it was not."""
        wait_until(self._open_gate, "the command had started")

    def _open_gate(self) -> bool:
        try:
            gate = os.open(f"{self._base}.go", os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return False  # it has no reader yet
        os.write(gate, b"\n")
        os.close(gate)
        return True

    def wait(self) -> float:
        """Return the seconds that it took. Raises BenchmarkFailed if it does not finish."""
        wait_until(lambda: os.path.exists(f"{self._base}.ended"), "the command had written everything", timeout=120)
        began, ended = (os.stat(f"{self._base}.{name}").st_mtime_ns for name in ("began", "ended"))
        if ended <= began:
            raise BenchmarkFailed("the command took no time at all")
        return (ended - began) / 1e9
