"""What differs between operating systems, in parts that have the same names on each of them: chosen here, once.

`from ..platform import locks` is `posix/locks.py` or `windows/locks.py`. The parts:

* `files`: private directories, reading and writing at an offset
* `processes`: which boot, which machine, which processes; what a program may be started with
* `locks`: locks that the kernel releases with their holder
* `endpoint`: the local sockets of ptyhosts, and who may connect to them
* `events`: what the loop of a ptyhost waits for: descriptors, children, signals
* `foreground`: whether a program waits for input of the terminal
* `tree`: the processes of a task, and signals to all of them
* `detach`: leaving the server's process tree
* `launch`: starting a ptyhost and reading its report
* `priority`: giving way to other processes
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    if sys.platform == "win32":
        from .windows import detach, endpoint, events, files, foreground, launch, locks, priority, processes, tree
    else:
        from .posix import detach, endpoint, events, files, foreground, launch, locks, priority, processes, tree

__all__ = ["detach", "endpoint", "events", "files", "foreground", "launch", "locks", "priority", "processes", "tree"]

_SYSTEM = "windows" if sys.platform == "win32" else "posix"


def __getattr__(name: str) -> ModuleType:
    """Load a part when it is first asked for: a ptyhost has no memory for those that it does not use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    part: ModuleType = __import__(f"{__name__}.{_SYSTEM}.{name}", fromlist=["_"])
    globals()[name] = part
    return part
