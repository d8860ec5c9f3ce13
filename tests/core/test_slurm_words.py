"""The options passed to Slurm, and the mapping of Slurm's job states to task states, row by row."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_ptytasks.core import slurm
from jupyter_ptytasks.core.queue.turn import When
from jupyter_ptytasks.core.slurm import Row, Stage
from jupyter_ptytasks.core.states import State

FAILED = "sbatch: error: Batch job submission failed: "
RECORDED = Path(__file__).parent.parent / "data" / "slurm" / "squeue-22.05.txt"


def row(state: str, reason: str | None = None) -> Row:
    return Row("1", state, reason, None, None, None, "mwqbfszct2wd", 1, "nonce")


def recorded() -> dict[str, Row]:
    """Return the recorded jobs by the word in their comments."""
    return {found.nonce: found for found in slurm.rows(RECORDED.read_text()).values()}


def test_recorded_rows_say_how_far_jobs_are() -> None:
    stages = {word: found.stage for word, found in recorded().items()}
    over = ("completed", "failed", "killed", "refused", "nodefail", "cancelled")
    waits = ("later", "dependency", "resources", "toomuch", "priority", "requeued")
    assert stages == {
        **dict.fromkeys(over, Stage.OVER),
        **dict.fromkeys(waits, Stage.WAITS),
        **dict.fromkeys(("held", "admin"), Stage.HELD),
        **dict.fromkeys(("running", "limited"), Stage.RUNS),
        "suspended": Stage.SUSPENDED,
    }


def test_a_row_has_its_task_its_node_and_its_times() -> None:
    found = recorded()["limited"]
    moment = time.mktime((2026, 11, 26, 16, 59, 1, 0, 0, -1))
    assert (found.job, found.task, found.attempt, found.node) == ("15", "m15", 1, "n1")
    assert found.to_json() == {
        "id": "15", "state": "RUNNING", "reason": None, "node": "n1", "starts": None, "ends": moment,
    }  # fmt: skip
    later = recorded()["later"].to_json()
    assert (later["node"], later["starts"], later["ends"]) == (
        None,
        time.mktime((2026, 11, 26, 17, 57, 40, 0, 0, -1)),
        None,
    )


def test_jobs_of_others_and_what_makes_no_sense_are_left_out() -> None:
    text = "1|RUNNING|None|n1|N/A|N/A|(null)\n2|RUNNING|None|n1|N/A|N/A|a|b:c\n\nslurm_load_jobs error\n"
    text += "3|RUNNING|None|n1|N/A|N/A|ptytask:x:one:y\n4|RUNNING|None|n1|N/A|N/A|ptytask:x:2:y\n"
    assert [found.job for found in slurm.rows(text).values()] == ["4"]


@pytest.mark.parametrize(
    ("state", "reason", "ours", "short", "words"),
    [
        ("PENDING", "JobHeldUser", State.HELD, "held_by_user", "held until"),
        ("PENDING", "JobHeldAdmin", State.HELD, "held_by_admin", "administrator"),
        ("PENDING", None, State.QUEUED, "submitted", "just submitted"),
        ("PENDING", "Resources", State.QUEUED, "resources", "waits for free nodes (Slurm: Resources)"),
        ("PENDING", "Priority", State.QUEUED, "priority", "higher priority"),
        ("PENDING", "Dependency", State.QUEUED, "dependency", "another job"),
        ("PENDING", "BeginTime", State.QUEUED, "begin_time", "its time"),
        ("PENDING", "QOSMaxJobsPerUserLimit", State.QUEUED, "qos_max_jobs_per_user_limit", "QOS limit"),
        ("PENDING", "AssocGrpCpuLimit", State.QUEUED, "assoc_grp_cpu_limit", "limit of the account"),
        ("PENDING", "ReqNodeNotAvail, UnavailableNodes:n[1-2]", State.QUEUED, "req_node_not_avail", "n[1-2]"),
        ("PENDING", "Nodes required are DOWN, DRAINED or so", State.QUEUED, "nodes_required_are_down", "nodes that"),
        ("PENDING", "SomethingNew", State.QUEUED, "something_new", "waits (Slurm: SomethingNew)"),
        ("PENDING", "PartitionConfig", State.QUEUED, "partition_config", "cannot start as requested"),
        ("PENDING", "DependencyNeverSatisfied", State.QUEUED, "dependency_never_satisfied", "cannot start as"),
        ("PENDING", "PartitionTimeLimit", State.QUEUED, "partition_time_limit", "cannot start as requested"),
        ("REQUEUED", None, State.QUEUED, "submitted", ""),
        ("REQUEUE_HOLD", "job requeued in held state", State.QUEUED, "job_requeued_in_held_state", "waits"),
    ],
)  # fmt: skip
def test_why_a_job_waits(state: str, reason: str | None, ours: State, short: str, words: str) -> None:
    found = slurm.waiting(row(state, reason))
    assert found[:2] == (ours, short)
    assert words in found[2]


@pytest.mark.parametrize(
    ("state", "reason", "ours", "short", "decides"),
    [
        ("COMPLETED", None, State.LOST, "no_record", False),
        ("FAILED", "NonZeroExitCode", State.FAILED, "killed_outside", False),
        ("FAILED", "JobLaunchFailure", State.FAILED, "killed_outside", False),
        ("TIMEOUT", "TimeLimit", State.TIMED_OUT, "slurm_limit", True),
        ("DEADLINE", "DeadLine", State.TIMED_OUT, "slurm_deadline", True),
        ("CANCELLED", "Priority", State.CANCELLED, "cancelled_in_slurm", True),
        ("CANCELLED", "DependencyNeverSatisfied", State.CANCELLED, "dependency", True),
        ("OUT_OF_MEMORY", "OutOfMemory", State.FAILED, "out_of_memory", True),
        ("NODE_FAIL", "NodeDown", State.LOST, "node_fail", True),
        ("BOOT_FAIL", None, State.LOST, "node_fail", True),
        ("PREEMPTED", None, State.CANCELLED, "preempted", True),
        ("SOMETHING_NEW", None, State.LOST, "something_new", True),
    ],
)
def test_ends_of_jobs(state: str, reason: str | None, ours: State, short: str, decides: bool) -> None:
    assert slurm.ending(state, reason)[:2] == (ours, short)
    assert slurm.decides(state) is decides
    assert not slurm.is_live(state)


def test_the_arguments_of_sbatch() -> None:
    asks: dict[str, Any] = {
        "cpus": 4, "memory": "8192M", "gpus": "a100:2", "time": 5430, "partition": "gpu", "nodes": 2, "requeue": True,
        "extra": ["--exclusive"],
    }  # fmt: skip
    told = slurm.sbatch("train", "ptytask:x:1:y", asks, 60.0, hold=True)
    assert told == [
        "--parsable", "--job-name=train", "--comment=ptytask:x:1:y", "--export=ALL", "--output=/dev/null", "--chdir=/",
        "--requeue", "--nodes=2", "--ntasks-per-node=1", "--time=1:31:00", "--cpus-per-task=4", "--mem=8192M",
        "--gpus=a100:2", "--partition=gpu", "--hold", "--exclusive",
    ]  # fmt: skip
    after = [("7", When.OK), ("8", When.ANY), ("9", When.FAILED)]
    told = slurm.sbatch("report", "c", {"extra": ["--exclusive"]}, None, after=after)
    assert told[-3:] == ["--dependency=afterok:7,afterany:8,afternotok:9", "--kill-on-invalid-dep=yes", "--exclusive"]
    plain = slurm.sbatch("-x", "c", {}, None)
    assert not any("dep" in word for word in plain)
    assert "--no-requeue" in plain
    assert not any(word.startswith("--time") for word in plain)
    assert all(word.startswith("--") for word in plain)


@pytest.mark.parametrize(
    ("said", "text", "field"),
    [
        (
            f"sbatch: error: invalid partition specified: nope\n{FAILED}Invalid partition name specified\n",
            "Invalid partition name specified",
            "resources.partition",
        ),
        (
            f"sbatch: error: Memory specification is bad\n{FAILED}Requested node configuration is not available",
            "Requested node configuration is not available",
            "resources",
        ),
        (f"{FAILED}Invalid feature specification", "Invalid feature specification",
         "resources.constraint"),
        ("", "sbatch has failed", "resources"),
    ],
)  # fmt: skip
def test_errors_of_sbatch(said: str, text: str, field: str) -> None:
    assert slurm.fault(said) == (text, field)


@pytest.mark.parametrize(
    ("said", "is_away"),
    [
        ("slurm_load_jobs error: Unable to contact slurm controller (connect failure)", True),
        ("sinfo: fatal: Could not establish a configuration source", True),
        # It may have been done.
        ("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation", False),
        ("sbatch: error: Batch job submission failed: Invalid account", False),
    ],
)
def test_whether_the_controller_was_reached(said: str, is_away: bool) -> None:
    assert slurm.is_away(said) is is_away


def test_accounts_and_qualities_of_service() -> None:
    assert slurm.associations("lab|normal,high\nteam|\nlab|normal\n\n") == {
        "accounts": ["lab", "team"],
        "qos": ["high", "normal"],
    }
    assert slurm.associations("") == {"accounts": [], "qos": []}


def test_partitions() -> None:
    found = slurm.partitions(
        "main|up|infinite|2|4|1000|(null)|main*\n"
        "gpu|up|2-00:00:00|4|64+|256000+|gpu:a100:4(S:0-1),lustre:1|gpu\n"
        "gpu|up|2-00:00:00|1|32|128000|gpu:4|gpu\n"
        "old|down|30:00|1|2|100|(null)|old\nnonsense\n"
    )
    names = ("name", "default", "up", "nodes", "cpus", "memory", "gpus", "max_time")
    assert [tuple(one[name] for name in names) for one in found] == [
        ("main", True, True, 2, 4, "1000M", [], None),
        ("gpu", False, True, 5, 64, "256000M", ["4", "a100:4"], 172800),
        ("old", False, False, 1, 2, "100M", [], 1800),
    ]
    assert all(set(one) == set(names) for one in found)
