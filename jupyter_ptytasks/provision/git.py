"""What git says of a directory: the commit that is checked out, its branch, and whether files differ from it.

No code of the repository runs: file system monitors, hooks and filters are switched off, nothing is fetched, and the
index is not written to.
"""

from __future__ import annotations

import _thread
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: Characters of the name of a branch that are kept.
_BRANCH_MAX = 255
#: What git is asked with, whatever the configuration of the user or of the repository says (git-config(1)).
_SAFELY = (
    "--no-pager", "--no-optional-locks",
    "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "protocol.allow=never",
)  # fmt: skip
#: Seconds that a look may take.
_PATIENCE = 0.5


class Looks:
    """Looks at directories beside what is done meanwhile."""

    def __init__(self) -> None:
        self._last: _Look | None = None

    def begin(self, directory: str) -> _Look:
        """Begin to look at a directory; tasks that are started in it meanwhile share the look."""
        last = self._last
        if last is None or last.directory != directory or not last.is_going_on:
            last = self._last = _Look(directory)
        return last


class _Look:
    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._found: dict[str, Any] | None = None
        # What `threading` is built on: that would take much of the memory of the scheduler.
        self._looking = _thread.allocate_lock()
        if _has_repository(directory):
            self._looking.acquire()
            _start(self._look, self._looking.release)

    @property
    def is_going_on(self) -> bool:
        """Whether the result is not known yet."""
        return self._looking.locked()

    def result(self) -> dict[str, Any] | None:
        """Return what `state_of` does, when it is known."""
        with self._looking:
            return self._found

    def _look(self) -> None:
        self._found = state_of(self.directory, _PATIENCE)


def _start(work: Callable[[], None], done: Callable[[], None]) -> None:
    """Do some work in a thread, and call `done` then; in this one if the system has none left."""

    def run() -> None:
        try:
            work()
        finally:
            done()

    try:
        _thread.start_new_thread(run, ())
    except RuntimeError:
        run()


def state_of(directory: str, patience: float) -> dict[str, Any] | None:
    """Return the `commit` that is checked out in a directory, its `branch` (None: none), and whether it is `dirty`:
    whether a file that git knows differs from the commit (None: that took longer). Files that git does not know, and
    submodules, are not looked at.

    None outside of a repository, before its first commit, without git, and if git takes longer than `patience` seconds.
    """
    if not _has_repository(directory):
        return None
    from shutil import which  # noqa: PLC0415  in a repository only

    git = which("git")
    if git is None:
        return None
    ask = _Asking(git, directory, time.monotonic() + patience)
    lines = (ask("rev-parse", "HEAD", "--symbolic-full-name", "HEAD") or "").split()
    if len(lines) != 2:
        return None
    commit, branch = lines
    return {"commit": commit, "branch": _short(branch), "dirty": _is_dirty(ask)}


class _Asking:
    """Runs git in a directory until a deadline."""

    def __init__(self, git: str, directory: str, deadline: float) -> None:
        self._git = git
        self._directory = directory
        self._deadline = deadline

    def __call__(self, *arguments: str) -> str | None:
        """Return what git prints; None if it fails (but for 1, "nothing found"), or takes too long."""
        import subprocess  # noqa: PLC0415  most directories are in no repository

        try:
            done = subprocess.run(
                [self._git, *_SAFELY, *arguments],
                cwd=self._directory,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=max(self._deadline - time.monotonic(), 0.001),
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.decode("utf-8", "replace") if done.returncode in (0, 1) else None


def _is_dirty(ask: _Asking) -> bool | None:
    # A filter is a command that the configuration names, and git runs it to compare a file.
    filters = ask("config", "--name-only", "--get-regexp", r"^filter\..*\.(clean|smudge|process|required)$")
    if filters is None or "=" in filters:
        return None  # `-c` cannot switch off what has such a name
    off = [part for name in filters.splitlines() for part in ("-c", f"{name}=")]
    changed = ask(*off, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all")
    return None if changed is None else bool(changed.strip())


def _has_repository(directory: str) -> bool:
    """Return whether there is a repository around a directory; no process is started to find that out."""
    last = ""
    while directory != last:
        if os.path.exists(os.path.join(directory, ".git")):
            return True
        directory, last = os.path.dirname(directory), directory
    return False


def _environment() -> dict[str, str]:
    """Return the environment of git: nothing in it points to another repository, or to a program that asks."""
    env = {name: value for name, value in os.environ.items() if not name.upper().startswith("GIT_")}
    return {**env, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}


def _short(branch: str) -> str | None:
    prefix = "refs/heads/"
    return branch[len(prefix) :][:_BRANCH_MAX] if branch.startswith(prefix) else None
