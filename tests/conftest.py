"""Shared by all tests: a deterministic hypothesis profile, pytest-jupyter's real server in its own directories, and a
small disk that fills up.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.ptyhost import hosting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = ["pytest_jupyter.jupyter_server", "jupyter_events.pytest_plugin"]

settings.register_profile(
    "tests",
    derandomize=True,
    deadline=None,
    max_examples=int(os.environ.get("PTYTASKS_EXAMPLES", "150")),
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
settings.register_profile("tests-random", settings.get_profile("tests"), derandomize=False)
settings.load_profile(os.environ.get("PTYTASKS_PROFILE", "tests"))


def pytest_sessionfinish() -> None:
    """Leave no process behind, in the workers of pytest-xdist either: they do not come to their exit handlers."""
    hosting.end_starters()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    if os.getuid() != 0:
        pytest.skip("only root can mount a small file system")
    path = tmp_path / "small"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(path)], check=False)
    if mounted.returncode != 0:
        pytest.skip("this container may not mount a file system")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)
