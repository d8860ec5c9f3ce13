"""Record what real programs write to a terminal of 24 by 80: `python tests/data/record.py [NAME...]` writes streams/.

Each runs in an empty directory, and in a PID namespace of its own where that is allowed, so that a recording tells
nothing of the machine it was made on.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROWS, COLS = 24, 80
CALM = 0.6  # seconds of silence after which a program has drawn what it had to draw

TEXT = "".join(
    f"{number:4d} The quick brown fox jumps over the lazy dog; żółta łódź, 日本語.\n" for number in range(1, 301)
)

TQDM = """
import time
from tqdm import tqdm, trange
for epoch in trange(4, desc="epochs"):
    for step in trange(60, desc=f"epoch {epoch}", leave=epoch == 3):
        time.sleep(0.01)
        if step == 30:
            tqdm.write(f"epoch {epoch}: half way, loss={1 / (epoch + 1):.3f}")
print("done")
"""
RICH = """
import time
from rich.console import Console
from rich.live import Live
from rich.progress import Progress
from rich.table import Table
console = Console(force_terminal=True)
with Live(console=console, refresh_per_second=20) as live:
    for row in range(12):
        table = Table(title="runs")
        for name in ("run", "loss", "state"):
            table.add_column(name)
        for done in range(row + 1):
            table.add_row(f"[bold]{done}[/]", f"{1 / (done + 1):.4f}", "[green]done[/]" if done < row else "[yellow]…")
        live.update(table)
        live.console.log(f"row {row}")
        time.sleep(0.05)
with Progress(console=console) as progress:
    first, second = progress.add_task("[red]loading", total=40), progress.add_task("[cyan]training", total=80)
    while not progress.finished:
        progress.update(first, advance=1)
        progress.update(second, advance=1)
        time.sleep(0.02)
"""
# Its progress bar, as apt's install-progress.cc draws it: below margins, with the cursor saved and restored.
APT = r"""
printf '\n\0337\033[0;23r\0338\033[1A'
for step in $(seq 1 40); do
  printf '\0337\033[24;0f\033[42m\033[30mProgress: [%3d%%]\033[49m\033[39m [%-40.*s]\0338' \
    $((step * 100 / 40)) $step '########################################'
  [ $((step % 4)) = 0 ] && echo "Setting up package $step ..."
done
printf '\0337\033[0;24r\0338'
echo done
"""
#: Name: the command, and what is typed, each key stroke once the program is calm.
PROGRAMS: dict[str, tuple[list[str], list[str]]] = {
    "tqdm": ([sys.executable, "-c", TQDM], []),
    "rich": ([sys.executable, "-c", RICH], []),
    "pip": (
        [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--progress-bar=on", "numpy==2.0.2"],
        [],
    ),
    "apt": (["sh", "-c", APT], []),
    "vim": (
        ["vim", "-u", "NONE", "-N", "+set nu ruler hlsearch", "text"],
        ["20G", "/fox\r", "dd", "ihello 日本\x1b", "\x0c", ":vsplit\r", "\x04"],
    ),
    "vim-left": (["sh", "-c", "echo before; vim -u NONE -N text; echo after"], ["50G", "x", ":q!\r"]),
    "nano": (["nano", "--ignorercfiles", "text"], ["\x16", "hello", "\x17fox\r", "\x0b"]),
    "less": (["less", "text"], [" ", "/dog\r", "n", "j", "j"]),
    "top": (["top", "-d", "0.3", "-E", "m"], ["1", "c"]),
    "htop": (["htop", "-d", "3"], ["\x1bOB", "t"]),
    "python": (
        [sys.executable, "-i", "-q"],
        [
            "import sys\r",
            "for i in range(30): print(i, '\\x1b[3%dm*\\x1b[0m' % (i % 8))\r\r",
            "1 + \x7f\x7f- 2\x1b[D\x1b[D9\r",
            "'unfinished",
        ],
    ),
    "dialog": (["whiptail", "--menu", "Choose", "15", "40", "5", "a", "alpha", "b", "beta"], ["\x1b[B"]),
}


def record(command: list[str], keys: list[str]) -> bytes:
    """Run a program, type to it, and give what it wrote until it ended or, with nothing left to type, was calm."""
    with tempfile.TemporaryDirectory() as top:
        home = Path(top, "home")
        home.mkdir()
        Path(home, "text").write_text(TEXT)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": ".",
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
        }
        private = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"] if os.geteuid() == 0 else []
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(home)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLS, 0, 0))
            os.execvpe((private + command)[0], private + command, environment)
        output = bytearray()
        waiting = list(keys)
        last = time.monotonic()
        while True:
            ready, _, _ = select.select([fd], [], [], CALM)
            if ready:
                try:
                    output += os.read(fd, 65536)
                except OSError:
                    break
            # A program that draws by the clock is never calm.
            if not ready or time.monotonic() - last > 4 * CALM:
                if not waiting and output and (keys or not ready):
                    break
                if waiting:
                    os.write(fd, waiting.pop(0).encode())
                last = time.monotonic()
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.close(fd)
        os.waitpid(pid, 0)
        return bytes(output)


def main() -> None:
    """Write the recordings asked for, or all that can be made here."""
    for name in sys.argv[1:] or PROGRAMS:
        command, keys = PROGRAMS[name]
        if shutil.which(command[0]) is None:
            print(f"{name}: not installed")
            continue
        data = record(command, keys)
        Path(HERE, "streams", name).write_bytes(data)
        print(f"{name}: {len(data)} bytes")


if __name__ == "__main__":
    main()
