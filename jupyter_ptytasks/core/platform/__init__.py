"""What differs between operating systems, in modules with the same names for each of them: chosen here, once.

`from ..platform import locks` imports `posix/locks.py` or `windows/locks.py`. The modules:

* `files`: private directories, reading and writing at an offset
* `processes`: boot id, host name, running processes; limits for starting a program
* `locks`: locks that the kernel releases when their holder exits
* `endpoint`: the local sockets of ptyhosts, and who may connect to them
* `events`: what the loop of a ptyhost waits for: descriptors, children, signals
* `foreground`: whether a program is waiting for input from the terminal
* `tree`: the processes of a task, and signals to all of them
* `detach`: leaving the server's process tree
* `launch`: starting a ptyhost and reading its report
* `priority`: running at a lower priority
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
    """Load a module on first use: a ptyhost should not spend memory on modules that it does not use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    part: ModuleType = __import__(f"{__name__}.{_SYSTEM}.{name}", fromlist=["_"])
    globals()[name] = part
    return part
