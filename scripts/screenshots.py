"""Make docs/images/cli.svg: a command-line session in a terminal; the server is killed midway."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import signal
import struct
import tempfile
import termios
from pathlib import Path

from demo_checks import ROOT
from demo_server import BIN, Place
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

COLUMNS = 100
PROMPT = "\x1b[1;32m$\x1b[0m "
PICTURE = ROOT / "docs" / "images" / "cli.svg"


def say(place: Place, line: str) -> str:
    """Run a line in a shell in a terminal; return the resulting screen, which starts with the line."""
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
        os.chdir(place.home / "project")
        os.execvpe("sh", ["sh", "-c", line], {**place.env, "TERM": "xterm-256color"})
    output = b""
    while True:
        try:
            output += os.read(fd, 1 << 16)
        except OSError:
            break  # it has ended
    os.close(fd)
    os.waitpid(pid, 0)
    shown = output.decode().replace("\r\n", "\n")
    return f"{PROMPT}\x1b[1m{line}\x1b[0m\n{shown}"


def session(place: Place) -> str:
    """Play the story, and take the pictures."""
    jupyter = "jupyter ptytasks"
    told = [
        say(place, f"{jupyter} run --name train -- python train.py --epochs 12 --seconds 12"),
        say(place, f"{jupyter} run --name tests -- 'echo collected 3 items; exit 1'"),
        say(place, f"{jupyter} run --name notebook-build -- sleep 3600"),
    ]
    place.cli("wait", "tests")
    with place.client() as client:
        while "epoch 3" not in client.output("train")["output"]:
            client.wait("train", 0.2)
    assert place.server is not None
    told.append(
        f"{PROMPT}\x1b[1mkill -9 {place.server.pid}\x1b[0m   \x1b[2m# the server; then it is started again\x1b[0m\n"
    )
    os.killpg(place.server.pid, signal.SIGKILL)
    place.server.wait()
    place.start()
    told += [
        say(place, f"{jupyter} ls"),
        say(place, f"{jupyter} logs -n 3 train"),
        say(place, f"{jupyter} wait train; echo $?"),
    ]
    return "".join(told)


def main() -> None:
    """Write the picture, and print the session."""
    place = Place(Path(tempfile.mkdtemp()))
    try:
        (place.home / "project").mkdir()
        shutil.copy(ROOT / "examples" / "train.py", place.home / "project")
        place.start()
        told = session(place)
    finally:
        place.stop()
        shutil.rmtree(place.home, ignore_errors=True)
    console = Console(record=True, width=COLUMNS, force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(told.rstrip()))
    picture = console.export_svg(title="jupyter ptytasks", theme=MONOKAI)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    # Without rich's fonts from elsewhere: whoever looks has a monospaced one.
    PICTURE.write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL))


if __name__ == "__main__":
    assert (BIN / "jupyter-ptytasks").exists()
    main()
