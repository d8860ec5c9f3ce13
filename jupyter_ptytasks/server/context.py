"""The shared dependencies of the verbs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..provision.base import Provisioners
    from ..storage.task_dirs import TaskDirs
    from .spec import SpawnDefaults
    from .store import Store


@dataclass(frozen=True)
class Context:
    """The tasks in memory and on disk, the places where they run, and the defaults of a start: `spawn_defaults` is
    called every time.
    """

    store: Store
    task_dirs: TaskDirs
    provisioners: Provisioners
    spawn_defaults: Callable[[], SpawnDefaults]
