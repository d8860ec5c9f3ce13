"""Shared by the tests of the ptyhost."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

import jupyter_ptytasks
from jupyter_ptytasks.provision import local
from tests.oracle.client import xterm
from tests.ptyhost.hosting import TRANSPORTS, Hosted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["xterm"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what has a ptyhost over each way to connect to one, or over those that its module names in TRANSPORTS."""
    if "transport" in metafunc.fixturenames:
        transports = getattr(metafunc.module, "TRANSPORTS", TRANSPORTS)
        metafunc.parametrize("transport", transports, indirect=True)


@pytest.fixture(scope="module")
def transport(request: pytest.FixtureRequest) -> Iterator[str]:
    """How the ptyhosts of a test are connected to, those of the programs that it starts, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PTYTASKS_TRANSPORT", request.param)
        yield request.param


@pytest.fixture
def hosted(tmp_path: Path, transport: str) -> Iterator[Hosted]:
    """A task to start."""
    task = Hosted(str(tmp_path))
    yield task
    task.clean_up()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Start ptyhosts of a copy of the package; return it, for changes."""
    copy = tmp_path / "site" / "jupyter_ptytasks"
    original = os.path.dirname(jupyter_ptytasks.__file__)
    shutil.copytree(original, copy, ignore=shutil.ignore_patterns("__pycache__", "labextension"))
    monkeypatch.setattr(local, "_MAIN", str(copy / "ptyhost" / "__main__.py"))
    return copy
