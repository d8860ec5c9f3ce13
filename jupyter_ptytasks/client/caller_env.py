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


def of_caller(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give what a caller's environment has for its tasks."""
    return {name: value for name, value in environ.items() if _KINDRED.fullmatch(name) and not _SECRET.fullmatch(name)}


def of_python(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give the same for tasks whose `python` is to be the one that runs this.

    A kernel is often started by its path alone, with the PATH of a server that lives in another environment.
    """
    env = of_caller(environ)
    programs = os.path.dirname(sys.executable)
    path = env.get("PATH", os.defpath).split(os.pathsep)
    env["PATH"] = os.pathsep.join([programs, *(place for place in path if place != programs)])
    if sys.prefix != sys.base_prefix:
        env["VIRTUAL_ENV"] = sys.prefix
    if os.path.isdir(os.path.join(sys.prefix, "conda-meta")) and env.get("CONDA_PREFIX") != sys.prefix:
        env["CONDA_PREFIX"] = sys.prefix
        env["CONDA_DEFAULT_ENV"] = os.path.basename(sys.prefix)
    return env


def named(pairs: Iterable[str], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give the variables that are meant by `NAME=VALUE`, and by `NAME` for our own.

    Raises KeyError with a name that we do not have.
    """
    env = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        env[name] = value if equals else environ[name]
    return env
