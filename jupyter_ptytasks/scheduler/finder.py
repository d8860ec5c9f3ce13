"""The scheduler's provisioners for other places, with the settings that the last server has saved."""

from __future__ import annotations

import threading

from ..core.names import LOCAL
from ..storage.scheduling import read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from typing import Any

    from ..provision.base import Provisioner
    from ..provision.connection import Connections
    from ..storage.task_dirs import TaskDirs

_SSH = "ssh:"


class Finder:
    """Creates provisioners for `task_dirs`, with files in `data_dir` and locks in `runtime_dir`. Thread-safe."""

    def __init__(self, task_dirs: TaskDirs, data_dir: str, runtime_dir: str) -> None:
        self._task_dirs = task_dirs
        self._data_dir = data_dir
        self._runtime_dir = runtime_dir
        #: The settings of each, and the provisioner.
        self._made: dict[str, tuple[dict[str, Any], Provisioner]] = {}
        self._making = threading.Lock()
        self._shared: tuple[dict[str, Any], Connections] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def find(self, place: str) -> Provisioner | None:
        """Return the provisioner of a currently configured place; None for others."""
        told = read_settings(self._data_dir).places
        needed = told.get(_SSH if place.startswith(_SSH) else place)
        if needed is None or place == LOCAL:
            return None
        with self._making:
            if place not in self._made or self._made[place][0] != needed:
                if place in self._made:
                    self._close(self._made.pop(place)[1])
                self._made[place] = needed, self._make(place, needed)
            return self._made[place][1]

    def _make(self, place: str, needed: dict[str, Any]) -> Provisioner:
        # Imported here since few users have a cluster or other machines.
        about = dict(needed)
        if place.startswith(_SSH):
            from ..provision import ssh  # noqa: PLC0415

            made: Provisioner = ssh.find(place, self._connections(about), self._task_dirs)
        elif "ssh" in about:
            from ..provision.far_slurm import FarSlurmProvisioner  # noqa: PLC0415

            connections, host = self._connections(about.pop("ssh")), about.pop("host")
            made = FarSlurmProvisioner(
                place, host, connections, self._task_dirs, self._data_dir, self._runtime_dir, **about, follows=False
            )
        else:
            from ..provision.slurm import SlurmProvisioner  # noqa: PLC0415

            return SlurmProvisioner(self._task_dirs, self._data_dir, self._runtime_dir, **about)
        made.begin(self._running_loop())
        return made

    def _connections(self, needed: dict[str, Any]) -> Connections:
        """Return the connections with these settings; places on the same host share one."""
        if self._shared is None or self._shared[0] != needed:
            from ..provision.connection import Connections  # noqa: PLC0415  the same

            self._shared = needed, Connections(**needed)
        return self._shared[1]

    def _close(self, provisioner: Provisioner) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(provisioner.close)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop for connections, which runs in its own thread."""
        if self._loop is None:
            import asyncio  # noqa: PLC0415  the same

            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, daemon=True).start()
        return self._loop
