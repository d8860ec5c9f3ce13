"""Programs and libraries of npm that tests need: pinned in a package-lock.json beside what uses them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def install(directory: Path) -> Path:
    """Install what the lock in `directory` says, unless it is there, and give the directory of it all."""
    modules = directory / "node_modules"
    # npm writes this file last.
    if not (modules / ".package-lock.json").exists():
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, f"npm ci in {directory} failed:\n{done.stdout}"
    return modules
