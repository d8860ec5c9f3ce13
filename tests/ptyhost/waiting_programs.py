"""Real programs that wait for input, and others that only seem to; and what ptyhosts report about them.

`python -m tests.ptyhost.waiting_programs` runs them all and prints a table for docs/waiting.md, with what a regular
expression over the last line says of the same output.
"""

from __future__ import annotations

import os
import re
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.terminal.prompt import prompt_of
from tests.ptyhost.hosting import Hosted, Peer, end_starters

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHON = sys.executable
#: Files that the programs find in their directory, and a repository with a change.
FILES = {
    "long.txt": "".join(f"line {number}\n" for number in range(500)),
    "script.py": "total = 0\nfor one in range(3):\n    total += one\n",
    "Makefile": "ask:\n\t@printf 'Name? '; read -r name\nbuild:\n\t@echo compiling; sleep 600\n",
    "test_slow.py": "import time\n\n\ndef test_slow():\n    time.sleep(600)\n",
}
#: Two expressions of an editor's agent for a last line that looks like a question: a colon or a question mark, and
#: blanks behind.
COLON = re.compile(r":[ ]+$")
QUESTION = re.compile(r"\?[ ]*(\([a-z\s]+\))?[ ]+$", re.IGNORECASE)


@dataclass
class Program:
    """A program, and as what it waits: any of `kinds`, which are empty if it does not wait."""

    name: str
    argv: Sequence[str]
    kinds: tuple[str, ...] = ()
    prompt: str | None = None
    sure: bool = True

    @property
    def is_here(self) -> bool:
        return shutil.which(self.argv[0]) is not None


def _python(source: str) -> list[str]:
    return [PYTHON, "-c", source]


def _bash(line: str) -> list[str]:
    return ["bash", "-c", line]


_LINE, _PASSWORD, _KEYS, _SHELL = ("line",), ("password",), ("keys",), ("shell",)
_EDITED = ("keys", "line")  # with line editing, if it was built with it
_ASYNC = """
import asyncio, sys
async def main():
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("Name? ", end="", flush=True)
    await reader.readline()
asyncio.run(main())
"""
_EPOLL = "import select; one = select.epoll(); one.register(0, select.EPOLLIN); one.poll()"
_POLL = "import select; one = select.poll(); one.register(0, select.POLLIN); one.poll()"
_SELECT = "import select, sys\nwhile not select.select([sys.stdin], [], [], 5)[0]: pass"
_THREAD = "import threading\none = threading.Thread(target=input, args=('Name? ',)); one.start(); one.join()"
_TOOLKIT = "from prompt_toolkit import prompt; prompt('Name: ')"
_ASK = "const rl = require('readline').createInterface(process.stdin, process.stdout); rl.question('Name? ', () => 0)"

