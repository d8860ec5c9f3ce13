"""The demos as checks of each of their steps: a training, and a sweep, survive the death of the server."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from demo_server import HAS_LAB, until
from demo_terminal import Terminal

if TYPE_CHECKING:
    from demo_server import Place

ROOT = Path(__file__).resolve().parent.parent
NAME = "train"
TRAINING = ["python", str(ROOT / "examples" / "train.py")]
DETACH = b"\x1c\x1c"
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
