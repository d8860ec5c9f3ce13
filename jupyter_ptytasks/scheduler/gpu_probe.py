"""Print the GPUs of this machine and their users as JSON, or the error: `python -I -S gpu_probe.py DIRECTORY`.

A separate program: NVIDIA's driver may take seconds to respond, or hang, and only this process waits for it.
DIRECTORY contains pynvml (nvidia-ml-py, the extra `gpu`). The functions are those of
https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceQueries.html.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_LISTS = ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses")


def look(nvml: Any, is_foreign: Callable[[int], bool]) -> list[dict[str, Any]]:
    """Return the index and UUID of each GPU, and a description of another user's process on it. Raises NVMLError."""
    nvml.nvmlInit()
    try:
        handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
        return [
            {"uuid": _uuid(nvml, handle), "index": index, "stranger": _stranger(nvml, handle, is_foreign)}
            for index, handle in enumerate(handles)
        ]
    finally:
        nvml.nvmlShutdown()


def _stranger(nvml: Any, handle: Any, is_foreign: Callable[[int], bool]) -> str:
    for name in _LISTS:
        with contextlib.suppress(nvml.NVMLError):  # this GPU has no such list
            for process in getattr(nvml, name)(handle):
                if is_foreign(process.pid):
                    return f"another user (pid {process.pid})"
    return ""


def _uuid(nvml: Any, handle: Any) -> str:
    uuid: str | bytes = nvml.nvmlDeviceGetUUID(handle)
    return uuid.decode() if isinstance(uuid, bytes) else uuid  # older versions return bytes


if __name__ == "__main__":
    # Started by path, isolated from site-packages.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path = [path for path in sys.path if os.path.abspath(path) != here]
    sys.path += [os.path.dirname(os.path.dirname(here)), sys.argv[1]]
    from jupyter_ptytasks.core.platform import processes

    try:
        answer: object = look(importlib.import_module("pynvml"), processes.is_foreign)
    except Exception as error:  # noqa: BLE001  told to the scheduler, whatever it is
        answer = f"{type(error).__name__}: {error}"
    print(json.dumps(answer))