WAITS = [
    Program("Python: input()", _python("input('Proceed? [y/N] ')"), _LINE, "Proceed? [y/N] "),
    Program("Python: getpass", _python("import getpass; getpass.getpass()"), _PASSWORD, "Password: "),
    Program("Python: input() in a thread", _python(_THREAD), _LINE, "Name? "),
    Program("Python: asyncio", _python(_ASYNC), _LINE, "Name? "),
    Program("Python: select, again and again", _python(_SELECT), _LINE, ""),
    Program("Python: poll", _python(_POLL), _LINE, ""),
    Program("Python: epoll", _python(_EPOLL), _LINE, ""),
    Program("Python: prompt_toolkit", _python(_TOOLKIT), _KEYS, "Name: "),
    Program("Python: the interpreter", [PYTHON, "-q"], _KEYS, ">>> "),
    Program("pdb", [PYTHON, "-m", "pdb", "script.py"], _EDITED, "(Pdb) "),
    Program("ipython", [PYTHON, "-m", "IPython", "--no-banner", "--no-confirm-exit"], _KEYS, "In [1]: "),
    Program("sh: read", ["sh", "-c", "printf 'Name: '; read -r name"], _LINE, "Name: "),
    Program("bash: read -p", _bash("read -p 'Continue? [Y/n] ' x"), _LINE, "Continue? [Y/n] "),
    Program("bash: read -s", _bash("read -sp 'Passphrase: ' x"), _PASSWORD, "Passphrase: "),
    Program("bash: read -e", _bash("read -e -p 'Path: ' x"), _KEYS, "Path: "),
    Program("bash: read -n 1", _bash("read -n 1 -p 'Press any key' x"), _KEYS, "Press any key"),
    # As line editors do: of zsh with many a configuration, of Python since 3.13.
    Program("bash: with DECCKM", _bash("printf '\\e[?1h\\e='; read -e -p 'Path: ' x"), _KEYS, "Path: "),
    Program("bash: a menu without a cursor", _bash("printf '\\e[?25l> one\\n  two'; read -rsn 1"), _KEYS, ""),
    Program("bash: select", _bash("select x in one two; do break; done"), _LINE, "#? "),
    Program("bash: at its prompt", ["bash", "--norc", "-i"], _SHELL, "ready> "),
    Program("dash: at its prompt", ["dash", "-i"], _SHELL, "ready> "),
    Program("zsh: at its prompt", ["zsh", "-f"], _SHELL),
    Program("fish: at its prompt", ["fish", "--no-config"], _SHELL),
    Program("rm -i", ["rm", "-i", "long.txt"], _LINE),
    Program("xargs -p", _bash("echo one | xargs -p echo"), _LINE),
    Program("git add -p", ["git", "add", "-p"], _LINE),
    Program("make: a recipe that reads", ["make", "ask"], _LINE, "Name? "),
    Program("ssh-keygen", ["ssh-keygen", "-q", "-f", "key"], _PASSWORD),
    Program("passwd", ["passwd"], _PASSWORD),
    Program("less", ["less", "long.txt"], _KEYS, ""),
    Program("less, of a pipe", _bash("cat long.txt long.txt | less"), _KEYS, ""),
    Program("less, without a screen of its own", ["less", "-X", "long.txt"], _KEYS, "long.txt"),
    Program("more", ["more", "long.txt"], _KEYS),
    Program("vim", ["vim", "-u", "NONE", "script.py"], _KEYS, ""),
    Program("nano", ["nano", "script.py"], _KEYS, ""),
    Program("top", ["top"], _KEYS, ""),
    Program("htop", ["htop"], _KEYS, ""),
    Program("node: at its prompt", ["node"], _KEYS, "> "),
    Program("node: readline", ["node", "-e", _ASK], _KEYS, "Name? "),
    Program("perl", ["perl", "-e", "$| = 1; print 'Name: '; <STDIN>"], _LINE, "Name: "),
    Program("bc", ["bc", "-q"], _EDITED, ""),
    Program("gdb", ["gdb", "-q", "-nx"], _KEYS, "(gdb) "),
    Program("sqlite3", ["sqlite3"], _EDITED, "sqlite> "),
    Program("cat", ["cat"], _LINE, ""),
    Program("dd", ["dd", "of=/dev/null"], _LINE, ""),
    Program("script, around read", ["script", "-qc", "read -p 'Name: ' x", "/dev/null"], _KEYS, "Name: ", sure=False),
]  # fmt: skip

_TQDM = "import time, tqdm\nfor _ in tqdm.tqdm(range(1000)): time.sleep(0.7)"
_SERVER = "import socket as s; one = s.create_server(('127.0.0.1', 0)); print('on: ', end='', flush=True); one.accept()"
_BUSY = "import threading\nthreading.Thread(target=input, daemon=True).start()\nwhile True: pass"
_LOOP = "import asyncio; asyncio.run(asyncio.sleep(600))"
_JOIN = "import threading, time; one = threading.Thread(target=time.sleep, args=(600,)); one.start(); one.join()"
_HTTP = "require('http').createServer(() => 0).listen(0, '127.0.0.1', () => console.log('press Ctrl-C to stop'))"

