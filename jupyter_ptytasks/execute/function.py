"""`python -m jupyter_ptytasks.execute.function NAME`: call the function stored in the directory of this task.

In a sweep, the parameters of the task are additional keyword arguments. The output and the traceback of the function
are printed; the exit code is 1 if it raises an exception, or returns something that cannot be pickled. The outcome is
written to a file next to the call, for `Task.result`. NAME is only for process lists; everything else is in files that
only this user can read.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import inspect
import os
import sys
from typing import TYPE_CHECKING, Any

from ..client.errors import ExtraMissing, ResultLost
from ..core.files import read_json, read_own, write_bytes
from ..core.paths import CALL_MAX, TaskFiles
from ..functions import calls, file, outcomes

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..functions.calls import Call

_VARIABLE = "PTYTASK_FUNCTION"


def main() -> int:
    """Call the function and return the exit code: 2 means that there is no function."""
    # Programs that the function starts must not inherit it.
    path = os.environ.pop(_VARIABLE, "")
    files = TaskFiles(os.path.dirname(path))
    try:
        data = read_own(path, CALL_MAX)
        params: dict[str, Any] = (read_json(files.spec) or {}).get("params", {})
        attempt = int((read_json(files.host) or {})["attempt"])
    except (OSError, KeyError) as error:
        return _say(f"there is no function to run, {_VARIABLE} is {path!r}: {error}", 2)
    target = files.result(attempt)
    _forget(files.dir, besides=target)
    code, outcome = _call(data, params)
    try:
        write_bytes(target, outcome, durable=True)
    except OSError as error:
        return _say(f"the result could not be saved: {error}", 1)
    return code


def _call(data: bytes, params: dict[str, Any]) -> tuple[int, bytes]:
    """Make the call, with `params` as additional keyword arguments; return the exit code and the outcome."""
    try:
        call = _prepared(data)
    except ResultLost as error:
        return _say(str(error), 1), outcomes.lost(error)
    try:
        value = call.function(*call.args, **call.kwargs, **params)
        if inspect.iscoroutine(value):
            import asyncio  # noqa: PLC0415  it takes longer than all else

            value = asyncio.run(value)
    except SystemExit as ended:
        if ended.code:
            raise
        value = None
    except Exception as error:  # noqa: BLE001  it is raised where the result is asked for
        # Without our own frame.
        below = error.__traceback__ and error.__traceback__.tb_next
        sys.excepthook(type(error), error.with_traceback(below), below)
        return 1, outcomes.raised(error)
    try:
        return 0, outcomes.returned(call.name, value)
    except ResultLost as error:
        return _say(str(error), 1), outcomes.lost(error)


def _prepared(data: bytes) -> Call:
    """Return the call, and prepare `__main__` and `sys.argv` as for a script. Raises ResultLost."""
    try:
        call = calls.unpack(data)
    except (file.Unreadable, ExtraMissing) as error:
        raise ResultLost(f"the function cannot be run here: {error}") from error
    except Exception as error:
        sys.excepthook(type(error), error, error.__traceback__)
        raise ResultLost(f"the function cannot be run here: {type(error).__name__}: {error}") from error
    sys.argv = [call.name]
    # Functions of a notebook find each other in `__main__`, and so do forked workers of multiprocessing.
    script = sys.modules["__main__"].__dict__
    script.clear()
    script.update(_globals(call.function), __name__="__main__", __spec__=None, __doc__=None, __builtins__=builtins)
    return call


def _globals(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the global variables of a function that belongs to `__main__`; empty for others."""
    while isinstance(function, functools.partial):
        function = function.func
    found = getattr(inspect.unwrap(function), "__globals__", {})
    return found if found.get("__name__") == "__main__" else {}


def _forget(directory: str, besides: str) -> None:
    """Delete the results of earlier attempts."""
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        if name.startswith("result-") and path != besides:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def _say(text: str, code: int) -> int:
    print(text, file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    # `__main__` will be replaced by that of the notebook, so this module is imported under its own name.
    from jupyter_ptytasks.execute.function import main as call

    raise SystemExit(call())
