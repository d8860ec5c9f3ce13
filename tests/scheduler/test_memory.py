"""What the scheduler keeps in memory for as long as tasks wait."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Modules of some hundred kilobytes each that it has no use for while it waits and starts tasks of this machine.
_LARGE = ("_hashlib", "_ssl", "asyncio", "bz2", "email", "importlib.metadata", "logging", "lzma", "subprocess", "uuid")


@pytest.mark.skipif(sys.platform == "win32", reason="launches by other modules there")
def test_it_loads_no_large_modules_that_it_does_not_need() -> None:
    program = "import sys; sys.path[:0] = sys.argv[1:]; import jupyter_ptytasks.scheduler.process; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, *sys.path], check=True, capture_output=True, text=True
    ).stdout.split()
    assert "sqlite3" in loaded
    assert not set(_LARGE).intersection(loaded)
