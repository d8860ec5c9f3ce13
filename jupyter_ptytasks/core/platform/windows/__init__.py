"""Windows, where tasks do not run yet: everything can be imported, and what would start a task raises `unsupported()`.

What each part is to become:

* `locks`: a file opened with share mode 0 is the lock; the ptyhost inherits its handle
* `endpoint`: loopback TCP; the file at the endpoint's path is private and holds the port and a secret that a connection
  has to prove it knows
* `events`: `select` on sockets; threads that wait for the command's end and for console events write to a socket pair
* `tree`: a job object with the ptyhost and all that descends from it
* `detach`, `launch`: CREATE_NO_WINDOW and CREATE_BREAKAWAY_FROM_JOB; the handle of the lock in the handle list
"""

from __future__ import annotations

import errno


def unsupported() -> OSError:
    """Return the error for what does not work here."""
    return OSError(errno.ENOSYS, "tasks cannot run on Windows yet")
