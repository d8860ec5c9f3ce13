"""The cause of an error, from its text: GPU memory, memory, the disk. All programs use the same few words."""

from __future__ import annotations

import re

_SIZE = r"[0-9][0-9.,]*\s?(?:[KMGTP]i?)?(?:B\b|bytes\b|b\b)"
#: PyTorch before and since version 2.2: which GPU, its size, and how much is free.
_TORCH = re.compile(
    rf"(?:CUDA|HIP|XPU) out of memory\. Tried to allocate (?P<want>{_SIZE})"
    rf"(?:.*?GPU (?P<gpu>\d+)(?:; (?P<old>{_SIZE}) total capacity| has a total capacit?y of (?P<new>{_SIZE})))?"
    rf"(?:.*?(?P<old_free>{_SIZE}) free;|.*?of which (?P<new_free>{_SIZE}) is free)?"
)
_MPS = re.compile(rf"MPS backend out of memory.*?Tried to allocate (?P<want>{_SIZE})")
_XLA = re.compile(r"RESOURCE_EXHAUSTED: .*?(?:allocate|allocating) (?P<want>[0-9.,]+\s?[KMGT]?i?(?:B|bytes)?)")
_TF = re.compile(r"OOM when allocating tensor with shape(?P<shape>\[[^\]]*\]).*?(?P<gpu>GPU:\d+)")
_CUPY = re.compile(r"Out of memory allocating (?P<want>[0-9,]+ bytes) \(allocated so far")
_GPU = re.compile(
    r"(?:CUDA|HIP|XPU|MPS backend) out of memory|CUDA error: out of memory|cudaErrorMemoryAllocation"
    r"|CUDA_ERROR_OUT_OF_MEMORY|CUBLAS_STATUS_ALLOC_FAILED|CL_MEM_OBJECT_ALLOCATION_FAILURE"
)
_MEMORY = re.compile(
    r"^MemoryError\b|_ArrayMemoryError|Unable to allocate .* for an array|Cannot allocate memory|\bENOMEM\b"
    r"|std::bad_alloc|java\.lang\.OutOfMemoryError|JavaScript heap out of memory|memory allocation of \d+ bytes failed"
    r"|cannot allocate vector of size|DefaultCPUAllocator: (?:can't|not enough memory)|OutOfMemoryError\(\)"
    r"|runtime: out of memory|\boom[_-]kill event|OOM Killed|Out Of Memory$|Allowed memory size of \d+ bytes exhausted",
    re.IGNORECASE,
)
_DISK = re.compile(r"No space left on device|\bENOSPC\b|Disk quota exceeded|\bEDQUOT\b|database or disk is full")

GPU_MEMORY, MEMORY, DISK_FULL = "gpu_memory", "memory", "disk_full"


def cause(text: str) -> tuple[str, str] | None:
    """Return the kind of the cause and a sentence; None if the cause is something else."""
    gpu = _gpu_memory(text)
    if gpu is not None:
        return GPU_MEMORY, gpu
    if _DISK.search(text):
        return DISK_FULL, f"the disk is full: {text}"
    if _MEMORY.search(text):
        return MEMORY, f"out of memory: {text}"
    return None


def _gpu_memory(text: str) -> str | None:
    found = _TORCH.search(text)
    if found is not None:
        where = f" on GPU {found['gpu']}" if found["gpu"] else ""
        free, whole = found["old_free"] or found["new_free"], found["old"] or found["new"]
        rest = f"; {free} of {whole} were free" if free and whole else ""
        return f"out of GPU memory: {found['want']} could not be allocated{where}{rest}"
    for pattern in (_MPS, _XLA, _CUPY):
        found = pattern.search(text)
        if found is not None:
            return f"out of GPU memory: {found['want'].strip()} could not be allocated"
    found = _TF.search(text)
    if found is not None:
        return f"out of GPU memory: a tensor of shape {found['shape']} could not be allocated on {found['gpu']}"
    return f"out of GPU memory: {text}" if _GPU.search(text) else None
