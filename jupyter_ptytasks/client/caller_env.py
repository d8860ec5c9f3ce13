"""Which variables a task gets from whoever starts it on the same machine, so that its programs are the caller's.

The task's environment is the server's; over it goes what says where programs and libraries are, and which devices and
threads are ours. Secrets are not passed on unless they are named.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Programs, environments and libraries; and of the machine the part that was given to us.
_KINDRED = re.compile(
    r"PATH|PYTHONPATH|LD_LIBRARY_PATH|DYLD_(FALLBACK_)?LIBRARY_PATH|VIRTUAL_ENV|CONDA_.*"
    r"|(CUDA|HIP|ROCR)_VISIBLE_DEVICES|CUDA_DEVICE_ORDER|OMP_NUM_THREADS"
)
_SECRET = re.compile(r".*(TOKEN|SECRET|PASSW|CREDENTIAL|_KEY\b).*", re.IGNORECASE)


def from_caller(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give what a caller's environment has for its tasks.

    Directories whose names are not UTF-8 are left out, for no request can carry them.
    """
    env = {}
    for name, told in environ.items():
        if not _KINDRED.fullmatch(name) or _SECRET.fullmatch(name):
            continue
        value = as_utf8(told)
        if not is_utf8(value):
            value = os.pathsep.join(filter(is_utf8, value.split(os.pathsep)))
        if value or not told:
            env[name] = value
    return env


def as_utf8(text: str) -> str:
    """Return what the system has told as the UTF-8 that it is, also where Python took its bytes for something else.

    Python writes bytes that it cannot read as surrogates (PEP 383); where they are no UTF-8 either, they stay.
    """
    if is_utf8(text):
        return text
    try:
        return os.fsencode(text).decode()
    except UnicodeError:
        return text


def is_utf8(text: str) -> bool:
    """Tell whether UTF-8 can carry a text: surrogates it cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def from_interpreter(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give the same for tasks whose `python` is to be the one that runs this.

    A kernel is often started by its path alone, with the PATH of a server that lives in another environment.
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
    """Give the variables that are meant by `NAME=VALUE`, and by `NAME` for our own.

    Raises KeyError with a name that we do not have.
    """
    env = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        env[name] = value if equals else as_utf8(environ[name])
    return env
