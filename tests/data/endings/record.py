"""Record how real programs end: `python tests/data/endings/record.py [NAME...]` renews endings.jsonl.

Each runs in an empty directory, in a terminal of 40 by 120. A program that is not installed keeps its recording. What
is recorded is the output, the exit code or signal, and how many processes the kernel killed for want of memory; paths
of the machine are replaced.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import sys
import tempfile
import termios
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))
from tests.data.endings.programs import LIMITED, PROGRAMS

ENDINGS = Path(__file__).with_name("endings.jsonl")
_LIMIT = 64 << 20
#: What is replaced: directories that differ between machines, and numbers that differ between runs.
_PATHS = (
    (re.compile(r"/[^\s\"'():│]*?/lib/python(\d\.\d+)/"), r"/usr/lib/python\1/"),
    (re.compile(r"/[^\s\"'():│]*?/(lib/(?:ruby|go-[\d.]+))/"), r"/usr/\1/"),
    (re.compile(r"/[^\s\"'():│]*?/bin/(python|pydata|Rscript|lua|php|ruby|node)"), r"/usr/bin/\1"),
    (re.compile(r"/tmp/go-build\d+"), "/tmp/go-build1"),
)


class Group:
    """A control group with little memory, of version 2 or 1. Raises OSError if none can be made."""

    def __init__(self) -> None:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        paths = {line.split(":")[1]: line.split(":")[2] for line in lines}
        old = "memory" in paths
        above = Path("/sys/fs/cgroup", *(["memory"] if old else []), paths["memory" if old else ""].lstrip("/"))
        self.path = above / f"endings-{os.getpid()}"
        self.path.mkdir()
        (self.path / ("memory.limit_in_bytes" if old else "memory.max")).write_text(str(_LIMIT))
        self._events = self.path / ("memory.oom_control" if old else "memory.events")

    def kills(self) -> int:
        """Return how many processes were killed in it."""
        return int(dict(line.split() for line in self._events.read_text().splitlines())["oom_kill"])


def record(name: str) -> dict[str, Any] | None:
    """Run a program and return its ending; None if it cannot be run here."""
    files, command = PROGRAMS[name]
    program = re.sub(r"^(exec|set -o pipefail;) ", "", command).split()[0]
    if re.match(r"(python|pydata|Rscript|go|lua|php|ruby|node|java|rustc|perl|fish|zsh)", program) and not shutil.which(
        program
    ):
        return None
    group = Group() if name in LIMITED else None
    with tempfile.TemporaryDirectory() as top:
        home = Path(top, "work")
        for path, text in files.items():
            Path(home, path).parent.mkdir(parents=True, exist_ok=True)
            Path(home, path).write_text(text)
        home.mkdir(exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": top,
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "RUSTUP_HOME": os.path.expanduser("~/.rustup"),
        }
        pid, fd = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
            if group is not None:
                (group.path / "cgroup.procs").write_text(str(os.getpid()))
            os.chdir(home)
            os.execvpe("bash", ["bash", "-c", command], environment)
        output = bytearray()
        while True:
            try:
                output += os.read(fd, 65536)
            except OSError:
                break
        os.close(fd)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        text = output.decode(errors="replace").replace(str(home), "/home/me/work").replace(top, "/home/me")
    for pattern, by in _PATHS:
        text = pattern.sub(by, text)
    found: dict[str, Any] = {"name": name, "code": code if code >= 0 else None}
    found["signal"] = signal.Signals(-code).name if code < 0 else None
    if group is not None:
        found["oom_kills"], found["limit"] = group.kills(), _LIMIT
        group.path.rmdir()
    return {**found, "output": text}


def main() -> None:
    """Record the endings asked for, or all that can be had here."""
    known = {}
    if ENDINGS.exists():
        known = {one["name"]: one for one in map(json.loads, ENDINGS.read_text().splitlines())}
    for name in sys.argv[1:] or PROGRAMS:
        try:
            found = record(name)
        except OSError as error:
            print(f"{name}: {error}")
            continue
        if found is None:
            print(f"{name}: not installed")
        else:
            known[name] = found
            print(f"{name}: {found['signal'] or found['code']}")
    lines = [json.dumps(known[name], ensure_ascii=False) for name in PROGRAMS if name in known]
    ENDINGS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
