"""The git state of a directory, determined without running anything of the repository."""

from __future__ import annotations

import os
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.provision import git
from tests.repository import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
PATIENCE = 30.0


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with one commit of one file, `train.py`."""
    (tmp_path / "train.py").write_text("print(1)\n")
    run(tmp_path, "init", "-q")
    run(tmp_path, "add", "train.py")
    run(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_a_clean_directory_has_a_commit_and_a_branch(repository: Path) -> None:
    inside = repository / "runs"
    inside.mkdir()
    (inside / "untracked").write_text("")
    commit = run(repository, "rev-parse", "HEAD")
    assert git.state_of(str(inside), PATIENCE) == {"commit": commit, "branch": "main", "dirty": False}


def test_a_changed_file_makes_it_dirty_and_a_detached_head_has_no_branch(repository: Path) -> None:
    run(repository, "checkout", "-q", "--detach")
    (repository / "train.py").write_text("print(2)\n")
    found = git.state_of(str(repository), PATIENCE)
    assert found is not None
    assert (found["branch"], found["dirty"]) == (None, True)


def test_there_is_nothing_outside_of_a_repository_before_a_commit_and_without_git(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert git.state_of(os.sep, PATIENCE) is None
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    run(fresh, "init", "-q")
    assert git.state_of(str(fresh), PATIENCE) is None
    monkeypatch.setenv("PATH", str(fresh))
    assert git.state_of(str(repository), PATIENCE) is None


def test_nothing_that_a_repository_names_is_run(repository: Path) -> None:
    ran = repository / "ran"
    (repository / "script").write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
    (repository / "script").chmod(0o700)
    script = str(repository / "script")
    (repository / ".gitattributes").write_text("*.py filter=evil\n")
    run(repository, "config", "core.fsmonitor", script)
    run(repository, "config", "filter.evil.clean", script)
    run(repository, "config", "filter.evil.required", "true")
    (repository / ".git" / "hooks").mkdir(exist_ok=True)
    shutil.copy(script, repository / ".git" / "hooks" / "post-index-change")
    # The content must be compared: only the time differs.
    os.utime(repository / "train.py", (1, 1))
    assert git.state_of(str(repository), PATIENCE) is not None
    assert not ran.exists()
    # All this would have run it.
    run(repository, "status")
    assert ran.exists()


def test_the_environment_does_not_lead_elsewhere(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    assert git.state_of(str(repository), PATIENCE) is not None


def test_a_look_takes_no_longer_than_it_may(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (programs / "git").chmod(0o700)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    begun = time.monotonic()
    assert git.state_of(str(repository), 0.1) is None
    assert time.monotonic() - begun < PATIENCE


def test_looks_at_one_directory_at_the_same_time_are_shared(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go_on = threading.Event()

    def look(directory: str, patience: float) -> dict[str, Any]:
        assert may_go_on.wait(PATIENCE)
        return {"commit": directory}

    monkeypatch.setattr(git, "state_of", look)
    looks = git.Looks()
    first = looks.begin(str(repository))
    assert looks.begin(str(repository)) is first
    may_go_on.set()
    assert first.result() == {"commit": str(repository)}
    assert looks.begin(str(repository)) is not first
    assert looks.begin(os.sep).result() is None
