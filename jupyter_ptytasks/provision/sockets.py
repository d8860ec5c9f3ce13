"""Removes the sockets of killed ptyhosts and of exited starters, where no process listens. Blocking."""

from __future__ import annotations

import os
import re
import time

from ..core.platform import endpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

_NAME = re.compile(r"(?:starter-)?([a-z0-9]{8,16})\.(?:sock|tcp)")
#: Seconds for which a socket where no process listens may belong to a ptyhost that is just starting.
_YOUNG = 60.0


def remove_dead(runtime_dir: str, live: Container[str]) -> None:
    """Remove the sockets in `runtime_dir` where no process listens, except for new ones and those of the `live` tasks
    (ids): their ptyhosts may run on another machine that shares the directory.
    """
    try:
        names = os.listdir(runtime_dir)
    except OSError:
        return
    for name in names:
        match = _NAME.fullmatch(name)
        if match and match[1] not in live and _is_dead(os.path.join(runtime_dir, name)):
            try:
                os.unlink(os.path.join(runtime_dir, name))
            except OSError:
                pass


def _is_dead(path: str) -> bool:
    try:
        is_young = time.time() - os.lstat(path).st_mtime < _YOUNG
    except OSError:
        return False
    return not is_young and endpoint.is_dead(path)
