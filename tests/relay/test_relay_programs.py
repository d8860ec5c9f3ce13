"""Programs of relays are deleted if they have not been used for a week and no task needs them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core.files import write_json
from jupyter_ptytasks.relay import programs

if TYPE_CHECKING:
    from pathlib import Path

OWN, OLD, DRAFT = "0" * 16 + ".pyz", "1" * 16 + ".pyz", "2" * 16 + ".pyz.0123456789abcdef"


def age(path: Path, days: float) -> None:
    """Make a file look unused for this many days."""
    moment = time.time() - days * 86400
    os.utime(path, (moment, moment))


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory with old programs, of which one is that of this process."""
    directory = tmp_path / "programs"
    directory.mkdir()
    for name in (OWN, OLD, DRAFT):
        (directory / name).touch()
        age(directory / name, 8)
    monkeypatch.setattr("sys.argv", [str(directory / OWN)])
    return directory


def task(tmp_path: Path, spec: dict[str, Any] | None, **records: dict[str, Any]) -> None:
    """Make the directory of a task."""
    directory = tmp_path / "tasks" / "abcdefghijkl"
    directory.mkdir(parents=True)
    for name, record in {"spec": spec, **records}.items():
        if record is not None:
            write_json(str(directory / f"{name}.json"), record)


def left(there: Path, tmp_path: Path) -> set[str]:
    programs.main(str(tmp_path / "tasks"))
    return set(os.listdir(there))


RUNS = {"attempt": 2, "program": OLD, "resources": {}}


@pytest.mark.parametrize(
    ("spec", "records", "stays"),
    [
        (None, {}, False),
        (RUNS, {}, True),
        ({**RUNS, "program": OWN}, {}, False),
        # Of a version that did not name it.
        ({"attempt": 2}, {}, True),
        (RUNS, {"exit": {"attempt": 1}}, True),
        (RUNS, {"exit": {"attempt": 2}}, False),
        # Jobs.
        (RUNS, {"handle": {"attempt": 2}}, True),
        (RUNS, {"handle": {"attempt": 2, "given_up": True}}, False),
        (RUNS, {"handle": {"attempt": 2}, "exit": {"attempt": 2}}, False),
        ({**RUNS, "resources": {"requeue": True}}, {"handle": {"attempt": 2}, "exit": {"attempt": 2}}, True),
    ],
)
def test_a_program_that_a_task_may_need_stays(
    there: Path, tmp_path: Path, spec: dict[str, Any] | None, records: dict[str, Any], stays: bool
) -> None:
    task(tmp_path, spec, **records)
    assert (OLD in left(there, tmp_path)) is stays
    # One that stays is not looked at again before another week.
    assert not programs.others_unused()


def test_recently_used_programs_and_other_files_are_kept(there: Path, tmp_path: Path) -> None:
    (there / "notes.txt").touch()
    age(there / "notes.txt", 8)
    age(there / OLD, 6)
    assert left(there, tmp_path) == {OWN, OLD, "notes.txt"}


def test_a_process_notes_every_hour_that_its_program_is_in_use(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use, begun = programs.Use(), time.time()
    use.note()
    assert os.stat(there / OWN).st_mtime >= begun - 1
    for later, is_noted in ((3500, False), (3700, True), (3800, False), (-10, True)):
        age(there / OWN, 8)
        monkeypatch.setattr("time.time", lambda later=later: begun + later)
        use.note()
        assert (os.stat(there / OWN).st_mtime > begun - 60) is is_noted
