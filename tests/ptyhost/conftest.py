"""What the tests of the ptyhost share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.oracle.client import xterm
from tests.ptyhost.hosting import Hosted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["xterm"]


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Hosted]:
    """A task to start."""
    task = Hosted(str(tmp_path))
    yield task
    task.clean_up()
