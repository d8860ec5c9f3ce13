"""Modules import only from lower layers: the contracts are in setup.cfg, and import-linter checks them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent


def test_the_contracts_are_kept() -> None:
    checked = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--config", "setup.cfg", "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "6 kept, 0 broken" in checked.stdout


@pytest.mark.parametrize("package", ["core", "ptyhost"])
def test_only_the_standard_library(package: str) -> None:
    """Contracts cannot forbid all libraries. A ptyhost runs without site-packages, except on Windows."""
    graph = grimp.build_graph("jupyter_ptytasks", include_external_packages=True, cache_dir=None)
    root = f"jupyter_ptytasks.{package}"
    modules = {root, *graph.find_descendants(root)}
    imported = {found for module in modules for found in graph.find_modules_directly_imported_by(module)}
    if package == "ptyhost":
        assert graph.find_modules_that_directly_import("winpty") == {f"{root}.pty_windows"}
        imported.remove("winpty")
    outside = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
    assert {name for name in outside - modules if not name.startswith("jupyter_ptytasks.core")} == set()
