"""Finds the part of a value that cannot be pickled, and describes where it is.

A part is named by an expression, such as `model.lock`. It is searched for in what a function uses, and in the pickled
state of objects.
"""

from __future__ import annotations

import copyreg
import dis
import functools
import inspect
import time
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    #: Whether the containing object *uses* the part under a separate name; the expression for the part; the part.
    Part = tuple[bool, str, object]

#: Seconds to search. After that, the innermost part found so far is named.
_PATIENCE = 3.0
_DEPTH = 50
#: The most characters of a key in an expression.
_KEY_MAX = 40
_GLOBALS = ("LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_NAME")


def find(
    root: str, value: object, error: Exception, failure: Callable[[object], Exception | None]
) -> tuple[list[str], Exception]:
    """Return the innermost part of a value that `failure` returns an error for, and that error.

    The part is given as a list of expressions, each of which is used by the previous one; the first begins with `root`.
    If no part is to blame, return the value itself, and `error`.
    """
    deadline = time.monotonic() + _PATIENCE
    path = [root]
    above: list[object] = []
    while len(above) < _DEPTH:
        above.append(value)
        for uses, expression, part in _parts(value, path[-1]):
            if time.monotonic() > deadline:
                return path, error
            # A part that contains itself fails for the same reason.
            if any(part is other for other in above):
                continue
            why = failure(part)
            if why is not None:
                path = [*path, expression] if uses else [*path[:-1], expression]
                value, error = part, why
                break
        else:
            break
    return path, error


def sentence(path: list[str], what: str) -> str:
    """Return a sentence about a part and `what` is wrong with it: "train uses `lock`, which cannot be pickled"."""
    first, *others = path
    if not others:
        return f"{first} {what}"
    used = ", which uses ".join(f"`{expression}`" for expression in others)
    return f"{first} uses {used}, which {what}"


def arguments(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Iterator[tuple[str, object]]:
    """Iterate over arguments, each with the name of its parameter."""
    try:
        names = list(inspect.signature(function).bind_partial(*args).arguments)
    except (ValueError, TypeError):
        names = []
    for number, part in enumerate(args):
        yield names[number] if number < len(names) else f"args[{number}]", part
    yield from kwargs.items()


def _parts(value: Any, name: str) -> Iterator[Part]:
    if isinstance(value, FunctionType):
        for used, part in _used(value):
            yield True, used, part
    elif isinstance(value, MethodType):
        yield True, "self", value.__self__
        yield False, name, value.__func__
    elif isinstance(value, functools.partial):
        yield False, name, value.func
        for argument, part in arguments(value.func, value.args, value.keywords):
            yield True, argument, part
    elif isinstance(value, type):
        for attribute, part in list(vars(value).items()):
            if attribute not in ("__dict__", "__weakref__"):
                yield False, f"{name}.{attribute}", part
    elif isinstance(value, (property, classmethod, staticmethod)):
        for attribute in ("__func__", "fget", "fset", "fdel"):
            yield False, name, getattr(value, attribute, None)
    elif type(value) in (list, tuple):
        for number, part in enumerate(value):
            yield False, f"{name}[{number}]", part
    elif type(value) is dict:
        yield from _items(name, value.items())
    elif not isinstance(value, (str, bytes, int, float, complex, type(None), set, frozenset, CodeType)):
        yield from _state(value, name)


def _used(function: FunctionType) -> Iterator[tuple[str, object]]:
    """Iterate over the objects pickled with a function: closure variables, globals, defaults, attributes."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue  # not assigned yet
    for name in dict.fromkeys(_global_names(function.__code__)):
        if name in function.__globals__:
            yield name, function.__globals__[name]
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    defaults = function.__defaults__ or ()
    yield from zip(names[len(names) - len(defaults) :], defaults, strict=True)
    yield from (function.__kwdefaults__ or {}).items()
    for attribute, part in vars(function).items():
        yield f"{function.__name__}.{attribute}", part


def _global_names(code: CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in _GLOBALS:
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_names(constant)


def _state(value: Any, name: str) -> Iterator[Part]:
    """Iterate over the parts of an object's pickle (object.__reduce_ex__)."""
    try:
        reduce = copyreg.dispatch_table.get(type(value))
        reduced = reduce(value) if reduce is not None else value.__reduce_ex__(4)
    except Exception:  # noqa: BLE001  the object itself is to blame
        return
    if not isinstance(reduced, tuple):
        return
    _, constructor, state, items, pairs = (*reduced, None, None, None)[:5]
    for attributes in state if isinstance(state, tuple) else (state,):
        if isinstance(attributes, dict):
            for attribute, part in attributes.items():
                yield False, f"{name}.{attribute}", part
        elif attributes is not None:
            yield False, name, attributes
    for number, part in enumerate(items or ()):
        yield False, f"{name}[{number}]", part
    yield from _items(name, pairs or ())
    for part in constructor:
        yield False, f"type({name})" if part is type(value) else name, part


def _items(name: str, items: Iterable[tuple[object, object]]) -> Iterator[Part]:
    for key, part in items:
        try:
            shown = repr(key)
        except Exception:  # noqa: BLE001  any class may define it
            shown = f"<{type(key).__name__}>"
        shown = shown if len(shown) <= _KEY_MAX else f"{shown[:_KEY_MAX]}…"
        yield False, f"{name}[{shown}]", part
