"""Sweeps: one task for each combination of parameters. The combinations, and the names of their tasks."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass
from enum import Enum

from .. import names
from ..errors import BadRequest
from . import placeholders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeVar

    Value = str | int | float | bool
    Item = TypeVar("Item")

#: Limits: tasks of a sweep, values of a parameter, and characters of a value.
TASKS_MAX = 1000
VALUES_MAX = 10_000
TEXT_MAX = 4096
#: The prefix of the variable that holds a parameter.
_VARIABLE = "PTYTASK_PARAM_"
_RANGE = re.compile(r"(-?[0-9]{1,15}):(-?[0-9]{1,15})(?::(-?[0-9]{1,15}))?")
_NUMBER = re.compile(r"-?[0-9.]+(e[+-]?[0-9]+)?")
#: Larger integers are not exact everywhere.
_EXACT = 2**53 - 1


class Mode(str, Enum):
    """How values are combined: all combinations; element by element; or a random sample of all combinations."""

    GRID = "grid"
    ZIP = "zip"
    RANDOM = "random"


@dataclass(frozen=True)
class Sweep:
    """The sweep that a task belongs to: its other tasks have the same `id`. After `max_failures` failed tasks (None: no
    limit) no more are started.
    """

    id: str
    name: str
    max_failures: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {"id": self.id, "name": self.name, "max_failures": self.max_failures}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Sweep:
        """Read the result of `to_json`. Raises KeyError, TypeError or ValueError for garbage."""
        most = value["max_failures"]
        return cls(str(value["id"]), str(value["name"]), None if most is None else int(most))


# -- values -----------------------------------------------------------------------------------------------------------


def read(params: Mapping[str, str | Sequence[Value]]) -> dict[str, list[Value]]:
    """Return the values of parameters that were given as lists, or as text such as `1e-3,1e-4` or `0:5`.

    Raises BadRequest with the parameter as its field if it has no values or an invalid one.
    """
    if not params:
        raise BadRequest("params: a sweep has at least one parameter", field="params")
    found: dict[str, list[Value]] = {}
    variables: dict[str, str] = {}
    for name, given in params.items():
        if not placeholders.NAME.fullmatch(name):
            raise _bad(name, "must consist of letters, digits, _, - and ., and begin with a letter or _")
        other = variables.setdefault(variable(name), name)
        if other != name:
            raise _bad(name, f"has the same variable {variable(name)} as {other}")
        found[name] = _read_text(name, given) if isinstance(given, str) else list(given)
        if not found[name]:
            raise _bad(name, "has no values")
        if len(found[name]) > VALUES_MAX:
            raise _bad(name, f"has more than {VALUES_MAX} values")
        for value in found[name]:
            _check_value(name, value)
    return found


def _check_value(name: str, value: Value) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise _bad(name, "has a value that is not a finite number")
    said = text(value)
    if "\0" in said:
        raise _bad(name, "has a value with a NUL character")
    if len(said) > TEXT_MAX:
        raise _bad(name, f"has a value with more than {TEXT_MAX} characters")


def _read_text(name: str, given: str) -> list[Value]:
    values: list[Value] = []
    for piece in (part.strip() for part in given.split(",")):
        bounds = _RANGE.fullmatch(piece)
        if not piece:
            raise _bad(name, "has an empty value; pass a list for values that are empty or contain commas")
        if bounds is None:
            values.append(_number(piece))
            continue
        step = int(bounds[3] or 1)
        if not step:
            raise _bad(name, f"the step of {piece} must not be 0")
        numbers = range(int(bounds[1]), int(bounds[2]), step)
        if not numbers:
            raise _bad(name, f"{piece} is empty; 0:5 is 0, 1, 2, 3, 4")
        # One more than allowed is enough to refuse it.
        values.extend(itertools.islice(numbers, VALUES_MAX + 1))
    return values


def _number(said: str) -> Value:
    """Return the number if it is written in its canonical form, else the text: values are passed as typed."""
    if _NUMBER.fullmatch(said):
        for kind in (int, float):
            try:
                value: int | float = kind(said)
            except ValueError:
                continue
            if text(value) == said and abs(value) <= _EXACT:
                return value
    return said


def text(value: object) -> str:
    """Return a value as written in a command: `0.001`, `true`, and text unchanged."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def variable(name: str) -> str:
    """Return the name of the variable that holds a parameter in a task's environment."""
    return _VARIABLE + re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def variables(params: Mapping[str, object]) -> dict[str, str]:
    """Return the environment variables that pass a task its parameters."""
    return {variable(name): text(value) for name, value in params.items()}


