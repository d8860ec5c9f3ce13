"""Programs of earlier versions on a host are deleted at the next connection, unless a task needs them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from jupyter_ptytasks.core.files import read_json, write_json
from jupyter_ptytasks.provision.program import program
from tests.client.live import LiveServer, ended, until
from tests.relay.test_relay_programs import age
from tests.ssh.test_ssh_place import BOX, output

if TYPE_CHECKING:
    from tests.ssh.sshd import Sshd

NEEDED, OLD = "1" * 16 + ".pyz", "2" * 16 + ".pyz"


def test_old_programs_are_deleted_when_no_task_there_needs_them(live: LiveServer, sshd: Sshd) -> None:
    with live.client() as client:
        running = client.create("read line; echo $line", place=BOX)
        cache = sshd.there / ".cache/ptytasks"
        assert os.listdir(cache) == [program().name]
        spec = sshd.files(running["id"]).spec
        said = read_json(spec) or {}
        assert said["program"] == program().name
        # As another version has left it.
        write_json(spec, {**said, "program": NEEDED})
        for name in (NEEDED, OLD):
            shutil.copy(cache / program().name, cache / name)
        for path in cache.iterdir():
            age(path, 8)
        sshd.cut()
        until(lambda: set(os.listdir(cache)) == {program().name, NEEDED})
        until(lambda: client.get(running["id"])["connected"])
        client.send_input(running["id"], "still here", newline=True)
        assert "still here" in output(client, ended(client, running["id"]))
        age(cache / NEEDED, 8)
        sshd.cut()
        # Nothing waits for it, and nothing is in the way of a start.
        other = client.create("echo other", place=BOX)
        assert output(client, ended(client, other["id"])) == "other\n"
        until(lambda: os.listdir(cache) == [program().name])
