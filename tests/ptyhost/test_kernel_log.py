"""Messages of the OOM killer in kernel logs, and which of them are about the task."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.why import Ending, explain
from jupyter_ptytasks.ptyhost import kernel_log

if TYPE_CHECKING:
    from pathlib import Path

TABLE = """\
[  517.118020] [ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name
[  517.118031] [ 4242]  1000  4242  2023204  1944820    3921        0             0 python"""
REST = "total-vm:8092816kB, anon-rss:7778000kB, file-rss:1280kB"
#: The lines of each kernel, as dmesg shows them, and what they say: pid, name, kB, uid, group.
LOGS: dict[str, tuple[str, list[tuple[int, str, int, int | None, str | None]]]] = {
    "3.10": (
        f"""\
[  517.117003] python invoked oom-killer: gfp_mask=0x280da, order=0, oom_score_adj=0
{TABLE}
[  517.118044] Out of memory: Kill process 4242 (python) score 905 or sacrifice child
[  517.118102] Killed process 4242 (python) {REST}""",
        [(4242, "python", 7779280, None, None)],
    ),
    "3.10 of RHEL 7, a child is sacrificed": (
        f"""\
[  517.118044] Out of memory: Kill process 4242 (python) score 905 or sacrifice child
[  517.118102] Killed process 4250 (pt main), UID 1000, {REST}, shmem-rss:720kB""",
        [(4250, "pt main", 7780000, 1000, None)],
    ),
    "4.4, a control group": (
        f"""\
[  517.118010] Task in /docker/3f1c killed as a result of limit of /docker/3f1c
[  517.118021] memory: usage 65536kB, limit 65536kB, failcnt 12
[  517.118044] Memory cgroup out of memory: Kill process 4242 (python) score 1009 or sacrifice child
[  517.118102] Killed process 4242 (python) {REST}
[  518.000000] Out of memory: Kill process 77 (other) score 9 or sacrifice child
[  518.000001] Killed process 77 (other) {REST}""",
        [(4242, "python", 7779280, None, "/docker/3f1c"), (77, "other", 7779280, None, None)],
    ),
    "4.19": (
        f"""\
[  517.118044] Out of memory: Kill process 4242 ((python)) score 905 or sacrifice child
[  517.118102] Killed process 4242 ((python)) {REST}, shmem-rss:0kB
[  517.201999] oom_reaper: reaped process 4242 ((python)), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB""",
        [(4242, "(python)", 7779280, None, None)],
    ),
    "5.0": (
        f"""\
[  517.118044] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,\
task_memcg=/user.slice/user-1000.slice,task=python,pid=4242,uid=1000
[  517.118102] Out of memory: Killed process 4242 (python) {REST}, shmem-rss:0kB""",
        [(4242, "python", 7779280, 1000, "/user.slice/user-1000.slice")],
    ),
    "5.15": (
        f"""\
[  517.118044] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=a.scope,mems_allowed=0-1,\
oom_memcg=/kubepods.slice/pod1,task_memcg=/kubepods.slice/pod1/a.scope,task=pt_main_thread,pid=4242,uid=0
[  517.118102] Memory cgroup out of memory: Killed process 4242 (pt_main_thread) {REST}, shmem-rss:8kB, UID:0 \
pgtables:15720kB oom_score_adj:969""",
        [(4242, "pt_main_thread", 7779288, 0, "/kubepods.slice/pod1/a.scope")],
    ),
    "5.15, the whole group": (
        f"""\
[  517.118102] Tasks in /kubepods.slice/pod1 are going to be killed due to memory.oom.group set
[  517.118103] Memory cgroup out of memory: Killed process 4242 (node) {REST}, shmem-rss:0kB, UID:0 pgtables:1kB \
oom_score_adj:969
[  517.118104] Memory cgroup out of memory: Killed process 4243 (node) {REST}, shmem-rss:0kB, UID:0 pgtables:1kB \
oom_score_adj:969""",
        [(4242, "node", 7779280, 0, None), (4243, "node", 7779280, 0, None)],
    ),
    "6.18, with callers": (
        f"""\
[  517.118044][ T9185] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/lab/t,\
task_memcg=/lab/t,task=python,pid=4242,uid=1000
[  517.118102][ T9185] Memory cgroup out of memory: Killed process 4242 (python) {REST}, shmem-rss:0kB, UID:1000 \
pgtables:240kB oom_score_adj:0""",
        [(4242, "python", 7779280, 1000, "/lab/t")],
    ),
    "none": (
        """\
[  517.118044] Killed process accounting enabled
[  517.118045] python[4242]: segfault at 0 ip 00007f sp 00007f error 4 in libc.so.6[7f+1]
[  517.118046] audit: Out of memory: Kill process""",
        [],
    ),
}


@pytest.mark.parametrize("log", LOGS)
def test_messages_of_kernels(log: str) -> None:
    text, wanted = LOGS[log]
    found = kernel_log.kills(text.splitlines())
    assert [(kill.pid, kill.name, kill.rss >> 10, kill.uid, kill.group) for kill in found] == wanted
    assert all(517 < kill.at < 519 for kill in found)


def test_the_same_from_the_device() -> None:
    text = "3,1239,517118102,-;Out of memory: Killed process 4242 (python) " + REST
    (kill,) = kernel_log.kills(["garbage", text, ""])
    assert (kill.at, kill.pid) == (517.118102, 4242)


OURS: dict[str, Any] = {"pid": 4242, "since": 500.0, "now": 518.0, "group": "/lab/t", "uid": 1000, "same_pids": True}


@pytest.mark.parametrize(
    ("log", "about", "sure"),
    [
        ("6.18, with callers", {}, True),
        ("3.10", {}, True),
        # A child of the command, of the same user or in the same control group.
        ("6.18, with callers", {"pid": 4200}, False),
        ("3.10 of RHEL 7, a child is sacrificed", {"group": "/"}, False),
        ("6.18, with callers", {"pid": 4200, "uid": 0}, False),
        # In a container the numbers are others, and the kills may be anybody's.
        ("6.18, with callers", {"same_pids": False}, False),
        ("6.18, with callers", {"same_pids": False, "group": "/"}, None),
        # Somebody else's, and one of long ago.
        ("5.15", {"pid": 4200}, None),
        ("3.10", {"pid": 4200}, None),
        ("6.18, with callers", {"since": 5000.0, "now": 5001.0}, None),
        ("6.18, with callers", {"pid": 4200, "now": 5000.0}, None),
        ("none", {}, None),
    ],
)
def test_entries_about_the_task(log: str, about: dict[str, Any], sure: bool | None) -> None:
    found = kernel_log.choose(kernel_log.kills(LOGS[log][0].splitlines()), **{**OURS, **about})
    assert (None if found is None else found["sure"]) == sure


@given(st.lists(st.text("Killed process 12(a), UID total-vm:kB[.]:=oom-kill;\n", max_size=80), max_size=5))
def test_garbage_never_fails(records: list[str]) -> None:
    assert isinstance(kernel_log.kills([f"[ 1.0] {record}" for record in records]), list)


def test_a_log_that_may_not_be_read_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (str(tmp_path), str(tmp_path / "no")):
        monkeypatch.setattr(kernel_log, "_DEVICE", path)
        assert kernel_log.killed(os.getpid(), 0.0) is None


def test_a_log_without_end_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_log, "_DEVICE", "/dev/zero")
    assert kernel_log.killed(os.getpid(), 0.0) is None


def test_the_reason_names_the_oom_killer() -> None:
    record = {"code": None, "signal": "SIGKILL", "rusage": {"max_rss": 7779280 << 10}}
    kill = {"pid": 4242, "name": "python", "rss": 7779280 << 10, "sure": True}
    said = explain(Ending.from_record({**record, "kernel_kill": kill}), [])
    assert said is not None
    assert said.kind == "memory"
    assert said.message == "killed by the OOM killer; its largest process had used 7.4 GiB"
    below = {**record, "code": 137, "signal": None, "kernel_kill": {**kill, "sure": False}}
    said = explain(Ending.from_record(below), [(7, "Killed")])
    assert said is not None
    assert (said.kind, said.lines) == ("memory", ((7, "Killed"),))
    assert said.message == "killed by SIGKILL; the OOM killer has killed python, which used 7.4 GiB"
    # Somebody sent it, whatever the kernel did.
    said = explain(Ending.from_record({**record, "signaled": "SIGKILL", "kernel_kill": kill}), [])
    assert said is not None
    assert said.kind == "signal"
    strange: tuple[Any, ...] = (None, [], {"name": 3, "rss": "x", "sure": 1})
    for odd in strange:
        assert Ending.from_record({**record, "kernel_kill": odd}).kernel_sure is False
