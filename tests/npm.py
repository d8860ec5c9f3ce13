"""Programs and libraries from npm that tests need, pinned in a package-lock.json next to the test."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def install(directory: Path) -> Path:
    """Return the node_modules of `directory`, with what its lock says installed.

    Two processes of pytest may ask at once, and `npm ci` begins by removing what is there: one installs, the other
    waits.
    """
    import fcntl  # noqa: PLC0415  where there is no such module, the tests that need npm are skipped

    modules = directory / "node_modules"
    with (directory / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # npm writes this file last.
        if not (modules / ".package-lock.json").exists():
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            assert done.returncode == 0, f"npm ci in {directory} failed:\n{done.stdout}"
    return modules
