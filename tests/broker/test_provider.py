"""Requests that a broker refuses, and its responses if Parsl or its provider misbehaves."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.broker.provider import Provider, Refused
from jupyter_ptytasks.core.errors import StartUnknown
from jupyter_ptytasks.provision.broker import Broker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WITHOUT_PARSL = """\
import sys
sys.modules["parsl"] = None
import runpy
runpy.run_module("jupyter_ptytasks.broker", run_name="__main__")
"""
LOCAL = {"provider": "LocalProvider", "options": {}}
needs_parsl = pytest.mark.skipif(importlib.util.find_spec("parsl") is None, reason="Parsl is not installed")


def test_without_parsl_it_says_what_to_install() -> None:
    asked = json.dumps(LOCAL) + "\n"
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PARSL], input=asked, capture_output=True, text=True, timeout=60
    )
    assert "pip install 'jupyter_ptytasks[parsl]'" in json.loads(done.stdout)["error"]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """Yield one for processes of this machine, which Parsl takes for jobs, too."""
    found = Broker(LOCAL, {"PATH": os.environ["PATH"]}, str(tmp_path / "places" / "log"))
    yield found
    found.close()


@needs_parsl
def test_a_job_is_noted_and_known_to_the_next_broker(broker: Broker, tmp_path: Path) -> None:
    handle = tmp_path / "handle.json"
    handle.write_text('{"attempt": 1}')
    command = f"echo begun > {tmp_path}/begun; exec sleep 1000"
    about = {"command": command, "name": "job", "directory": str(tmp_path / "job"), "handle": str(handle)}
    job = broker.ask("submit", **about)["job"]
    noted = json.loads(handle.read_text())
    assert (noted["attempt"], noted["job"]) == (1, job)
    asked = {job: noted["kept"]}
    assert broker.ask("states", jobs=asked) == {"states": {job: "RUNNING"}}
    broker.close()
    assert broker.ask("states", jobs=asked) == {"states": {job: "RUNNING"}}
    assert broker.ask("cancel", job=job, kept=noted["kept"]) == {"done": True}
    assert os.stat(tmp_path / "job").st_mode & 0o77 == 0


@needs_parsl
def test_a_failure_ends_neither_the_broker_nor_what_is_known(broker: Broker, tmp_path: Path) -> None:
    handle = str(tmp_path / "nowhere" / "handle.json")
    about: dict[str, Any] = {"command": "true", "name": "job", "directory": str(tmp_path / "job"), "handle": handle}
    with pytest.raises(StartUnknown, match="FileNotFoundError"):
        broker.ask("submit", **about)
    with pytest.raises(StartUnknown):
        broker.ask("cancel", job="1")
    assert broker.ask("states", jobs={}) == {"states": {}}
    assert broker.limit() is None or isinstance(broker.limit(), float)


@needs_parsl
def test_invalid_configuration_is_reported_with_its_field() -> None:
    for provider, options, said in (
        ("NoSuchProvider", {}, "provider: Parsl has no 'NoSuchProvider'"),
        ("SlurmProvider", {"colour": 1}, "options.colour: "),
        ("SlurmProvider", {"launcher": 1}, "options.launcher: "),
        ("SlurmProvider", {"partition": 1}, "options: SlurmProvider rejects them: "),
    ):
        with pytest.raises(Refused, match=re.escape(said)):
            Provider(provider, options)