# -- combinations -----------------------------------------------------------------------------------------------------


def still_said(params: Mapping[str, Value], before: str | list[str], after: str | list[str]) -> dict[str, Value]:
    """Return the parameters that are still valid for a changed command: all except those whose values were removed from
    it.
    """
    return {name: value for name, value in params.items() if not _has(before, text(value)) or _has(after, text(value))}


def _has(command: str | list[str], value: str) -> bool:
    words = command if isinstance(command, str) else "\0".join(command)
    return re.search(rf"(?<![\w.]){re.escape(value)}(?![\w.])", words) is not None


def combine(
    params: Mapping[str, Sequence[Item]], mode: Mode, count: int | None = None, seed: int = 0
) -> list[dict[str, Item]]:
    """Return the combinations of values, in order: for a grid, the last parameter changes fastest; for a random sweep,
    `count` different ones are drawn, reproducibly for a `seed`.

    Raises BadRequest with the field at fault.
    """
    sizes = {name: len(values) for name, values in params.items()}
    total = math.prod(sizes.values())
    if count is not None and mode is not Mode.RANDOM:
        raise BadRequest("count: only a random sweep has a count", field="count")
    if mode is Mode.ZIP:
        if len(set(sizes.values())) > 1:
            told = ", ".join(f"{name} has {size}" for name, size in sizes.items())
            raise BadRequest(f"params: zip needs as many values of each parameter: {told}", field="params")
        _check_number(next(iter(sizes.values())))
        return [dict(zip(params, row)) for row in zip(*params.values())]
    if mode is Mode.GRID:
        _check_number(total)
        return [dict(zip(params, row)) for row in itertools.product(*params.values())]
    if count is None:
        raise BadRequest("count: a random sweep needs the number of its tasks", field="count")
    _check_number(count, "count")
    if count > total:
        raise BadRequest(f"count: there are only {total} combinations", field="count")
    return [_nth(params, number) for number in _draw(total, count, seed)]


def _check_number(count: int, field: str = "params") -> None:
    if count > TASKS_MAX:
        raise BadRequest(f"{field}: these are {count} tasks; a sweep has at most {TASKS_MAX}", field=field)


def _draw(total: int, count: int, seed: int) -> list[int]:
    import random  # noqa: PLC0415  the scheduler draws nothing

    chance = random.Random(seed)  # noqa: S311  not for secrets
    drawn: dict[int, None] = {}
    while len(drawn) < count:
        drawn[chance.randrange(total)] = None
    return list(drawn)


def _nth(params: Mapping[str, Sequence[Item]], number: int) -> dict[str, Item]:
    """Return one combination of the grid, by its number."""
    chosen = {}
    for name, values in reversed(list(params.items())):
        number, at = divmod(number, len(values))
        chosen[name] = values[at]
    return {name: chosen[name] for name in params}


# -- tasks ------------------------------------------------------------------------------------------------------------


def check_use(command: str | list[str], params: Mapping[str, object]) -> None:
    """Raise BadRequest for a placeholder without a parameter, and for a parameter that the command uses neither as a
    placeholder nor as a variable.
    """
    used = placeholders.names_in(command)
    for name in used:
        if name not in params:
            message = f"{{{name}}} is not a parameter (there are {', '.join(params)}); write {{{{ and }}}} for braces"
            raise BadRequest(f"command: {message}", field="command")
    said = command if isinstance(command, str) else "\n".join(command)
    for name in params:
        if name not in used and variable(name) not in said:
            raise _bad(name, f"the command uses neither {{{name}}} nor {variable(name)}")


def task_name(name: str, params: Mapping[str, object], number: int) -> str:
    """Return the name of a sweep's task, such as `train[lr=0.001,seed=0]`; if that is not a valid name, `train[7]`."""
    values = ",".join(f"{param}={text(value)}" for param, value in params.items())
    full = f"{name}[{values}]"
    if names.fault(full, of_task=True) is None:
        return full
    end = f"[{number}]"
    return f"{name[: names.LENGTH_MAX - len(end)]}{end}"


def _bad(name: str, message: str) -> BadRequest:
    return BadRequest(f"params.{name}: {message}", field=f"params.{name}")
