"""Programs for jobs are deleted when they have not been used for a week and no job can need them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core.files import write_json
from jupyter_ptytasks.provision.programs import Programs
from jupyter_ptytasks.storage.task_dirs import TaskDirs

if TYPE_CHECKING:
    from pathlib import Path

OLD = "0123456789abcdef.pyz"
TASK = "abcdefghijkl"


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(str(tmp_path), TaskDirs(str(tmp_path)))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return a program of another version that was used eight days ago."""
    path = tmp_path / "bin" / OLD
    path.parent.mkdir(mode=0o700)
    path.write_bytes(b"old")
    age(path, 8)
    return path


def age(path: Path, days: float) -> None:
    moment = time.time() - days * 86400
    os.utime(path, (moment, moment))


def job(tmp_path: Path, **handle: Any) -> Path:
    """Make the directory of a task with the handle of a job, and return it."""
    directory = tmp_path / "tasks" / TASK
    directory.mkdir(parents=True, exist_ok=True)
    write_json(str(directory / "handle.json"), {"attempt": 1, "nonce": "n", **handle})
    return directory


def test_an_unused_program_is_deleted_and_the_own_one_kept(programs: Programs, old: Path) -> None:
    own = programs.path()
    os.utime(own, (0, 0))
    programs.remove_unused()
    assert os.listdir(old.parent) == [programs.name]


def test_a_launch_makes_a_program_young(programs: Programs) -> None:
    own = programs.path()
    os.utime(own, (0, 0))
    assert programs.path() == own
    assert time.time() - os.stat(own).st_mtime < 3600


def test_a_program_that_was_used_this_week_stays(programs: Programs, old: Path) -> None:
    age(old, 6)
    programs.remove_unused()
    assert old.exists()


@pytest.mark.parametrize(
    ("handle", "ended", "stays"),
    [
        ({"program": OLD}, None, True),
        ({"program": "another.pyz"}, None, False),
        # Of a version that did not name it.
        ({}, None, True),
        ({"program": OLD}, 1, False),
        # The job was run again.
        ({"program": OLD, "latest": 2}, 1, True),
        ({"program": OLD, "latest": 2}, 2, False),
        # It would run nothing.
        ({"program": OLD, "given_up": "canceled"}, None, False),
    ],
)
def test_a_program_that_a_job_may_need_stays(
    programs: Programs, old: Path, tmp_path: Path, handle: dict[str, Any], ended: int | None, stays: bool
) -> None:
    directory = job(tmp_path, **handle)
    if ended is not None:
        write_json(str(directory / "exit.json"), {"attempt": ended})
    programs.remove_unused()
    assert old.exists() is stays
    assert not (old.parent / f"{OLD}.unused").exists()


def test_a_job_that_is_submitted_meanwhile_has_its_program(
    programs: Programs, old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older server submits it right before the program is renamed."""
    replace = os.replace

    def after_submitting(source: str, target: str) -> None:
        if source == str(old):
            job(tmp_path, program=OLD)
        replace(source, target)

    monkeypatch.setattr(os, "replace", after_submitting)
    programs.remove_unused()
    assert old.read_bytes() == b"old"


def test_a_program_whose_remover_has_died_is_judged_again(programs: Programs, old: Path) -> None:
    left = old.with_name(f"{OLD}.unused")
    old.rename(left)
    programs.remove_unused()
    assert not old.exists()
    assert not left.exists()
