"""The environment variables of one attempt of a task, which are not known before it starts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .model import Task


def environment(task: Task, env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a task's current attempt; `env` has the variables of all attempts.

    A task with assigned GPUs sees only those: CUDA_VISIBLE_DEVICES replaces the value of the server, the kernel or the
    user, and names GPUs by UUID, which does not depend on CUDA_DEVICE_ORDER (CUDA C++ Programming Guide, "CUDA
    environment variables").
    """
    own = {"PTYTASK_ATTEMPT": str(task.attempt), "PTYTASK_GROUP": task.group}
    if task.gpus:
        gpus = ",".join(task.gpus)
        own |= {"PTYTASK_GPUS": gpus, "CUDA_VISIBLE_DEVICES": gpus, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    return {**env, **own}
