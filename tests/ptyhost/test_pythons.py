"""core and the ptyhost run on every Python from 3.9 on, since clusters often have no newer one."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import jupyter_ptytasks
from jupyter_ptytasks.core import wire

if TYPE_CHECKING:
    from tests.ptyhost.hosting import Hosted

ROOT = Path(jupyter_ptytasks.__file__).parent
VERSIONS = ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"]

pytestmark = pytest.mark.slow


@functools.cache
def find(version: str) -> str | None:
    """Return a Python of this version: from the path, or one that pyenv has made."""
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return sys.executable
    made = glob(os.path.expanduser(f"~/.pyenv/versions/{version}.*/bin/python{version}"))
    for path in [shutil.which(f"python{version}"), *made]:
        # A shim of pyenv is there for versions, too, that are not chosen.
        if path is not None and subprocess.run([path, "-c", ""], capture_output=True).returncode == 0:
            return path
    return None


@pytest.fixture(params=VERSIONS)
def python(request: pytest.FixtureRequest) -> str:
    """The path of a Python."""
    path = find(request.param)
    if path is None:
        pytest.skip(f"there is no Python {request.param} here")
    return path


@pytest.fixture
def _hosted_by(python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start ptyhosts with it."""
    monkeypatch.setattr(sys, "executable", python)


def test_all_modules_can_be_imported(python: str) -> None:
    modules = [
        ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
        for package in ("core", "ptyhost")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "__main__.py"
    ]
    assert len(modules) > 60
    source = f"import importlib, sys; sys.path.append({str(ROOT.parent)!r})\n"
    source += f"for name in {modules}: importlib.import_module(name)"
    done = subprocess.run([python, "-I", "-S", "-B", "-W", "error", "-c", source], capture_output=True, text=True)
    assert done.stderr == ""


@pytest.mark.usefixtures("_hosted_by")
def test_a_task_from_its_start_to_its_end(hosted: Hosted) -> None:
    hosted.start(
        "sh",
        "-c",
        "setsid sleep 1000 >/dev/null 2>&1 </dev/null & seq 20000; read go; kill -STOP $$; echo $go; cat",
        ring={"size": 1 << 20, "segment": 1 << 14},
    )
    hosted.wait_output(b"\n20000\r\n")
    link, viewer = hosted.connect(role="link"), hosted.viewer("one")
    viewer.send(wire.RESIZE, wire.SIZE.pack(40, 100))
    viewer.send(wire.INPUT, b"x" * 5000)
    assert b"line_too_long" in viewer.next(wire.REFUSED)
    viewer.send(wire.INPUT, b"go on\n")
    link.wait_status(lambda status: status["paused"])
    link.send(wire.NOTE, b"[" * 50_000)
    link.send_json(wire.NOTE, peak=1)
    link.send_json(wire.SIGNAL, signal="SIGCONT", target="tree")
    link.wait_status(lambda status: not status["paused"])
    hosted.wait_output(b"go on\r\ngo on\r\n")
    link.send(wire.REPAINT)
    link.send_json(wire.STOP, ladder=[["SIGTERM", 20]], reason="cancelled")
    record = hosted.ended()
    assert (record["signal"], record["reason"], record["notes"]) == ("SIGTERM", "cancelled", {"peak": 1})
    assert record["leftover"]["count"] == 0
    assert hosted.log() == ""


@pytest.mark.usefixtures("_hosted_by")
def test_a_failure_is_in_the_log(hosted: Hosted, package: Path) -> None:
    orders = package / "ptyhost" / "orders.py"
    orders.write_text(orders.read_text() + "\n\ndef read_size(payload):\n    return 1 / 0\n")
    hosted.start("cat")
    hosted.viewer("one").send(wire.RESIZE, wire.SIZE.pack(40, 100))
    hosted.stop()
    hosted.ended()
    assert hosted.log().endswith("ZeroDivisionError: division by zero\n")


@pytest.mark.parametrize("missing", ["_ctypes", "_ctypes ctypes", "_accept"])
def test_without_the_parts_that_are_only_cpythons(hosted: Hosted, package: Path, missing: str) -> None:
    """The code that saves memory has a fallback."""
    if missing == "_accept":
        endpoint = package / "core" / "platform" / "posix" / "endpoint.py"
        endpoint.write_text(endpoint.read_text().replace("import _socket as sockets", "raise ImportError"))
        endpoint.write_text(endpoint.read_text().replace('"_accept"', '"_no_accept"'))
    else:
        main = package / "ptyhost" / "__main__.py"
        hidden = f"import sys\nfor name in {missing.split()}: sys.modules[name] = None\n"
        main.write_text(main.read_text().replace("import os\n", f"{hidden}import os\n", 1))
    hosted.start("sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo pid $!; read go; exit 3")
    hosted.wait_output(b"\r\n")
    link = hosted.connect(role="link")
    hosted.viewer("one").send(wire.INPUT, b"\n")
    link.next(wire.EXIT)
    assert hosted.ended()["code"] == 3
    os.kill(int(hosted.output().split()[1]), signal.SIGKILL)
