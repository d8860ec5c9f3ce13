"""The environment variables that a task gets from its caller, so that it runs the same programs.

They are added to the server's environment if both are on the same machine: paths of programs and libraries, active
environments, devices and threads. Secrets are passed on only by name.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Paths of programs and libraries, active environments, and the devices and threads assigned to the caller.
_PASSED_ON = re.compile(
    r"PATH|PYTHONPATH|LD_LIBRARY_PATH|DYLD_(FALLBACK_)?LIBRARY_PATH|VIRTUAL_ENV|CONDA_.*"
    r"|(CUDA|HIP|ROCR)_VISIBLE_DEVICES|CUDA_DEVICE_ORDER|OMP_NUM_THREADS"
)
_SECRET = re.compile(r".*(TOKEN|SECRET|PASSW|CREDENTIAL|_KEY\b).*", re.IGNORECASE)


def from_caller(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables of the caller's environment that its tasks get.

    Directories that are not UTF-8 are left out: JSON cannot carry them.
    """
    env = {}
    for name, given in environ.items():
        if not is_passed_on(name):
            continue
        value = as_utf8(given)
        if not is_utf8(value):
            value = os.pathsep.join(filter(is_utf8, value.split(os.pathsep)))
        if value or not given:
            env[name] = value
    return env


def is_passed_on(name: str) -> bool:
    """Return whether a task gets the variable of its caller, which means nothing on another machine."""
    return _PASSED_ON.fullmatch(name) is not None and _SECRET.fullmatch(name) is None


def as_utf8(text: str) -> str:
    """Return a string from the system, decoded as UTF-8 even if Python used another encoding.

    Bytes that are not UTF-8 stay surrogates (PEP 383).
    """
    if is_utf8(text):
        return text
    try:
        return os.fsencode(text).decode()
    except UnicodeError:
        return text


def is_utf8(text: str) -> bool:
    """Return whether a text can be encoded as UTF-8: it has no surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def from_interpreter(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return `from_caller`, changed so that `python` is this interpreter.

    A kernel is often started by its path, with the PATH of a server in another environment.
    """
    env = from_caller(environ)
    programs = os.path.dirname(sys.executable)
    path = env.get("PATH", os.defpath).split(os.pathsep)
    env["PATH"] = os.pathsep.join([programs, *(place for place in path if place != programs)])
    if sys.prefix != sys.base_prefix:
        env["VIRTUAL_ENV"] = sys.prefix
    if os.path.isdir(os.path.join(sys.prefix, "conda-meta")) and env.get("CONDA_PREFIX") != sys.prefix:
        env["CONDA_PREFIX"] = sys.prefix
        env["CONDA_DEFAULT_ENV"] = os.path.basename(sys.prefix)
    return env


def parse_pairs(pairs: Iterable[str], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables given as `NAME=VALUE`, or as `NAME` to pass on the caller's value.

    Raises:
        KeyError: the caller has no variable of this name.
    """
    env = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        env[name] = value if equals else as_utf8(environ[name])
    return env
