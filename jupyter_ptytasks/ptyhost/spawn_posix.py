"""A command's process from fork to exec: it is prepared, held until it may run, and reports why it cannot start."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import termios

from ..core.errors import SpawnFailed
from . import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: The steps of the child, in order; its report says which one failed.
_TERMINAL, _CWD, _COMMAND = "terminal", "cwd", "command"


class Spawned:
    """A forked process `pid`, ready to become a command, which does not run until it is released.

    It leads its own session with the terminal whose ends are `terminal` (master, slave). It has the three standard
    descriptors and no others, and the default action for every signal; none is blocked. It exits if this process ends
    before the release. Either `release` or `abandon` it. Raises OSError.
    """

    __slots__ = ("_argv", "_cwd", "_env", "_go", "_is_gone", "_report", "pid")

    def __init__(
        self,
        terminal: tuple[int, int],
        argv: list[bytes],
        env: Mapping[bytes, bytes],
        cwd: str,
        umask: int,
    ) -> None:
        self._argv, self._env, self._cwd = argv, env, cwd
        self._is_gone = False
        waiting, self._go = os.pipe()
        self._report, telling = os.pipe()
        try:
            self.pid = os.fork()
        except OSError:
            os.close(self._go)
            os.close(self._report)
            raise
        else:
            if self.pid == 0:
                # The child must not keep the other ends of the pipes open, or it would not notice when they are closed.
                _become((*terminal, self._go), waiting, telling, argv, env, cwd, umask)
        finally:
            os.close(waiting)
            os.close(telling)

    def release(self) -> None:
        """Let the command run. Raises SpawnFailed if the command or its directory is to blame, otherwise OSError; then
        the process is gone.
        """
        try:
            os.write(self._go, b"!")
        except BrokenPipeError:
            pass  # it has already failed, and reports why
        os.close(self._go)
        report = b""
        # A successful exec closes the pipe.
        while part := os.read(self._report, 4096):
            report += part
        os.close(self._report)
        if report:
            os.waitpid(self.pid, 0)
            self._is_gone = True
            self._fail(json.loads(report))

    def abandon(self) -> None:
        """Kill the process, unless it is gone: the command does not run, or ends. Raises OSError."""
        if not self._is_gone:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self._is_gone = True

    def _fail(self, report: dict[str, str | int]) -> None:
        step, number, what = report["step"], int(report["errno"]), str(report["what"])
        if step == _CWD:
            raise SpawnFailed(f"the task cannot run in {self._cwd}: {what}", field="cwd")
        if step == _COMMAND and number:
            raise program.failure(number, os.fsencode(str(report["path"])), self._argv, self._env, self._cwd)
        if step == _COMMAND:
            raise SpawnFailed(f"the command cannot be started: {what}", field="command")
        raise OSError(number, f"the terminal could not be set up: {what}")


def _become(
    terminal: tuple[int, int, int],
    waiting: int,
    telling: int,
    argv: list[bytes],
    env: Mapping[bytes, bytes],
    cwd: str,
    umask: int,
) -> None:
    """Turn this process, which was just forked, into the command as soon as it may run. Never returns."""
    step = _TERMINAL
    try:
        _take_terminal(*terminal)
        os.umask(umask)
        step = _CWD
        os.chdir(cwd)
        # The signal actions are already those of the command: a SIGHUP ends this process while it waits.
        if os.read(waiting, 1):
            step = _COMMAND
            program.become(argv, env)
    except BaseException as error:  # noqa: BLE001  any error is reported, and this process must not continue
        number = getattr(error, "errno", None) or 0
        what = os.strerror(number) if number else f"{type(error).__name__}: {error}"
        path = os.fsdecode(getattr(error, "filename", None) or b"")
        about = {"step": step, "errno": number, "what": what, "path": path}
        os.write(telling, json.dumps(about).encode())
    finally:
        os._exit(127)


def _take_terminal(master: int, slave: int, go: int) -> None:
    # If this process kept them open, the terminal would not hang up, and the pipe not end, when the ptyhost is gone.
    os.close(master)
    os.close(go)
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    for number in range(1, signal.NSIG):
        # None: a handler that Python did not set; exec resets it.
        if signal.getsignal(number) not in (signal.SIG_DFL, None):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
