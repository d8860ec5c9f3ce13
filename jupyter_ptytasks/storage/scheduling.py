"""What servers and the scheduler share besides tasks: small files, where the last write wins."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field

from ..core.files import read_json, write_json
from ..core.machine import hostname, is_here, is_running, start_time
from ..core.queue.gpus import Gpu

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


@dataclass(frozen=True)
class Settings:
    """The settings of the scheduler, from the last server or command: how many tasks may be active; the directory of
    pynvml (nvidia-ml-py), empty if it is not installed; CUDA_VISIBLE_DEVICES, None if it is not set; and by name, the
    other places whose tasks the scheduler starts, with what it needs for that (Provisioner.for_scheduler).
    """

    max_live_tasks: int = 100
    nvml: str = ""
    cuda_visible_devices: str | None = None
    places: Mapping[str, dict[str, Any]] = field(default_factory=dict)


def read_settings(data_dir: str) -> Settings:
    """Return the last settings; the defaults if there are none or they cannot be read."""
    value = read_json(_settings(data_dir)) or {}
    limit, nvml, visible = (value.get(name) for name in ("max_live_tasks", "nvml", "cuda_visible_devices"))
    places = value.get("places")
    return Settings(
        limit if isinstance(limit, int) else Settings.max_live_tasks,
        nvml if isinstance(nvml, str) else "",
        visible if isinstance(visible, str) else None,
        places if isinstance(places, dict) else {},
    )


def write_settings(data_dir: str, settings: Settings) -> None:
    """Write the settings, if they have changed. Raises OSError."""
    if read_json(_settings(data_dir)) != (value := {"version": 1, **asdict(settings)}):
        write_json(_settings(data_dir), value)


def note_scheduler(data_dir: str) -> None:
    """Record that this process is the scheduler. Raises OSError."""
    pid = os.getpid()
    record = {"version": 1, "pid": pid, "start": start_time(pid), "hostname": hostname()}
    write_json(_scheduler(data_dir), record)


def is_scheduled(data_dir: str) -> bool:
    """Return whether the scheduler is running on this machine; False if unknown."""
    record = read_json(_scheduler(data_dir)) or {}
    pid, start = record.get("pid"), record.get("start")
    return isinstance(pid, int) and isinstance(start, int) and is_here(record) and is_running(pid, start)


def read_gpus(runtime_dir: str) -> list[Gpu] | None:
    """Return the GPUs that the scheduler last found; None if it has not checked, or the file cannot be read."""
    value: dict[str, Any] = read_json(_gpus(runtime_dir)) or {}
    try:
        return [Gpu.from_json(one) for one in value["gpus"]]
    except (KeyError, TypeError, ValueError):
        return None


def write_gpus(runtime_dir: str, gpus: Sequence[Gpu]) -> None:
    """Write the GPUs of this machine for servers; in the runtime directory, which belongs to this machine. Raises
    OSError.
    """
    write_json(_gpus(runtime_dir), {"version": 1, "gpus": [gpu.to_json() for gpu in gpus]})


def _settings(data_dir: str) -> str:
    return os.path.join(data_dir, "scheduler.json")


def _scheduler(data_dir: str) -> str:
    return os.path.join(data_dir, "scheduler.pid.json")


def _gpus(runtime_dir: str) -> str:
    return os.path.join(runtime_dir, "gpus.json")
