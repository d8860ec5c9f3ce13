"""Further places where tasks run, as the configuration describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field, JsonValue, StringConstraints, TypeAdapter, ValidationError

from ..core.names import LOCAL
from ..provision.commands import environment
from ..provision.parsl import ParslProvisioner, more_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..provision.base import Provisioner
    from ..storage.task_dirs import TaskDirs

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")]
#: Names that mean something else.
_TAKEN = (LOCAL, "slurm")


class ParslPlace(BaseModel, extra="forbid"):
    """A batch system for which Parsl has a provider: the name of its class, what it is made with, and the seconds
    between two questions about the jobs at least (Parsl itself asks once a minute).
    """

    engine: Literal["parsl"]
    provider: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]\w*$")]
    options: dict[str, JsonValue] = Field(default_factory=dict)
    interval: Annotated[float, Field(gt=0)] = 15.0


_PLACES = TypeAdapter(dict[_Name, ParslPlace])


def places(config: Mapping[str, Any], task_dirs: TaskDirs, data_dir: str, runtime_dir: str) -> list[Provisioner]:
    """Return the places of a configuration. Raises ValueError, which says what is wrong where."""
    try:
        checked = _PLACES.validate_python(dict(config))
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    for name in _TAKEN:
        if name in checked:
            raise ValueError(f"{name}: this place is there anyway")
    env = {**environment(), **more_environment()}
    return [
        ParslProvisioner(name, task_dirs, data_dir, runtime_dir, **about.model_dump(exclude={"engine"}), env=env)
        for name, about in checked.items()
    ]
