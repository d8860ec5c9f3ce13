"""Windows.

* `locks`: a file opened with share mode 0 is the lock; the ptyhost inherits its handle
* `endpoint`: TCP at 127.0.0.1; the private file at the endpoint's path has the port and a secret
* `events`: `select` on sockets; threads that wait for the command's end and for the end of the session write to a
  pair of sockets
* `tree`: a job object with the ptyhost and all its descendants
* `detach`, `launch`: a process without a window that leaves the job of its parent
"""
