"""The variables that an attempt of a task has and other attempts have not: they are known when it starts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .model import Task


def environment(task: Task, env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a task's current attempt; `env` is what all attempts have.

    A task that was given GPUs sees those alone: CUDA_VISIBLE_DEVICES replaces what the server, the kernel or the user
    has set, and names them by UUID, whatever CUDA_DEVICE_ORDER is (CUDA C++ Programming Guide, "CUDA environment
    variables").
    """
    own = {"PTYTASK_ATTEMPT": str(task.attempt), "PTYTASK_GROUP": task.group}
    if task.gpus:
        gpus = ",".join(task.gpus)
        own |= {"PTYTASK_GPUS": gpus, "CUDA_VISIBLE_DEVICES": gpus, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    return {**env, **own}
