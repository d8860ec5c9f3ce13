"""A call of a function: checked and packed for the task that runs it, and unpacked there."""

from __future__ import annotations

import functools
import inspect
import linecache
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..client.errors import ExtraMissing, NotPicklable
from ..core.paths import CALL_MAX
from . import culprits, file, pickling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

#: Bytes of a call that are reserved for its source code and the names of directories.
_HEAD_MAX = 1 << 20
_PICKLE_MAX = CALL_MAX - _HEAD_MAX
_TOO_LARGE = f"takes more than {_PICKLE_MAX} bytes when it is pickled"
_SAVE_IT = "Save what is large to a file, and pass its path."
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Call:
    """A function and its arguments; `name` is the function's name."""

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def label(function: Callable[..., Any]) -> str:
    """Return a function's name: `train`, also for a `partial` of it; for an object, the name of its class."""
    while isinstance(function, functools.partial):
        function = function.func
    name = str(getattr(function, "__name__", type(function).__name__))
    return "lambda" if name == "<lambda>" else name


def check(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], options: Iterable[str] = ()
) -> None:
    """Raise TypeError unless the function accepts these arguments, and can be run as a task.

    Args:
        options: options of `run` that were given. They are not passed to the function: if it has a parameter of the
            same name that is bound neither by position nor by a `partial`, the call is ambiguous.
    """
    name = label(function)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{name} is a generator function, but a task has one result: return a list of what it yields")
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return  # functions written in C may have none
    try:
        bound = {*signature.bind_partial(*args).arguments, *getattr(function, "keywords", ())}
    except TypeError as error:
        raise TypeError(f"{name}(): {error}") from None
    for option in options:
        parameter = signature.parameters.get(option)
        if parameter is not None and parameter.kind in _NAMED and option not in bound:
            raise TypeError(
                f"{option!r} is an option of run() and a parameter of {name}(); "
                f"bind the parameter with functools.partial({name}, {option}=...)"
            )
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{name}(): {error}") from None


def search_path() -> list[str]:
    """Return the directories in which this process finds modules, as absolute paths."""
    return list(dict.fromkeys(os.path.abspath(place) for place in sys.path))


def pack(
    function: Callable[..., Any],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    path: Sequence[str] = (),
) -> bytes:
    """Return a call as bytes, for `unpack` in the process that runs it.

    Args:
        path: directories to search for modules there, before those of `sys.path`.

    Raises:
        ExtraMissing: cloudpickle is not installed.
        NotPicklable: the function or an argument cannot be pickled, or is too large; the message names the culprit.
    """
    name, given = label(function), dict(kwargs or {})
    try:
        pickled = pickling.dump((function, tuple(args), given), _PICKLE_MAX)
    except ExtraMissing:
        raise
    except Exception as error:  # noqa: BLE001  any class may define how it is pickled
        raise _refusal(name, function, args, given, error) from None
    about: dict[str, Any] = {"function": name, "path": list(path)}
    data = file.encode({**about, "sources": _sources(pickled.files)}, pickled)
    return data if len(data) <= CALL_MAX else file.encode({**about, "sources": {}}, pickled)


def unpack(data: bytes) -> Call:
    """Return a call for the process that runs it.

    Adds its directories to `sys.path`, and its source code for tracebacks. Raises file.Unreadable, ExtraMissing, or any
    exception that its modules raise when they are imported.
    """
    head, pickled = file.decode(data)
    sys.path[:] = list(dict.fromkeys([*head["path"], *sys.path]))
    for name, source in head["sources"].items():
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return Call(head["function"], *pickling.load(pickled))


def _sources(files: Iterable[str]) -> dict[str, str]:
    """Return the source code of files: that of notebook cells only exists in this process."""
    found = {name: "".join(linecache.getlines(name)) for name in files}
    return {name: source for name, source in found.items() if source}


def _refusal(
    name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], error: Exception
) -> NotPicklable:
    """Return the error for a call that cannot be pickled, which names the part to blame."""
    given = culprits.arguments(function, args, kwargs)
    for expression, part, (before, after) in [
        (name, function, ("", "")),
        *((argument, part, ("the argument `", f"` of {name}")) for argument, part in given),
    ]:
        why = _failure(part)
        if why is not None:
            (first, *others), error = culprits.find(expression, part, why, _failure)
            return _not_picklable([f"{before}{first}{after}", *others], error)
    return _not_picklable([f"the call of {name}"], error)


def _not_picklable(path: list[str], error: Exception) -> NotPicklable:
    if isinstance(error, pickling.Oversize):
        return NotPicklable(culprits.sentence(path, _TOO_LARGE), hint=_SAVE_IT)
    return NotPicklable(culprits.sentence(path, f"cannot be pickled: {error}"))


def _failure(part: object) -> Exception | None:
    return pickling.failure(part, _PICKLE_MAX)
