"""How an exit record explains the end of a command: requested signals, and memory."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core import wire
from tests.ptyhost.hosting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ptyhost.hosting import Hosted

LIMIT = 96 << 20
EATS = """
import os, sys, time
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
held = []
while True:
    held.append(b"x" * (4 << 20))
"""


class SmallGroup:
    """A control group with little memory. Raises OSError if none can be made."""

    def __init__(self) -> None:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        groups = {line.split(":")[1]: line.split(":")[2] for line in lines}
        is_old = "memory" in groups
        mount = Path("/sys/fs/cgroup", "memory" if is_old else "")
        self.above = mount / groups["memory" if is_old else ""].lstrip("/")
        self.path = self.above / f"ptytasks-tests-{os.getpid()}"
        self.path.mkdir()
        (self.path / ("memory.limit_in_bytes" if is_old else "memory.max")).write_text(str(LIMIT))

    def enter(self) -> None:
        """Move this process into it."""
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def leave(self) -> None:
        """Move this process back."""
        (self.above / "cgroup.procs").write_text(str(os.getpid()))

    def is_removed(self) -> bool:
        """Try to remove it, which takes until all processes in it are gone."""
        try:
            self.path.rmdir()
        except OSError:
            return False
        return True


@pytest.fixture
def small_group() -> Iterator[SmallGroup]:
    try:
        group = SmallGroup()
    except (OSError, KeyError):
        pytest.skip("no control group with a limit of memory can be made here")
    yield group
    group.leave()
    wait_until(group.is_removed)


def test_a_process_that_the_kernel_kills_for_want_of_memory_is_counted(
    hosted: Hosted, small_group: SmallGroup, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    hosted.prepare(sys.executable, "-I", "-S", "-c", EATS, str(go))
    small_group.enter()
    hosted.execute(dict(os.environ))
    small_group.leave()
    go.touch()
    record = hosted.ended()
    assert (record["signal"], record["signaled"]) == ("SIGKILL", None)
    assert record["memory"]["oom_kills"] >= 1
    assert record["memory"]["limit"] == LIMIT


def can_read_the_log() -> bool:
    """Whether the log of the kernel may be read here, and counts processes as we do."""
    try:
        os.close(os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK))
        return os.readlink("/proc/self/ns/pid") == "pid:[4026531836]"
    except OSError:
        return False


@pytest.mark.skipif(not can_read_the_log(), reason="the log of the kernel cannot be read here")
@pytest.mark.parametrize("below_a_shell", [False, True])
def test_without_control_groups_the_kernel_log_is_read(
    hosted: Hosted, small_group: SmallGroup, tmp_path: Path, below_a_shell: bool
) -> None:
    """The ptyhost is outside of the group with too little memory, so its own group counts no kills."""
    go, script = tmp_path / "go", tmp_path / "eats.py"
    script.write_text(EATS)
    enter = f"echo $$ > {small_group.path}/cgroup.procs; "
    runs = f"exec {sys.executable} -I -S {script} {go}"
    hosted.start("sh", "-c", enter + (f"({runs}); exit $?" if below_a_shell else runs))
    go.touch()
    record = hosted.ended()
    assert (record["code"], record["signal"]) == ((137, None) if below_a_shell else (None, "SIGKILL"))
    assert record["memory"] is None or record["memory"]["oom_kills"] == 0
    kill = record["kernel_kill"]
    assert kill["sure"] is not below_a_shell
    # Pages of files count beyond the limit.
    assert LIMIT // 2 < kill["rss"] < LIMIT * 2
    assert kill["name"].startswith("python")


def test_nothing_was_killed_for_want_of_memory_otherwise(hosted: Hosted) -> None:
    hosted.start("sh", "-c", "kill -KILL $$")
    record = hosted.ended()
    assert (record["signal"], record["signaled"]) == ("SIGKILL", None)
    assert record["memory"] is None or record["memory"]["oom_kills"] == 0
    assert record["kernel_kill"] is None


@pytest.mark.parametrize(("sent", "told"), [(["SIGTERM"], "SIGTERM"), (["SIGSTOP", "SIGCONT", "SIGKILL"], "SIGKILL")])
def test_a_requested_signal_is_recorded(hosted: Hosted, sent: list[str], told: str) -> None:
    hosted.start("sh", "-c", "echo ready; while :; do sleep 0.05; done")
    hosted.wait_output(b"ready")
    link = hosted.connect(role="link")
    for name in sent:
        link.send_json(wire.SIGNAL, signal=name, target="tree")
    record = hosted.ended()
    assert (record["signal"], record["signaled"]) == (told, told)


def test_a_pause_is_not_a_signal_that_ends_the_task(hosted: Hosted) -> None:
    hosted.start("sh", "-c", "echo ready; sleep 0.3; exit 3")
    hosted.wait_output(b"ready")
    link = hosted.connect(role="link")
    for name in ("SIGSTOP", "SIGCONT"):
        link.send_json(wire.SIGNAL, signal=name, target="tree")
    record = hosted.ended()
    assert (record["code"], record["signaled"]) == (3, None)
