"""Shared by the tests on Windows: timeouts that are long enough for Wine on a busy machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.provision import local
from tests.ptyhost.hosting import PATIENCE, Hosted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ptyhosts take their time to start."""
    monkeypatch.setattr(local, "_PATIENCE", PATIENCE)


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Hosted]:
    """A task to start."""
    task = Hosted(str(tmp_path))
    yield task
    task.clean_up()
