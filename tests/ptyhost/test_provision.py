"""Starting ptyhosts: with a Python that needs help to start, and from a server that is the first process of a
container.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ptyhost.hosting import Hosted

NEEDED = [
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "NIX_LD_LIBRARY_PATH",
    "PYTHONPLATLIBDIR",
]


@pytest.mark.parametrize("name", NEEDED)
def test_a_python_that_finds_its_libraries_by_a_variable(
    hosted: Hosted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\n[ "${name}" = lib ] || exit 127\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    value = "lib" if name != "PYTHONPLATLIBDIR" else sys.platlibdir
    python.write_text(python.read_text().replace("= lib", f"= {value}"))
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv(name, value)
    hosted.start("true")
    assert hosted.ended()["code"] == 0


def test_a_python_that_finds_its_modules_by_a_variable(
    hosted: Hosted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PYTHONHOME: the standard library was moved, and one of its modules shows whether it is the moved one."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    library = tmp_path / "home" / "lib" / version
    library.mkdir(parents=True)
    for entry in os.scandir(os.path.dirname(os.__file__)):
        (library / entry.name).symlink_to(entry.path)
    (library / "struct.py").unlink()
    with open(os.path.join(os.path.dirname(os.__file__), "struct.py"), encoding="utf-8") as file:
        (library / "struct.py").write_text(file.read() + f"\nopen({str(tmp_path / 'told')!r}, 'w').close()\n")
    monkeypatch.setenv("PYTHONHOME", str(tmp_path / "home"))
    # Nothing else of Python's variables is heeded.
    monkeypatch.setenv("PYTHONSTARTUP", "/no/such")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "signal.py").write_text("raise SystemExit('not this one')")
    hosted.start("sh", "-c", "echo $PYTHONHOME")
    assert hosted.ended()["code"] == 0
    assert hosted.output() == f"{tmp_path / 'home'}\r\n".encode()
    assert (tmp_path / "told").exists()


FIRST = textwrap.dedent(
    """
    import ctypes, os, subprocess, sys, time
    from jupyter_ptytasks.provision import local
    from tests.ptyhost import hosting
    # What ends below us without a parent becomes our child, as that of a container's first process.
    assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0
    starters = sys.argv[1] + "/starters"
    provisioner = local.LocalProvisioner(None, starters)
    hosting.LocalProvisioner = lambda *_: provisioner
    # A child that another part waits for.
    other = subprocess.Popen(["true"])
    tasks = []
    for number in range(3):
        task = hosting.Hosted(f"{sys.argv[1]}/{number}")
        task.start("sh", "-c", "exit 3" if number else "cat")
        tasks.append(task)
    def state(pid):
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                return file.read().rpartition(b")")[2].split()[0].decode()
        except OSError:
            return ""
    for task in tasks[1:]:
        hosting.wait_until(lambda: state(task.host_pid) in ("Z", ""))
    zombies = [state(task.host_pid) for task in tasks[1:]]
    provisioner.reap()
    print(zombies, [state(task.host_pid) for task in tasks[1:]], state(tasks[0].host_pid) in "RSD", state(other.pid))
    print(other.wait())
    tasks[0].stop()
    hosting.wait_until(lambda: provisioner.reap() or not state(tasks[0].host_pid))
    for task in tasks:
        task.clean_up()
    # The starter is this process's child, too, and is waited for.
    hosting.end_starters(starters)
    hosting.wait_until(lambda: provisioner.reap() or not hosting.psutil.Process().children(recursive=True))
    """
)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl is Linux's")
def test_the_first_process_of_a_container_waits_for_its_ptyhosts(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    # The last one started has waited for the ones before it.
    assert done.stdout.splitlines() in (
        ["['', 'Z'] ['', ''] True Z", "0"],
        ["['Z', 'Z'] ['', ''] True Z", "0"],
    ), done.stderr


def test_others_do_not(hosted: Hosted) -> None:
    """A ptyhost has no parent."""
    hosted.start("sleep", "1000")
    with pytest.raises(ChildProcessError):
        os.waitpid(hosted.host_pid, os.WNOHANG)
