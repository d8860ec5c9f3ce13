"""Additional places where tasks run, from the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field, JsonValue, StringConstraints, TypeAdapter, ValidationError

from ..core.names import LOCAL
from ..provision.commands import environment
from ..provision.connection import HOST
from ..provision.far_slurm import FarSlurmProvisioner
from ..provision.parsl import ParslProvisioner, more_environment
from ..provision.ssh import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..provision.base import Provisioner
    from ..provision.connection import Connections
    from ..storage.task_dirs import TaskDirs

_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
#: Reserved names.
_TAKEN = (LOCAL, "slurm", "ssh")


class ParslPlace(BaseModel, extra="forbid"):
    """A batch system with a Parsl provider: the name of its class, its arguments, and the minimum time between queries
    in seconds (Parsl itself queries once a minute).
    """

    engine: Literal["parsl"]
    provider: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]\w*$")]
    options: dict[str, JsonValue] = Field(default_factory=dict)
    interval: Annotated[float, Field(gt=0)] = 15.0


class SlurmPlace(BaseModel, extra="forbid"):
    """The Slurm of a host that is reached over ssh, such as `ssh:login1`."""

    engine: Literal["slurm"]
    site: Annotated[str, StringConstraints(pattern=rf"^{PREFIX}{HOST.pattern}$")]


_Place = Annotated["ParslPlace | SlurmPlace", Field(discriminator="engine")]
_PLACES = TypeAdapter(dict[_Name, _Place])


def check(config: Mapping[str, Any]) -> dict[str, ParslPlace | SlurmPlace]:
    """Return the configured places by name. Raises ValueError with the location of the error."""
    try:
        checked = _PLACES.validate_python(dict(config))
    except ValidationError as error:
        first = error.errors()[0]
        # The engine is also the tag of the expected type.
        where = [part for part in first["loc"] if part not in ("parsl", "slurm") or first["loc"][0] == part]
        raise ValueError(f"{'.'.join(map(str, where))}: {first['msg']}") from error
    for name in _TAKEN:
        if name in checked:
            raise ValueError(f"{name}: this name has another meaning")
    return checked


def places(
    config: Mapping[str, Any],
    task_dirs: TaskDirs,
    data_dir: str,
    runtime_dir: str,
    connections: Connections | None,
    shared_files: Callable[[str], str],
    **slurm: Any,
) -> list[Provisioner]:
    """Return the configured places; without `connections`, only those that need none. `shared_files` returns the
    setting for the files of a place (core.mounts.WORDS), and `slurm` are the options for all Slurm clusters (Batch).
    Raises ValueError.
    """
    found: list[Provisioner] = []
    for name, about in check(config).items():
        where = task_dirs, data_dir, runtime_dir
        if isinstance(about, ParslPlace):
            env, known = {**environment(), **more_environment()}, shared_files(name)
            how = about.model_dump(exclude={"engine"})
            found.append(ParslProvisioner(name, *where, **how, env=env, shared_files=known))
        elif connections is not None:
            found.append(FarSlurmProvisioner(name, about.site[len(PREFIX) :], connections, *where, **slurm))
    return found
