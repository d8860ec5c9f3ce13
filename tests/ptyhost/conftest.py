"""What the tests of the ptyhost share."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

import jupyter_ptytasks
from jupyter_ptytasks.provision import local
from tests.oracle.client import xterm
from tests.ptyhost.hosting import SUFFIX, Hosted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["xterm"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of modules with TRANSPORTS over each of these."""
    if "suffix" in metafunc.fixturenames and hasattr(metafunc.module, "TRANSPORTS"):
        metafunc.parametrize("suffix", metafunc.module.TRANSPORTS, indirect=True)


@pytest.fixture
def suffix(request: pytest.FixtureRequest) -> str:
    """The end of a ptyhost's path, which tells how it is connected to."""
    return str(getattr(request, "param", SUFFIX))


@pytest.fixture
def hosted(tmp_path: Path, suffix: str) -> Iterator[Hosted]:
    """A task to start."""
    task = Hosted(str(tmp_path), suffix)
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
