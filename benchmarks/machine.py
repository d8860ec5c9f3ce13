"""The machine that was measured: enough to compare, nothing that identifies its owner."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version

import psutil

import jupyter_ptytasks

_PACKAGES = ("jupyter_server", "terminado", "tornado", "websocket-client")


def describe() -> dict[str, str]:
    """Return the machine, its load from other programs, and the versions of programs."""
    about = {
        "system": f"{platform.system()} {platform.release()}",
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{psutil.virtual_memory().total / (1 << 30):.0f} GiB",
        "load": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "jupyter_ptytasks": jupyter_ptytasks.__version__,
    }
    for package in _PACKAGES:
        try:
            about[package] = version(package)
        except PackageNotFoundError:
            continue
    for program, option in (("tmux", "-V"), ("dtach", "--version"), ("ttyd", "--version")):
        if shutil.which(program):
            said = subprocess.run([program, option], capture_output=True, text=True, check=False)
            about[program] = (said.stdout or said.stderr).splitlines()[0].removeprefix(program).strip(" -")
    return about


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()
