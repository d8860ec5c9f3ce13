"""What control groups report about processes that the OOM killer killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.ptyhost.memory_events import MemoryEvents

if TYPE_CHECKING:
    from pathlib import Path

NONE = str(9223372036854771712)


def made(root: Path, files: dict[str, str], own: str) -> MemoryEvents:
    """Return what counts in control groups of these files."""
    write(root, {**files, "own": own})
    return MemoryEvents(str(root), str(root / "own"))


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


@pytest.mark.parametrize(
    ("directory", "own"),
    [("user.slice/lab.service", "0::/user.slice/lab.service\n"), ("", "0::/\n"), ("", "0::/kubepods/outside\n")],
)
def test_version_2_also_in_a_container(tmp_path: Path, directory: str, own: str) -> None:
    events = "low 0\nhigh 0\nmax 7\noom {0}\noom_kill {0}\noom_group_kill 0\n"
    name = f"{directory}/memory.events".lstrip("/")
    counted = made(tmp_path, {name: events.format(3), name.replace("events", "max"): "34359738368\n"}, own)
    assert counted.since() == {"oom_kills": 0, "limit": 32 << 30}
    write(tmp_path, {name: events.format(5)})
    assert counted.since() == {"oom_kills": 2, "limit": 32 << 30}


@pytest.mark.parametrize("directory", ["memory/lab", "memory"])
def test_version_1_also_in_a_container(tmp_path: Path, directory: str) -> None:
    events = "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n"
    files = {f"{directory}/memory.oom_control": events.format(1), f"{directory}/memory.limit_in_bytes": NONE}
    counted = made(tmp_path, files, "5:cpu,cpuacct:/lab\n4:memory:/lab\n0::/\n")
    write(tmp_path, {f"{directory}/memory.oom_control": events.format(2)})
    assert counted.since() == {"oom_kills": 1, "limit": None}


@pytest.mark.parametrize("text", ["", "oom_kill\n", "oom_kill x\n", "\xff\xfe\n"])
def test_what_cannot_be_read_is_unknown(tmp_path: Path, text: str) -> None:
    assert made(tmp_path, {"memory.events": text}, "nonsense\n0::/\n").since() is None
    assert MemoryEvents(str(tmp_path / "no"), str(tmp_path / "no")).since() is None


def test_a_group_that_vanishes_is_unknown(tmp_path: Path) -> None:
    counted = made(tmp_path, {"memory.events": "oom_kill 1\n", "memory.max": "max\n"}, "0::/\n")
    assert counted.since() == {"oom_kills": 0, "limit": None}
    (tmp_path / "memory.events").unlink()
    assert counted.since() is None
