"""Start JupyterLab and a training as a task, and show it; or, with --check, see that it outlives the server.

With --slurm, the task is a job of a Slurm of two nodes that is started for that. `scripts/demo` runs this with the
project installed. All that it writes is below .demo/.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import re
import select
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil

from jupyter_ptytasks.cli import values as human
from jupyter_ptytasks.client import Client, ClientError, exit_status, is_live
from jupyter_ptytasks.core.model import COLS, ROWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.slurm.cluster import Cluster

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.prefix) / "bin"
#: Without it there is the command line.
HAS_LAB = (BIN / "jupyter-lab").exists()
NAME = "train"
TRAINING = ["python", str(ROOT / "examples" / "train.py")]
#: Seconds that anything but the training may take.
PATIENCE = 60.0
PANEL = "jp-ptytasks-panel"
#: As JupyterLab keeps it.
LAYOUT = {
    "main": {"dock": None, "current": None},
    "left": {"collapsed": False, "visible": True, "current": PANEL, "widgets": [PANEL]},
    "right": {"collapsed": True, "visible": True, "widgets": []},
    "relativeSizes": [0.25, 0.75, 0],
}
DETACH = b"\x1c\x1c"


class Place:
    """A Jupyter server with a home of its own, which the command line finds by itself. With a cluster its training is
    a job there.
    """

    def __init__(self, home: Path, cluster: Cluster | None = None) -> None:
        self.home = home
        self.cluster = cluster
        #: Options of `run`.
        self.where = ["--place", "slurm", "--cpus", "2", "--time", "10m"] if cluster is not None else []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{probe.getsockname()[1]}/"
        self.token = os.urandom(16).hex()
        self.server: subprocess.Popen[bytes] | None = None
        env = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_", "PTYTASK"))}
        if cluster is not None:
            env["SLURM_CONF"] = str(cluster.config)
        places = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        self.env = {**env, **places, "HOME": str(home), "PATH": f"{BIN}{os.pathsep}{env.get('PATH', os.defpath)}"}

    def start(self) -> None:
        """Start the server; return when it answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        face = "lab" if HAS_LAB else "server"
        port = self.url.rstrip("/").rpartition(":")[2]
        with (self.home / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                [
                    *(str(BIN / "jupyter"), face, "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
                    *(
                        f"--ServerApp.port={port}",
                        "--ServerApp.port_retries=0",
                        f"--IdentityProvider.token={self.token}",
                    ),
                ],
                cwd=self.home,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self._answers, f"the server (see {self.home / 'server.log'})")

    def _answers(self) -> bool:
        if self.server is None or self.server.poll() is not None:
            raise AssertionError(f"the server has ended; see {self.home / 'server.log'}")
        try:
            with self.client() as client:
                client.status()
        except ClientError:
            return False
        return True

    def furnish(self) -> None:
        """Have JupyterLab open with the panel of tasks in front, and without asking about news. What the user has
        made of it since then stays.
        """
        config = self.home / "config" / "labconfig" / "page_config.json"
        if config.exists():
            return
        config.parent.mkdir(parents=True)
        config.write_text(json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}))
        workspace = self.home / "workspace.json"
        workspace.write_text(json.dumps({"data": {"layout-restorer:data": LAYOUT}, "metadata": {"id": "default"}}))
        command = [str(BIN / "jupyter"), "lab", "workspaces", "import", str(workspace)]
        subprocess.run(command, cwd=self.home, env=self.env, check=True, capture_output=True)

    def client(self) -> Client:
        """Return a client of the server; the caller closes it."""
        return Client(self.url, self.token)

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `jupyter ptytasks`."""
        command = [str(BIN / "jupyter"), "ptytasks", *arguments]
        options: dict[str, Any] = {"text": True, "capture_output": True, "timeout": PATIENCE}
        return subprocess.run(command, cwd=self.home, env=self.env, check=False, **options)

    def stop(self) -> None:
        """End the task, and then the server."""
        if self.server is None:
            return
        try:
            if self.server.poll() is not None:
                self.start()
            with self.client() as client:
                for task in client.list()["tasks"]:
                    if is_live(task):
                        client.stop(task["id"])
                        client.wait(task["id"], PATIENCE)
        finally:
            server, self.server = self.server, None
            server.terminate()
            server.wait(PATIENCE)
            for process in self.processes():
                # It would wait some minutes for the next task.
                if "--starter" in process.info["cmdline"]:
                    process.terminate()

    def processes(self) -> list[psutil.Process]:
        """Return what still runs in this home, or works for it."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            try:
                is_ours = process.environ().get("HOME") == str(self.home) or any(
                    word.startswith(str(self.home) + os.sep) for word in process.info["cmdline"]
                )
                if is_ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found


