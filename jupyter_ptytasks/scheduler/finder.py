"""The provisioners of the scheduler for other places, as the last server has told it how to make them."""

from __future__ import annotations

from ..storage.scheduling import read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..provision.base import Provisioner
    from ..storage.task_dirs import TaskDirs


class Finder:
    """Makes them for the tasks in `task_dirs`, with files in `data_dir` and locks in `runtime_dir`."""

    def __init__(self, task_dirs: TaskDirs, data_dir: str, runtime_dir: str) -> None:
        self._task_dirs = task_dirs
        self._data_dir = data_dir
        self._runtime_dir = runtime_dir
        #: With what each was made.
        self._made: dict[str, tuple[dict[str, Any], Provisioner]] = {}

    def find(self) -> dict[str, Provisioner]:
        """Return the provisioners of all places that are known now, by name."""
        told = read_settings(self._data_dir).places
        for name, needed in told.items():
            if name == "slurm" and (name not in self._made or self._made[name][0] != needed):
                from ..provision.slurm import SlurmProvisioner  # noqa: PLC0415  few have a cluster

                made = SlurmProvisioner(self._task_dirs, self._data_dir, self._runtime_dir, **needed)
                self._made[name] = needed, made
        # A copy: several threads ask.
        return {name: provisioner for name, (_, provisioner) in self._made.copy().items() if name in told}
