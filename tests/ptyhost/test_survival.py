"""A ptyhost survives the death of its parent, a hang-up, and an upgrade of the package."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import jupyter_ptytasks
from tests.ptyhost.hosting import Hosted, is_alive, wait_until

if TYPE_CHECKING:
    from pathlib import Path

STARTER = textwrap.dedent(
    """
    import json, sys
    from tests.ptyhost.hosting import Hosted
    task = Hosted(sys.argv[1])
    task.start("sh", "-c", "echo started; read line; echo got $line")
    print(json.dumps([task.pid, task.host_pid]), flush=True)
    sys.stdin.read()
    """
)


def test_it_survives_kill_9_of_the_group_that_started_it_and_its_terminals_hang_up(
    hosted: Hosted, tmp_path: Path
) -> None:
    master, slave = os.openpty()
    command = [sys.executable, "-c", STARTER, str(tmp_path)]
    with subprocess.Popen(command, stdin=slave, stdout=subprocess.PIPE, start_new_session=True) as starter:
        assert starter.stdout is not None
        hosted.pid, hosted.host_pid = json.loads(starter.stdout.readline())
        os.killpg(starter.pid, signal.SIGKILL)
    os.close(slave)
    os.close(master)
    viewer = hosted.viewer("one")
    viewer.send(1, b"me\r")
    assert hosted.ended()["code"] == 0
    assert hosted.output().endswith(b"got me\r\n")


def test_it_survives_an_upgrade_under_its_feet(hosted: Hosted, tmp_path: Path) -> None:
    copy = tmp_path / "site" / "jupyter_ptytasks"
    shutil.copytree(os.path.dirname(jupyter_ptytasks.__file__), copy, ignore=shutil.ignore_patterns("__pycache__"))
    starter = STARTER.replace("import json, sys", f"import json, sys; sys.path.insert(0, {str(copy.parent)!r})", 1)
    done = subprocess.run(
        [sys.executable, "-c", starter, str(tmp_path)], stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    hosted.pid, hosted.host_pid = json.loads(done.stdout)
    with open(f"/proc/{hosted.host_pid}/cmdline", encoding="utf-8") as file:
        assert str(copy) in file.read()
    # No installer is as quick as to come between its start and its first look at the terminal.
    hosted.viewer("none").close()
    shutil.rmtree(copy)
    # Everything that it may ever need: floods over many segments, the full screen, sizes, signals, the end.
    link = hosted.connect(role="link")
    viewer = hosted.viewer("one")
    viewer.send(2, b"\x00\x28\x00\x64")
    link.send_json(3, signal="SIGSTOP", target="tree")
    link.send_json(3, signal="SIGCONT", target="tree")
    viewer.send(8, b"\x1b[0n")
    link.send(9)
    viewer.send(1, b"me\r")
    assert hosted.ended()["code"] == 0
    with open(os.path.join(hosted.files.dir, "host.log"), encoding="utf-8") as log:
        assert log.read() == ""


def test_kill_9_of_the_host_hangs_the_job_up(hosted: Hosted, tmp_path: Path) -> None:
    told = tmp_path / "told"
    hosted.start("sh", "-c", f"trap 'echo hup > {told}; exit' HUP; echo ready; while :; do sleep 0.05; done")
    hosted.wait_output(b"ready")
    os.kill(hosted.host_pid, signal.SIGKILL)
    wait_until(told.exists)
    wait_until(lambda: not is_alive(hosted.pid))
    assert hosted.output() == b"ready\r\n"
    assert not os.path.exists(hosted.files.exit)


def test_sigterm_to_the_host_stops_the_task_and_is_recorded(hosted: Hosted) -> None:
    hosted.start("sleep", "100")
    os.kill(hosted.host_pid, signal.SIGTERM)
    record = hosted.ended()
    assert (record["reason"], record["signal"]) == ("host_terminated", "SIGINT")
