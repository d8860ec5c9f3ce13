"""Real ptyhosts for tests: starting one as the server does, sending frames, and waiting for its record."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

import psutil

import jupyter_ptytasks
from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.paths import TaskFiles
from jupyter_ptytasks.core.platform import detach, endpoint, locks, loopback, processes
from jupyter_ptytasks.core.ring.reader import RingReader
from jupyter_ptytasks.provision import local
from jupyter_ptytasks.provision.base import right_away
from jupyter_ptytasks.provision.local import LocalProvisioner
from jupyter_ptytasks.storage.task_dirs import TaskDirs

if TYPE_CHECKING:
    from collections.abc import Callable

#: Wine, where Windows' tests may run, takes its time on a machine that has much to do.
PATIENCE = 60.0 if sys.platform != "win32" else 300.0
#: The ways to connect to a ptyhost: values of PTYTASKS_TRANSPORT. Windows has one.
TRANSPORTS = ("unix", "tcp") if sys.platform != "win32" else ("tcp",)
#: The variable with that directory, for the programs that tests start; each worker of pytest-xdist has its own.
_VARIABLE = f"PTYTASKS_TESTS_STARTERS_{os.environ.get('PYTEST_XDIST_WORKER', '')}"
#: Where the starters of these ptyhosts listen: most tests have the same. Until the session ends.
STARTERS = os.environ.get(_VARIABLE) or tempfile.mkdtemp(prefix="ptytasks-starters-")
os.environ[_VARIABLE] = STARTERS


def end_starters(directory: str = STARTERS) -> None:
    """Kill the starters that listen below `directory`, and remove it if it is that of these tests."""
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "--starter" in command and any(directory + os.sep in word for word in command):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    if directory == STARTERS:
        shutil.rmtree(STARTERS, ignore_errors=True)


def wait_until(condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Return the value of `condition` as soon as it is true; fail after `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience} s: {condition}")
        time.sleep(0.005)


def is_alive(pid: int) -> bool:
    """Return whether a process runs (a zombie does not)."""
    return processes.look(pid) is not None


def _is_on_tcp(path: str) -> bool:
    return path.endswith(endpoint.ON_TCP) or sys.platform == "win32"


def reach(path: str) -> socket.socket:
    """Return a connection to a ptyhost, on which nothing is proven yet. The caller closes it."""
    if _is_on_tcp(path):
        address, _ = loopback.read(path)
        return socket.create_connection(address, timeout=PATIENCE)
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(PATIENCE)
    try:
        peer.connect(path)
    except BaseException:
        peer.close()
        raise
    return peer


def dial(path: str, timeout: float = PATIENCE) -> socket.socket:
    """Return a connection to a ptyhost, proven where that is necessary. The caller closes it."""
    peer = loopback.call(path, PATIENCE) if _is_on_tcp(path) else reach(path)
    peer.settimeout(timeout)
    return peer


class Peer:
    """A connection to a ptyhost, as a server's link or as a viewer."""

    def __init__(self, path: str, *, timeout: float = PATIENCE, **about: Any) -> None:
        self.socket = dial(path, timeout)
        self.decoder = wire.Decoder()
        self.frames: list[tuple[int, bytes]] = []
        try:
            self.socket.sendall(wire.hello(**about))
            self.status = json.loads(self.next(wire.STATUS))
        except BaseException:
            self.socket.close()
            raise

    def send(self, kind: int, payload: bytes = b"") -> None:
        self.socket.sendall(wire.frame(kind, payload))

    def send_json(self, kind: int, **about: Any) -> None:
        self.socket.sendall(wire.json_frame(kind, about))

    def next(self, kind: int) -> bytes:
        """Return the payload of the next frame of this kind, skipping others."""
        while True:
            while self.frames:
                found, payload = self.frames.pop(0)
                if found == kind:
                    return payload
            data = self.socket.recv(1 << 16)
            assert data, "the ptyhost closed the connection"
            self.frames += self.decoder.feed(data)

    def ask_status(self) -> dict[str, Any]:
        """Return the status after everything sent before was handled."""
        self.send(wire.ASK_STATUS)
        status: dict[str, Any] = json.loads(self.next(wire.STATUS))
        return status

    def wait_status(self, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Return the first status sent that fulfills a condition."""
        while True:
            status: dict[str, Any] = json.loads(self.next(wire.STATUS))
            if condition(status):
                return status

    def close(self) -> None:
        self.socket.close()


class Hosted:
    """One task hosted by a real ptyhost in a directory of its own, connected to as the environment says."""

    def __init__(self, directory: str) -> None:
        self.files = TaskFiles(os.path.join(directory, "task"))
        self.socket_path = os.path.join(directory, "run", f"t{local.suffix()}")
        self.peers: list[Peer] = []
        self.pid = self.host_pid = 0
        self.attempt = 1

    def start(self, *argv: str, env: dict[str, str] | None = None, **spec: Any) -> Hosted:
        """Start `argv`. Raises what the provisioner raises."""
        self.prepare(*argv, **spec)
        return self.launch(env)

    def prepare(self, *argv: str, **spec: Any) -> None:
        """Make what there is before a start: the directory and the spec."""
        os.makedirs(self.files.dir, exist_ok=True)
        what: dict[str, Any] = {
            "id": "testtask",
            "attempt": 1,
            "argv": list(argv),
            "cwd": os.path.abspath(os.sep),
            "rows": 24,
            "cols": 80,
            "ladder": [["SIGINT", 0.5], ["SIGTERM", 0.5], ["SIGKILL", 0]],
            "timeout": None,
            "ring": {"size": 64 << 20, "segment": 4 << 20},
            **spec,
        }
        self.attempt = what["attempt"]
        with open(self.files.spec, "w", encoding="utf-8") as file:
            json.dump(what, file)
        with open(self.files.lock, "ab"):
            pass

    def lock(self) -> int:
        """Return the lock, as soon as the ptyhost of a start that has failed is gone."""
        if sys.platform == "win32":
            return int(wait_until(lambda: locks.METHODS[0](self.files.lock, True)))
        import fcntl  # noqa: PLC0415  Windows has no such module

        # A directory may be read-only, which is no reason not to lock a file in it.
        lock = os.open(self.files.lock, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return lock

    def launch(self, env: dict[str, str] | None = None, go: Callable[[], None] = right_away) -> Hosted:
        """Start what was prepared, when `go` has returned. Raises what the provisioner raises."""
        env = env if env is not None else {**os.environ, "TERM": "xterm-256color"}
        lock = self.lock()
        try:
            launched = LocalProvisioner(TaskDirs(""), STARTERS).start(self.files, self.socket_path, lock, env, go)
        finally:
            os.close(lock)
        self.pid, self.host_pid = launched.pid, launched.host_pid
        return self

    def execute(self, env: dict[str, str] | None) -> Hosted:
        """Start what was prepared as servers did before there were starters."""
        program = os.path.join(os.path.dirname(jupyter_ptytasks.__file__), "ptyhost", "__main__.py")
        with open(self.lock(), "rb") as lock, open(self.files.log, "ab") as log:
            options = ("-I", "-S", "-X", "utf8", "-X", "faulthandler")
            done = subprocess.run(
                [sys.executable, *options, program, self.files.dir, self.socket_path, str(lock.fileno())],
                input=b"" if env is None else json.dumps(env).encode(),
                stdout=subprocess.PIPE,
                stderr=log,
                cwd="/",
                env=detach.environment(),
                pass_fds=(lock.fileno(),),
                start_new_session=True,
            )
        report = json.loads(done.stdout)
        self.pid, self.host_pid = report["pid"], report["host_pid"]
        return self

    def python(self, source: str, **spec: Any) -> Hosted:
        """Start a Python program."""
        return self.start(sys.executable, "-u", "-c", source, **spec)

    def connect(self, **about: Any) -> Peer:
        peer = Peer(self.socket_path, **about)
        self.peers.append(peer)
        return peer

    def viewer(self, name: str, *, readonly: bool = False) -> Peer:
        return self.connect(role="viewer", viewer=name, readonly=readonly)

    def output(self) -> bytes:
        with RingReader(self.files.output) as reader:
            return reader.read_range(*reader.bounds())

    def log(self) -> str:
        """What the ptyhost has written to its log."""
        with open(self.files.log, encoding="utf-8") as file:
            return file.read()

    def wait_output(self, text: bytes) -> bytes:
        """Wait until `text` has been written, and return all output."""
        wait_until(lambda: text in self.output())
        return self.output()

    def ended(self, patience: float = PATIENCE) -> dict[str, Any]:
        """Wait for the exit record and for the ptyhost to leave; return the record."""
        wait_until(lambda: os.path.exists(self.files.exit), patience)
        wait_until(lambda: not is_alive(self.host_pid), patience)
        with open(self.files.exit, encoding="utf-8") as file:
            record: dict[str, Any] = json.load(file)
        return record

    def stop(self, *ladder: tuple[str, float], reason: str = "cancelled") -> None:
        link = self.connect(role="link")
        link.send_json(wire.STOP, ladder=list(ladder) or [["SIGKILL", 0]], reason=reason)

    def clean_up(self) -> None:
        """Leave no process behind, whatever the test did."""
        if self.host_pid and is_alive(self.host_pid):
            try:
                self.stop()
                wait_until(lambda: not is_alive(self.host_pid))
            except (OSError, AssertionError):
                os.kill(self.host_pid, signal.SIGKILL)
        for peer in self.peers:
            peer.close()
        shutil.rmtree(self.files.dir, ignore_errors=True)