def until(condition: Callable[[], Any], what: str) -> Any:
    """Return the first true value of `condition()`. Raises AssertionError if that takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.05)
    return found


# -- for a person -----------------------------------------------------------------------------------------------------


def show(place: Place) -> None:
    """Start a training and show what becomes of it, until Ctrl-C."""
    print("starting JupyterLab ..." if HAS_LAB else "starting a Jupyter server ...", flush=True)
    if HAS_LAB:
        place.furnish()
    place.start()
    started = place.cli("run", "--name", NAME, "--if-exists", "return", *place.where, "--", *TRAINING)
    if started.returncode:
        raise AssertionError(started.stderr)
    address = f"{place.url}?token={place.token}"
    page = "lab" if HAS_LAB else f"ptytasks/api/tasks/{NAME}"
    command = f"{os.path.relpath(BIN)}/jupyter ptytasks --url '{address}'"
    print(f"started task {started.stdout.strip()}")
    print(f"  open    {place.url}{page}?token={place.token}")
    print(f"  attach  {command} attach {NAME}      (Ctrl-\\ twice detaches)")
    print(f"  stop    {command} stop {NAME}")
    if place.cluster is not None:
        print(f"  squeue  SLURM_CONF={os.path.relpath(place.cluster.config)} squeue")
    print("  Press Ctrl-C here to stop both the task and the server\n")
    with place.client() as client:
        while True:
            task = client.get(NAME)
            last = client.output(NAME, mode="tail", tail_lines=1)["output"].strip()
            line = f"{NAME}: {task['state']}  {human.duration(human.runtime(task) or 0)}  {last}"
            print(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)
            if not is_live(task):
                break
            time.sleep(0.5)
        print(f"\nthe task has ended with exit code {exit_status(task)}; press Ctrl-C to stop the server", flush=True)
    signal.pause()


# -- for CI -----------------------------------------------------------------------------------------------------------

EPOCHS, SECONDS = 28, 28
LINE = re.compile(r"^epoch (\d+)/\d+  loss \S+  accuracy \S+", re.MULTILINE)


def check(place: Place) -> None:
    """Show that a training survives the death of the server, and check each step."""
    place.start()
    tick("a Jupyter server responds")
    if HAS_LAB:
        page = httpx.get(f"{place.url}lab", headers={"Authorization": f"token {place.token}"}).raise_for_status().text
        expect('"jupyter-ptytasks"' in page, "JupyterLab does not have the panel")
        tick("JupyterLab has the panel")
    command = [*TRAINING, "--epochs", str(EPOCHS), "--seconds", str(SECONDS)]
    code = 0
    if place.cluster is not None:
        code = 7
        command = [f"{shlex.join(command)} && exit {code}"]
    started = place.cli("run", "--name", NAME, *place.where, "--", *command)
    expect(started.returncode == 0, started.stderr)
    task_id = started.stdout.split()[0]
    with place.client() as client:
        if place.cluster is not None:
            job = until(lambda: client.get(NAME)["job"], "its job")["id"]
            tick(f"submitted job {job}: {place.cluster.state(job)}")
        until(lambda: client.get(NAME)["state"] == "running", "it to run")
        pid = client.get(NAME)["pid"]
        tick(f"launched: {started.stdout.strip()} (pid {pid})")

        with Terminal(place, "attach", NAME) as terminal:
            terminal.until(rb"epoch 2/\d+  loss")
            tick("attached in a terminal, and saw the training")
            terminal.type(DETACH)
            expect(terminal.end() == 0, "detaching has not exited with 0")
        expect(client.get(NAME)["state"] == "running", "it does not keep running after detaching")
        tick("detached; the task keeps running")

    before = lines_on_disk(place, task_id)
    os.killpg(place.server.pid, signal.SIGKILL)  # type: ignore[union-attr]  # it was started
    place.server.wait()  # type: ignore[union-attr]
    until(lambda: len(lines_on_disk(place, task_id)) > len(before) + 1, "it to train on without a server")
    tick("killed the server with kill -9; the training continues without it")

    place.start()
    with place.client() as client:
        task = client.get(NAME)
        expect((task["id"], task["state"], task["pid"]) == (task_id, "running", pid), f"it is {task}")
        tick("restarted the server: the same task, id and process, still running")
        seen = LINE.findall(place.cli("logs", NAME).stdout)
        expect(seen == [str(number) for number in range(1, len(seen) + 1)] and len(seen) > len(before), f"seen {seen}")
        tick(f"the output is complete: epochs 1 to {len(seen)}")

        with Terminal(place, "attach", NAME) as terminal:
            terminal.until(rb"epoch 1/\d+  loss")
            terminal.until(b"epoch %d/" % (len(seen) + 1) + rb"\d+  loss")
            tick("reattached: the missed output is there, and new output follows")
            expect(terminal.end() == code, "the task's exit code has not become that of attach")
        waited = place.cli("wait", NAME)
        expect(waited.returncode == code, waited.stderr)
        tick(f"waited: {waited.stdout.strip()}")
        if place.cluster is not None:
            cluster = place.cluster
            until(lambda: cluster.code(job) == f"{code}:0", f"Slurm to say the same: it says {cluster.code(job)}")
            tick(f"Slurm says the same: job {job} is {cluster.state(job)}, exit code {cluster.code(job)}")
        told = [found[0] for found in LINE.finditer(place.cli("logs", NAME).stdout)]
        raw = client.raw(NAME)
        expect((raw.offset, raw.next) == (0, client.get(NAME)["output"]["end"]), "bytes are missing")

    undisturbed = [sys.executable, *TRAINING[1:], "--epochs", str(EPOCHS), "--seconds", "0"]
    alone = subprocess.run(undisturbed, cwd=place.home, text=True, capture_output=True, check=True).stdout
    expect(told == [found[0] for found in LINE.finditer(alone)] and len(told) == EPOCHS, f"there is {told}")
    tick(f"all {EPOCHS} lines are there once, as in an undisturbed training")

    place.stop()
    until(lambda: not place.processes(), "all processes to be gone")
    tick("stopped the server; no process is left")


def check_sweep(place: Place) -> None:
    """Show that a sweep of six on two slots survives the deaths of the server and of the scheduler."""
    place.start()
    log = place.home / "sweep.log"
    group = place.cli("group", "two", "--slots", "2")
    expect(group.returncode == 0, group.stderr)
    line = f"echo begin {{lr}} {{seed}} >> {log}; sleep 2; echo end {{lr}} {{seed}} >> {log}"
    line += "; [ $PTYTASK_ATTEMPT = 2 ] || [ {seed} != 1 ]"
    made = place.cli("sweep", "--lr", "1e-3,1e-4", "--seed", "0:3", "-n", "six", "-g", "two", "--", line)
    expect(made.returncode == 0, made.stderr)
    tick(f"queued a sweep: {made.stdout.strip()}, on two slots")

    until(lambda: len(said(log, "begin")) >= 2, "the first two")
    os.killpg(place.server.pid, signal.SIGKILL)  # type: ignore[union-attr]  # it was started
    place.server.wait()  # type: ignore[union-attr]
    scheduler = int(json.loads((place.home / "data" / "ptytasks" / "scheduler.pid.json").read_text())["pid"])
    os.kill(scheduler, signal.SIGKILL)
    tick("killed the server and the scheduler with kill -9")
    most = 0

    def all_have_ended() -> bool:
        nonlocal most
        most = max(most, len(said(log, "begin")) - len(said(log, "end")))
        return len(said(log, "end")) == 6

    until(all_have_ended, "all six to run without a server")
    expect(sorted(set(said(log, "begin"))) == sorted(said(log, "begin")), f"some ran twice: {said(log, 'begin')}")
    expect(most == 2, f"{most} ran at the same time")
    tick("all six have run once, two at a time, without a server")

    place.start()
    waited = place.cli("sweep", "six", "--wait")
    expect((waited.returncode, waited.stdout) == (1, "4 succeeded, 2 failed\n"), f"it said {waited}")
    tick(f"restarted the server: {waited.stdout.strip()}")
    again = place.cli("retry", "six")
    expect("2 tasks queued again" in again.stdout, f"it said {again}")
    waited = place.cli("sweep", "six", "--wait")
    expect((waited.returncode, waited.stdout) == (0, "6 succeeded\n"), f"it said {waited}")
    expect(len(said(log, "begin")) == 8, f"begun: {said(log, 'begin')}")
    tick("ran again only what had failed: 6 succeeded")
    place.stop()
    until(lambda: not place.processes(), "all processes to be gone")
    tick("stopped the server; no process is left, the scheduler has left by itself")


def said(log: Path, word: str) -> list[str]:
    """Return what follows a word at the beginning of lines."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [line.removeprefix(f"{word} ") for line in lines if line.startswith(word)]


