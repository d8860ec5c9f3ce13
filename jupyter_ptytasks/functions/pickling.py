"""Pickles and unpickles values, within a limit of size."""

from __future__ import annotations

import pickle
import sys
from dataclasses import dataclass, field
from types import CodeType
from typing import TYPE_CHECKING, Any

from ..client.errors import ExtraMissing

if TYPE_CHECKING:
    from collections.abc import Callable

_INSTALL = "Install it where this Python runs: `{python} -m pip install 'jupyter_ptytasks[functions]'`"


class Oversize(Exception):
    """A pickle would have more bytes than its limit."""


@dataclass
class Pickled:
    """A pickle, and the source files of the code in it. Without code, other versions of Python can read it."""

    data: bytes
    files: set[str] = field(default_factory=set)


def dump(value: object, limit: int) -> Pickled:
    """Pickle a value: objects in modules by reference, all others by value.

    Raises:
        ExtraMissing: cloudpickle is not installed.
        Oversize: the pickle would have more than `limit` bytes.
        Exception: the value, or a part of it, cannot be pickled.
    """
    files: set[str] = set()
    sink = _Sink(limit)
    _pickler()(sink, files.add).dump(value)
    return Pickled(b"".join(sink.parts), files)


def failure(value: object, limit: int) -> Exception | None:
    """Return why a value cannot be pickled; None if it can."""
    try:
        dump(value, limit)
    except Exception as error:  # noqa: BLE001  any class may define how it is pickled
        return error
    return None


def load(data: bytes) -> Any:
    """Return the value of a pickle; see the package on what may be unpickled. Raises ExtraMissing, or any exception."""
    try:
        return pickle.loads(data)  # noqa: S301  a file of the user's own
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "cloudpickle":
            raise
        raise _missing() from error


class _Sink:
    """A file in memory; raises Oversize beyond `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.parts: list[bytes] = []
        self._left = limit

    def write(self, part: bytes | memoryview) -> None:
        self._left -= memoryview(part).nbytes
        if self._left < 0:
            raise Oversize
        self.parts.append(bytes(part))


def _pickler() -> Callable[[_Sink, Callable[[str], None]], Any]:
    try:
        import cloudpickle  # noqa: PLC0415  an extra
    except ImportError as error:
        raise _missing() from error

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # it has no types
        """Preserves the names of source files, which cloudpickle drops, and calls `on_code` with each."""

        def __init__(self, sink: _Sink, on_code: Callable[[str], None]) -> None:
            super().__init__(sink)
            self._on_code = on_code
            self._nameless: dict[int, CodeType] = {}

        def reducer_override(self, value: object) -> Any:
            if isinstance(value, CodeType) and id(value) not in self._nameless:
                self._on_code(value.co_filename)
                nameless = value.replace()
                self._nameless[id(nameless)] = nameless
                return _named, (nameless, value.co_filename)
            return super().reducer_override(value)

    return Pickler


def _named(code: CodeType, file: str) -> CodeType:
    return code.replace(co_filename=file)


def _missing() -> ExtraMissing:
    return ExtraMissing("functions as tasks need cloudpickle", hint=_INSTALL.format(python=sys.executable))