WORKS = [
    Program("sleep", ["sleep", "600"]),
    Program("'Downloading: ', and silence", ["sh", "-c", "printf 'Downloading: '; sleep 600"]),
    Program("'whether gcc works? ', and silence", ["sh", "-c", "printf 'whether gcc works? '; sleep 600"]),
    Program("'Password: ' in a log", ["sh", "-c", "printf 'Password: '; sleep 600"]),
    Program("tqdm", _python(_TQDM)),
    Program("a download, line over line", _bash("while sleep 0.4; do printf '\\robjects: %s%% ' $((++n)); done")),
    Program("a busy loop", _python("while True: pass")),
    Program("a busy loop beside a thread that reads", _python(_BUSY)),
    Program("dd of zeros", ["dd", "if=/dev/zero", "of=/dev/null"]),
    Program("a reader of a pipe", _bash("sleep 600 | cat")),
    Program("a reader of a FIFO", _bash("mkfifo fifo; cat fifo")),
    Program("bash: waits for its child", _bash("sleep 600; true")),
    Program("bash: wait", _bash("sleep 600 & wait")),
    Program("bash: interactive, with a command", ["bash", "--norc", "-ic", "sleep 600; true"]),
    Program("a socket server", _python(_SERVER)),
    Program("node: an HTTP server", ["node", "-e", _HTTP]),
    Program("Python: an HTTP server", [PYTHON, "-m", "http.server", "-b", "127.0.0.1", "0"]),
    Program("Python: asyncio", _python(_LOOP)),
    Program("Python: join", _python(_JOIN)),
    Program("Python: select with a timeout alone", _python("import select; select.select([], [], [], 600)")),
    Program("pytest", [PYTHON, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", "-v", "test_slow.py"]),
    Program("make: a build", ["make", "build"]),
    Program("tail -f", ["tail", "-f", "long.txt"]),
    Program("date every second", _bash("while sleep 1; do date; done")),
]  # fmt: skip


@dataclass
class Seen:
    """What a ptyhost said of a program: what it waited for, in turn, the seconds between the last output and the last
    of them, and the unfinished last line.
    """

    program: Program
    told: list[tuple[str, str, bool]] = field(default_factory=list)
    delay: float = 0.0
    last_line: str = ""

    @property
    def is_right(self) -> bool:
        if not self.program.kinds:
            return not self.told
        return bool(self.told) and self.told[-1][0] in self.program.kinds

    @property
    def looks_like_a_question(self) -> bool:
        return bool(COLON.search(self.last_line) or QUESTION.search(self.last_line))


class Stage:
    """Programs that run side by side, each in a directory of its own. A context."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self._base = Path(tempfile.mkdtemp(prefix="ptytasks-waiting-"))
        self.seen = [Seen(program) for program in programs]
        self._tasks: list[Hosted] = []
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Stage:
        places = [self._base / str(number) / "place" for number in range(len(self.seen))]
        for seen, place in zip(self.seen, places, strict=True):
            _furnish(place, with_repository=seen.program.argv[0] == "git")
        for seen, place in zip(self.seen, places, strict=True):
            task = Hosted(str(place.parent))
            self._tasks.append(task)
            task.start(*seen.program.argv, cwd=str(place), env=_environment(place))
            peer = task.connect(role="link")
            self._note(seen, peer.status)
            peer.socket.setblocking(False)
            self._selector.register(peer.socket, selectors.EVENT_READ, (seen, peer))
        return self

    def __exit__(self, *_: object) -> None:
        for task in self._tasks:
            task.clean_up()
        self._selector.close()
        shutil.rmtree(self._base, ignore_errors=True)

    def watch(self, at_least: float, at_most: float) -> None:
        """Take in what is said for some seconds, and until all that wait were seen to."""
        now = begun = time.monotonic()
        while now < begun + at_least or (now < begun + at_most and not all(seen.is_right for seen in self.seen)):
            for key, _ in self._selector.select(0.1):
                self._hear(*key.data)
            now = time.monotonic()
        for seen, task in zip(self.seen, self._tasks, strict=True):
            seen.last_line = prompt_of(task.output()[-4096:], 24, 80)

    def _hear(self, seen: Seen, peer: Peer) -> None:
        data = peer.socket.recv(1 << 16)
        if not data:
            self._selector.unregister(peer.socket)
        for kind, payload in peer.decoder.feed(data):
            if kind == wire.STATUS:
                self._note(seen, wire.fields(payload))

    def _note(self, seen: Seen, status: dict[str, object]) -> None:
        found = status["waiting"]
        if isinstance(found, dict):
            told = (found["kind"], found["prompt"], found["sure"])
            if not seen.told or seen.told[-1] != told:
                seen.told.append(told)
                seen.delay = time.time() - found["since"]


def _furnish(place: Path, *, with_repository: bool) -> None:
    place.mkdir(parents=True)
    for name, text in FILES.items():
        (place / name).write_text(text)
    if not with_repository:
        return
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(place)]
    for command in (["init", "-q"], ["add", "script.py"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], check=False, env=_environment(place), capture_output=True)
    (place / "script.py").write_text("total = 1\n")


def _environment(place: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    return {**kept, "HOME": str(place), "TERM": "xterm-256color", "PS1": "ready> ", "LESS": "", "PYTHON_HISTORY": ""}


def main() -> None:
    """Print the table."""
    print("| program | waits | reported | after | prompt | last line alone |\n|---|---|---|---|---|---|")
    right = regular = alarms = regular_alarms = 0
    missing = [program.name for program in WAITS + WORKS if not program.is_here]
    for programs, waits in ((WAITS, True), (WORKS, False)):
        here = [program for program in programs if program.is_here]
        for start in range(0, len(here), 4):
            with Stage(here[start : start + 4]) as stage:
                stage.watch(6.0, 30.0)
            for seen in stage.seen:
                kind, prompt, sure = seen.told[-1] if seen.told else ("-", "", True)
                shown = (kind if sure else f"{kind}, not sure") + ("" if seen.is_right else " (wrong)")
                guess = "a question" if seen.looks_like_a_question else "-"
                right += waits and seen.is_right
                alarms += not waits and not seen.is_right
                regular += waits and seen.looks_like_a_question
                regular_alarms += not waits and seen.looks_like_a_question
                delay = f"{seen.delay * 1000:.0f} ms" if seen.told else ""
                text = f"`{prompt}`" if prompt else ""
                row = (seen.program.name, "yes" if waits else "no", shown, delay, text, guess)
                print(f"| {' | '.join(row)} |", flush=True)
    print(f"\nWaits seen: {right}, by the last line alone {regular}. False alarms: {alarms}, {regular_alarms}.")
    print(f"Not installed: {', '.join(missing) or 'nothing'}.")


if __name__ == "__main__":
    try:
        main()
    finally:
        end_starters()
