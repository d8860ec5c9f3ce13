"""The git state of a directory: the checked-out commit, its branch, and whether files differ from it.

No code from the repository runs: file system monitors, hooks and filters are disabled, nothing is fetched, and the
index is not written.
"""

from __future__ import annotations

import _thread
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: Maximum length of a branch name; longer ones are cut.
_BRANCH_MAX = 255
#: Settings that override the configuration of the user and the repository (git-config(1)).
_SAFELY = (
    "--no-pager", "--no-optional-locks",
    "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "protocol.allow=never",
)  # fmt: skip
#: Time limit for one query, in seconds.
_PATIENCE = 0.5


class Looks:
    """Queries directories in the background."""

    def __init__(self) -> None:
        self._last: _Look | None = None

    def begin(self, directory: str) -> _Look:
        """Start a query of a directory; tasks that are started in it at the same time share it."""
        last = self._last
        if last is None or last.directory != directory or not last.is_going_on:
            last = self._last = _Look(directory)
        return last


class _Look:
    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._found: dict[str, Any] | None = None
        # Not `threading`: it would increase the scheduler's memory considerably.
        self._looking = _thread.allocate_lock()
        if _has_repository(directory):
            self._looking.acquire()
            _start(self._look, self._looking.release)

    @property
    def is_going_on(self) -> bool:
        """Whether the query is still running."""
        return self._looking.locked()

    def result(self) -> dict[str, Any] | None:
        """Wait for the query, and return the result of `state_of`."""
        with self._looking:
            return self._found

    def _look(self) -> None:
        self._found = state_of(self.directory, _PATIENCE)


def _start(work: Callable[[], None], done: Callable[[], None]) -> None:
    """Do some work in a new thread, then call `done`; in this thread if no other one can be started."""

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
    """Return the checked-out `commit` of a directory, its `branch` (None if HEAD is detached), and whether it is
    `dirty`: whether a tracked file differs from the commit (None if that took too long). Untracked files and submodules
    are ignored.

    None outside a repository, before its first commit, without git, and if git takes longer than `patience` seconds.
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
        """Return the output of git; None if it fails (except with 1, "nothing found") or takes too long."""
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
    # A filter is a command from the configuration that git would run to compare a file.
    filters = ask("config", "--name-only", "--get-regexp", r"^filter\..*\.(clean|smudge|process|required)$")
    if filters is None or "=" in filters:
        return None  # `-c` cannot disable a filter with such a name
    off = [part for name in filters.splitlines() for part in ("-c", f"{name}=")]
    changed = ask(*off, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all")
    return None if changed is None else bool(changed.strip())


def _has_repository(directory: str) -> bool:
    """Return whether a directory is in a repository, without starting a process."""
    last = ""
    while directory != last:
        if os.path.exists(os.path.join(directory, ".git")):
            return True
        directory, last = os.path.dirname(directory), directory
    return False


def _environment() -> dict[str, str]:
    """Return the environment of git, without variables that name another repository or a program that prompts."""
    env = {name: value for name, value in os.environ.items() if not name.upper().startswith("GIT_")}
    return {**env, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}


def _short(branch: str) -> str | None:
    prefix = "refs/heads/"
    return branch[len(prefix) :][:_BRANCH_MAX] if branch.startswith(prefix) else None
