"""The places where tasks of a server run: its own machine, those that are found by themselves, and those that are
configured.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from ..provision import ssh
from ..provision.base import Provisioners
from ..provision.commands import environment
from ..provision.connection import Connections
from ..provision.local import LocalProvisioner
from ..provision.slurm import SlurmProvisioner
from . import configured

if TYPE_CHECKING:
    from ..provision.base import Provisioner
    from ..storage.task_dirs import TaskDirs
    from .settings import Settings


def find(settings: Settings, task_dirs: TaskDirs) -> Provisioners:
    """Return the places. The caller begins and closes them."""
    use_ssh = settings.ssh_places and settings.ssh_command
    connections = Connections(settings.ssh_command, settings.ssh_keep) if use_ssh else None
    return Provisioners(
        LocalProvisioner(task_dirs, settings.runtime_dir),
        *_batch_systems(settings, task_dirs, connections),
        find=lambda place: ssh.find(place, connections, task_dirs),
        found_by={ssh.PREFIX: connections.for_scheduler()} if connections is not None else None,
    )


def _batch_systems(settings: Settings, task_dirs: TaskDirs, connections: Connections | None) -> list[Provisioner]:
    where = task_dirs, settings.data_dir, settings.runtime_dir
    paces: dict[str, Any] = {"interval": settings.slurm_interval, "per_minute": settings.slurm_per_minute}
    is_there = shutil.which("sbatch") is not None and shutil.which("squeue") is not None
    found: list[Provisioner] = []
    if is_there if settings.slurm is None else settings.slurm:
        known = settings.files_of("slurm")
        found.append(SlurmProvisioner(*where, **paces, env=environment(), shared_files=known))
    return found + configured.places(settings.places, *where, connections, settings.files_of, **paces)
