"""The wheel: what a user gets by `pip install`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import jupyter_ptytasks

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel, built from a copy of the sources."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "jupyter_ptytasks", source / "jupyter_ptytasks", ignore=without)
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", target, source],
        capture_output=True,
        text=True,
    )
    if "hatchling" in built.stderr and "No module named" in built.stderr:
        pytest.skip("hatchling is not installed here")
    assert built.returncode == 0, built.stderr
    (path,) = target.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_its_name_tells_the_version(wheel: zipfile.ZipFile) -> None:
    assert f"/jupyter_ptytasks-{jupyter_ptytasks.__version__}-py3-none-any.whl" in str(wheel.filename)
    metadata = wheel.read(f"jupyter_ptytasks-{jupyter_ptytasks.__version__}.dist-info/METADATA").decode()
    assert f"\nVersion: {jupyter_ptytasks.__version__}\n" in metadata


def test_the_extension_is_switched_on(wheel: zipfile.ZipFile) -> None:
    data = f"jupyter_ptytasks-{jupyter_ptytasks.__version__}.data/data"
    config = json.loads(wheel.read(f"{data}/etc/jupyter/jupyter_server_config.d/jupyter_ptytasks.json"))
    assert config == {"ServerApp": {"jpserver_extensions": {"jupyter_ptytasks": True}}}


def test_every_source_and_schema_is_in_it(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert "jupyter_ptytasks/events/task_state/v1.yaml" in names
    assert "jupyter_ptytasks/py.typed" in names
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "jupyter_ptytasks").rglob("*.py")}
    assert sources <= names
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "docs", "scripts"))]


def test_the_command_is_installed(wheel: zipfile.ZipFile) -> None:
    points = wheel.read(f"jupyter_ptytasks-{jupyter_ptytasks.__version__}.dist-info/entry_points.txt").decode()
    assert "jupyter-ptytasks = jupyter_ptytasks.cli:main" in points
