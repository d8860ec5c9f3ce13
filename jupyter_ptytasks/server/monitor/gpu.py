"""Memory and load of NVIDIA's GPUs, by process, through NVML (nvidia-ml-py, the extra `gpu`). Blocking.

A missing GPU, driver or package is normal: it is detected once, and costs nothing from then on.
The functions are those of https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceQueries.html.
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from .processes import Tree

Scope = Literal["process", "device"]

#: The lists of processes that use a GPU; a process may be in several.
_LISTS = (
    "nvmlDeviceGetComputeRunningProcesses",
    "nvmlDeviceGetGraphicsRunningProcesses",
    "nvmlDeviceGetMPSComputeRunningProcesses",
)


@dataclass(frozen=True)
class GpuUse:
    """The usage of one task: bytes of memory, and load in percent of one GPU, summed over all GPUs; None if unknown.

    `scope` says whether the numbers are for its processes or for its devices, which others may use as well.
    """

    memory: int | None
    load: float | None
    scope: Scope


class _Device:
    """The current usage of one GPU, by process."""

    def __init__(self, nvml: Any, handle: Any, since: int) -> None:
        self._nvml = nvml
        self._handle = handle
        self.memory: dict[int, int | None] = {}
        for name in _LISTS:
            try:
                processes = getattr(nvml, name)(handle)
            except nvml.NVMLError:
                continue  # this GPU has no such list
            for process in processes:
                self.memory[process.pid] = _greater(self.memory.get(process.pid), process.usedGpuMemory)
        self.loads: dict[int, list[float]] | None = defaultdict(list)
        #: Where the next query of the loads continues, in microseconds.
        self.until = since
        try:
            samples = nvml.nvmlDeviceGetProcessUtilization(handle, since)
        except nvml.NVMLError as error:
            if error.value != nvml.NVML_ERROR_NOT_FOUND:  # nothing has run on it since
                self.loads = None
            return
        for sample in samples:
            self.loads[sample.pid].append(sample.smUtil)
            self.until = max(self.until, sample.timeStamp)

    def load(self, pids: Iterable[int]) -> float | None:
        """Return the load of these processes."""
        if self.loads is None:
            return None
        return sum(sum(self.loads[pid]) / len(self.loads[pid]) for pid in pids if pid in self.loads)

    def whole(self) -> tuple[int, float]:
        """Return how much of its memory is used, and its load. Raises NVMLError."""
        memory = self._nvml.nvmlDeviceGetMemoryInfo(self._handle).used
        return memory, self._nvml.nvmlDeviceGetUtilizationRates(self._handle).gpu


class Gpus:
    """All GPUs of this machine. For one thread; `close` it there."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self._absent = False
        #: By index: the handle, the UUID, and the time up to which the loads were queried.
        self._handles: list[tuple[Any, str]] = []
        self._asked: dict[int, int] = {}

    def close(self) -> None:
        """Release the driver."""
        if self._nvml is not None:
            self._nvml.nvmlShutdown()
        self._nvml, self._handles, self._absent = None, [], True

    def use(self, trees: Mapping[str, Tree], present: Container[int]) -> dict[str, GpuUse]:
        """Return the usage of each of these trees, without those that use no GPU. `present` are all processes here.

        In a container, the driver's pids are not valid. In that case, a task with CUDA_VISIBLE_DEVICES gets the numbers
        of these devices, unless a process that is known here uses them.
        """
        if not self._open():
            return {}
        devices = {}
        for index, (handle, _) in enumerate(self._handles):
            devices[index] = _Device(self._nvml, handle, self._asked.get(index, 0))
            self._asked[index] = devices[index].until
        foreign = {index for index, device in devices.items() if not any(pid in present for pid in device.memory)}
        found = {}
        for name, tree in trees.items():
            use = _of_processes(tree.pids, devices.values())
            if use is None and foreign:
                chosen = _chosen(tree.environ().get("CUDA_VISIBLE_DEVICES", ""), [uuid for _, uuid in self._handles])
                use = self._of_devices(devices[index] for index in chosen if index in foreign)
            if use is not None:
                found[name] = use
        return found

    def _open(self) -> bool:
        if self._nvml is None and not self._absent:
            try:
                nvml = importlib.import_module("pynvml")
            except ImportError:
                self._absent = True
                return False
            try:
                nvml.nvmlInit()
                handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
                self._handles = [(handle, nvml.nvmlDeviceGetUUID(handle)) for handle in handles]
            except nvml.NVMLError:
                self._absent = True
                return False
            self._nvml = nvml
        return bool(self._handles)

    def _of_devices(self, devices: Iterable[_Device]) -> GpuUse | None:
        try:
            wholes = [device.whole() for device in devices]
        except self._nvml.NVMLError:
            return None
        if not wholes:
            return None
        return GpuUse(sum(memory for memory, _ in wholes), float(sum(load for _, load in wholes)), "device")


def _of_processes(pids: frozenset[int], devices: Iterable[_Device]) -> GpuUse | None:
    mine = [(device, pids & device.memory.keys()) for device in devices]
    mine = [(device, there) for device, there in mine if there]
    if not mine:
        return None
    memory = [size for device, there in mine for pid in there if (size := device.memory[pid]) is not None]
    loads = [load for device, there in mine if (load := device.load(there)) is not None]
    return GpuUse(sum(memory) if memory else None, sum(loads) if loads else None, "process")


def _chosen(visible: str, uuids: list[str]) -> list[int]:
    """Return the indices of the GPUs in CUDA_VISIBLE_DEVICES, given by index or by the beginning of a UUID; as in
    CUDA, everything after an invalid name is ignored (CUDA C++ Programming Guide, "CUDA environment variables").
    """
    chosen = []
    for name in visible.split(","):
        word = name.strip()
        if word.isdigit():
            index = int(word)
        else:
            index = next((place for place, uuid in enumerate(uuids) if word and uuid.startswith(word)), len(uuids))
        if index >= len(uuids):
            break
        chosen.append(index)
    return chosen


def _greater(one: int | None, other: int | None) -> int | None:
    return max((size for size in (one, other) if size is not None), default=None)