def lines_on_disk(place: Place, task_id: str) -> list[str]:
    """Return the epochs in the ring, read from its files."""
    output = place.home / "data" / "ptytasks" / "tasks" / task_id / "output"
    text = b"".join(path.read_bytes() for path in sorted(output.glob("*.log")))
    return LINE.findall(text.decode("utf-8", "replace").replace("\r", "\n"))


def tick(text: str) -> None:
    """Print that a step has succeeded."""
    print(f"  ✓ {text}", flush=True)


def expect(holds: bool, what: str) -> None:
    """Raise AssertionError unless it holds."""
    if not holds:
        raise AssertionError(what)


class Terminal:
    """A command of `jupyter ptytasks` in a terminal of its own."""

    def __init__(self, place: Place, *arguments: str) -> None:
        self._seen = b""
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            # The size that the task has: a bar that is drawn for another width wraps, and a line begins behind it.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLS, 0, 0))
            os.chdir(place.home)
            os.execve(BIN / "jupyter", ["jupyter", "ptytasks", *arguments], place.env)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def type(self, keys: bytes) -> None:
        """Type."""
        os.write(self._fd, keys)

    def until(self, pattern: bytes) -> None:
        """Wait until the pattern is seen; what is behind it is kept."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self._seen)):
            if time.monotonic() > deadline or not self._read():
                raise AssertionError(f"waited in vain for {pattern!r}; there is {self._seen[-1000:]!r}")
        self._seen = self._seen[found.end() :]

    def end(self) -> int:
        """Wait for the end of the command, and give its exit code."""
        while self._read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _read(self) -> bytes:
        if not select.select([self._fd], [], [], PATIENCE)[0]:
            return b""
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:
            return b""  # the command has ended
        self._seen += data
        return data


def main() -> int:
    """Run what the arguments say, and clean up."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--check", action="store_true", help="run the whole demo unattended; exit with 0 if every step worked"
    )
    parser.add_argument(
        "--slurm", action="store_true", help="train on a two-node Slurm cluster, which is started on this machine"
    )
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    home, cluster = ROOT / ".demo" / ("check" if arguments.check else "home"), None
    if arguments.slurm:
        # Its jobs are counted from 1 each time: tasks of another time would be taken for them.
        home = home.with_name("slurm")
        shutil.rmtree(home, ignore_errors=True)
        (home / "cluster").mkdir(parents=True)
        # At the end: the project itself is the one that is installed.
        sys.path.append(str(ROOT))
        from tests.slurm.cluster import Cluster  # noqa: PLC0415  it is not installed

        cluster = Cluster(home / "cluster")
    elif arguments.check:
        shutil.rmtree(home, ignore_errors=True)
    place = Place(home, cluster)
    stories = (check, check_sweep) if arguments.check else (show,)
    try:
        if cluster is not None:
            cluster.start()
            tick(f"a Slurm of two nodes runs: {' '.join(cluster.run('sinfo', '-h', '-o', '%P').split())}")
        for story in stories[:1] if arguments.slurm else stories:
            story(place)
        return 0
    except (AssertionError, ClientError, subprocess.TimeoutExpired) as error:
        print(f"  ✗ {error}", flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nending the task and the server ...", flush=True)
        return 0
    finally:
        place.stop()
        if cluster is not None:
            cluster.stop()
        if not arguments.check:
            print("all has ended")


if __name__ == "__main__":
    sys.exit(main())
