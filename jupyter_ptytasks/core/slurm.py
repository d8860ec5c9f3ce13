"""The language of Slurm: options of sbatch, rows of squeue, and what its states and reasons mean for a task. Runs no
programs.

States and reasons are those of squeue(1), "JOB STATE CODES" and "JOB REASON CODES".
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from enum import Enum

from .queue.turn import When
from .states import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

#: The format for squeue -o. The comment comes last, since it may contain anything.
FORMAT = "%i|%T|%r|%B|%S|%e|%k"
#: The beginning of the comments of our jobs; the id of a task, the attempt and a random token follow.
_MARK = "ptytask"
_TIME = "%Y-%m-%dT%H:%M:%S"
_NAME_MAX = 100


@dataclass(frozen=True)
class Row:
    """A job: its id, state and reason, the node where its script runs, when it starts and ends at the latest (Unix
    seconds); unknown values are None. The comment names its task and attempt, and the `nonce` tells jobs of the same
    attempt apart.
    """

    job: str
    state: str
    reason: str | None
    node: str | None
    starts: float | None
    ends: float | None
    task: str
    attempt: int
    nonce: str

    def to_json(self) -> dict[str, Any]:
        """Return the job as in Task.job."""
        waits = self.stage in (Stage.WAITS, Stage.HELD)
        return {
            "id": self.job,
            "state": self.state,
            "reason": self.reason,
            "node": None if waits else self.node,
            "starts": self.starts if waits else None,
            "ends": None if waits else self.ends,
        }

    @property
    def stage(self) -> Stage:
        """The stage of the job."""
        if self.state == "PENDING" and self.reason in _HELD:
            return Stage.HELD
        return _STAGES.get(self.state, Stage.OVER)


class Stage(Enum):
    """The stages of a job."""

    HELD = "held"
    WAITS = "waits"
    #: Its nodes are getting ready.
    STARTS = "starts"
    RUNS = "runs"
    SUSPENDED = "suspended"
    #: Its processes have ended or are being terminated.
    LEAVES = "leaves"
    OVER = "over"


_STAGES = {
    **dict.fromkeys(
        ("PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"), Stage.WAITS
    ),
    "CONFIGURING": Stage.STARTS,
    **dict.fromkeys(("RUNNING", "RESIZING", "SIGNALING"), Stage.RUNS),
    **dict.fromkeys(("SUSPENDED", "STOPPED"), Stage.SUSPENDED),
    **dict.fromkeys(("COMPLETING", "STAGE_OUT"), Stage.LEAVES),
}
#: The reason of a job held by its user: Slurm's, ours, and in words.
HELD = ("JobHeldUser", "held_by_user", "held until it is released")
_HELD = {
    "JobHeldUser": HELD[1:],
    "JobHeldAdmin": ("held_by_admin", "held by an administrator of the cluster"),
}
_WAITS = {
    "None": "just submitted",
    "Resources": "waits for free nodes",
    "Priority": "other jobs have a higher priority",
    "Dependency": "waits for another job",
    "BeginTime": "waits for its time",
    "Licenses": "waits for licenses",
    "Reservation": "waits for its reservation",
    "ReqNodeNotAvail": "nodes that it needs are down, drained or reserved",
    "NodeDown": "a node that it needs is down",
    "PartitionDown": "the partition is down",
    "PartitionInactive": "the partition starts no jobs at the moment",
    "Cleaning": "is being cleaned up before it is requeued",
    "JobArrayTaskLimit": "the limit of running jobs of the array is reached",
    "Prolog": "the nodes are getting ready",
}
#: Reasons that never go away by waiting.
_NEVER = {
    "AccountNotAllowed": "the account may not use this partition",
    "BadConstraints": "no node has the requested resources",
    "DependencyNeverSatisfied": "its dependency can no longer be satisfied",
    "InvalidAccount": "the account is not valid",
    "InvalidQOS": "the QOS is not valid",
    "PartitionConfig": "requests more than the partition has",
    "PartitionNodeLimit": "requests more nodes than the partition allows",
    "PartitionTimeLimit": "requests more time than the partition allows",
    "QOSNotAllowed": "the QOS may not be used here",
}
#: Reasons by prefix: there are dozens of each, one for each kind of resource.
_FAMILIES = (
    ("QOS", "a QOS limit is reached"),
    ("Assoc", "a limit of the account is reached"),
    ("Max", "a limit is reached"),
    ("Nodes required", "nodes that it needs are down, drained or reserved"),
)
_ENDS = {
    "COMPLETED": (State.LOST, "no_record", "the job has ended for an unknown reason"),
    # Also if the OOM killer or an accounting plugin has killed it: Slurm reports JobLaunchFailure then.
    "FAILED": (State.FAILED, "killed_outside", "killed from outside; it may have needed more memory than it requested"),
    "TIMEOUT": (State.TIMED_OUT, "slurm_limit", "the time limit of the job was reached"),
    "DEADLINE": (State.TIMED_OUT, "slurm_deadline", "the deadline of the job was reached"),
    "CANCELLED": (State.CANCELLED, "cancelled_in_slurm", "the job was canceled by scancel or an administrator"),
    "OUT_OF_MEMORY": (State.FAILED, "out_of_memory", "used more memory than it requested"),
    "NODE_FAIL": (State.LOST, "node_fail", "the node failed"),
    "BOOT_FAIL": (State.LOST, "node_fail", "the node did not boot"),
    "PREEMPTED": (State.CANCELLED, "preempted", "preempted by a job with a higher priority"),
    "REVOKED": (State.CANCELLED, "revoked", "the job runs on another cluster"),
}


def comment(task_id: str, attempt: int, nonce: str) -> str:
    """Return the comment by which a job is found again."""
    return f"{_MARK}:{task_id}:{attempt}:{nonce}"


def sbatch(
    name: str,
    said: str,
    resources: Mapping[str, Any],
    seconds: float | None,
    *,
    hold: bool = False,
    after: Iterable[tuple[str, When]] = (),
) -> list[str]:
    """Return the arguments of sbatch for a job with the comment `said` and the requested resources (core.resources),
    whose script is its standard input. `seconds` is the default time limit; `after` are the ids of jobs that must end
    before, and how; if they end differently, the job is canceled.

    The environment of sbatch becomes that of the job: it must be small, and hold nothing secret.
    """
    asks = dict(resources)
    given = [
        "--parsable",
        f"--job-name={name[:_NAME_MAX]}",
        f"--comment={said}",
        "--export=ALL",
        # Discard what the job prints before it has a terminal; a file would be readable by everyone.
        "--output=/dev/null",
        "--chdir=/",
        "--requeue" if asks.pop("requeue", False) else "--no-requeue",
        f"--nodes={asks.pop('nodes', 1)}",
        "--ntasks-per-node=1",
    ]
    limit = asks.pop("time", seconds)
    if limit is not None:
        given.append(f"--time={duration(limit)}")
    extra = asks.pop("extra", [])
    given += [f"--{_OPTIONS.get(option, option)}={value}" for option, value in asks.items()]
    order = ",".join(f"{_AFTER[when]}:{job}" for job, when in after)
    given += [f"--dependency={order}", "--kill-on-invalid-dep=yes"] if order else []
    return [*given, *(["--hold"] if hold else []), *extra]


#: The reason of a job that is canceled because of its dependency.
_NEVER_SATISFIED = "DependencyNeverSatisfied"
_AFTER = {When.OK: "afterok", When.ANY: "afterany", When.FAILED: "afternotok"}
_OPTIONS = {"cpus": "cpus-per-task", "memory": "mem"}


def duration(seconds: float) -> str:
    """Return a time limit in Slurm's format, in whole minutes, rounded up."""
    hours, minutes = divmod(int(-(-seconds // 60)), 60)
    return f"{hours}:{minutes:02}:00"


def seconds_of(limit: str) -> int | None:
    """Return a time limit printed by Slurm in seconds; None if there is none."""
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", limit)
    if not match:
        return None
    days, hours, minutes, rest = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def rows(text: str) -> dict[str, Row]:
    """Return our jobs by id, from the output of squeue in FORMAT; other jobs are left out."""
    found = {}
    for line in text.splitlines():
        parts = line.split("|", 6)
        said = parts[-1].split(":")
        if len(parts) != 7 or len(said) != 4 or said[0] != _MARK or not said[2].isdecimal():
            continue
        job, state, reason, node = parts[:4]
        found[job] = Row(
            job=job,
            state=state,
            reason=reason if reason not in ("", "None", "(null)") else None,
            node=node if node not in ("", "n/a", "(null)", "None") else None,
            starts=_moment(parts[4]),
            ends=_moment(parts[5]),
            task=said[1],
            attempt=int(said[2]),
            nonce=said[3],
        )
    return found


def partitions(text: str) -> list[dict[str, Any]]:
    """Return the partitions from the output of sinfo as `%R|%a|%l|%D|%c|%m|%G|%P`, one line per kind of node."""
    found: dict[str, dict[str, Any]] = {}
    for line in text.splitlines():
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != 8:
            continue
        name, up, limit, nodes, cpus, memory, gres, marked = parts
        one = found.setdefault(
            name,
            {"name": name, "default": marked.endswith("*"), "up": up == "up", "nodes": 0, "cpus": 0, "memory": None,
             "gpus": [], "max_time": seconds_of(limit)},
        )  # fmt: skip
        one["nodes"] += _number(nodes)
        one["cpus"] = max(one["cpus"], _number(cpus))
        size = max(_number((one["memory"] or "0M")[:-1]), _number(memory))
        one["memory"] = f"{size}M" if size else None
        one["gpus"] = sorted({*one["gpus"], *_gpus(gres)})
    return list(found.values())


def associations(text: str) -> dict[str, list[str]]:
    """Return the `accounts` and the `qos` from the output of sacctmgr as `Account|QOS,QOS`."""
    accounts, qualities = set(), set()
    for line in text.splitlines():
        account, _, qos = line.strip().partition("|")
        accounts.add(account)
        qualities.update(qos.split(","))
    return {"accounts": sorted(accounts - {""}), "qos": sorted(qualities - {""})}


def _number(text: str) -> int:
    match = re.match(r"\d+", text)  # 16+: and more on other nodes
    return int(match[0]) if match else 0


def _gpus(gres: str) -> list[str]:
    plain = re.sub(r"\([^)]*\)", "", gres)
    return [one.removeprefix("gpu:") for one in plain.split(",") if one.startswith("gpu:")]


def _moment(text: str) -> float | None:
    try:
        return time.mktime(time.strptime(text, _TIME))
    except (ValueError, OverflowError):
        return None  # N/A, NONE, Unknown


def waiting(row: Row) -> tuple[State, str, str]:
    """Return the state of a task whose job is pending, the reason, and the reason in words."""
    reason = row.reason or "None"
    if row.stage is Stage.HELD:
        return (State.HELD, *_HELD[reason])
    # Some add details after a comma: which nodes they wait for.
    short = reason.replace("_", " ").split(",")[0].strip("() ")
    if short in _NEVER:
        return State.QUEUED, _snake(short), f"cannot start as requested: {_NEVER[short]} (Slurm: {reason})"
    words = _WAITS.get(short) or next((text for begin, text in _FAMILIES if short.startswith(begin)), "")
    said = f" (Slurm: {reason})" if short != "None" else ""
    return State.QUEUED, "submitted" if short == "None" else _snake(short), f"{words or 'waits'}{said}"


def is_live(state: str) -> bool:
    """Return whether a job in this state may still run."""
    return state in _STAGES


def ending(state: str, reason: str | None) -> tuple[State, str, str]:
    """Return the final state of a task from the final state of its job, the reason, and the reason in words."""
    if (state, reason) == ("CANCELLED", _NEVER_SATISFIED):
        ours, short, words = State.CANCELLED, "dependency", "a task that it waits for did not end as it must"
        return ours, short, f"{words} (Slurm: {reason})"
    ours, short, words = _ENDS.get(state, (State.LOST, _snake(state), "the job has ended"))
    said = state if reason is None or state == "CANCELLED" else f"{state}, {reason}"
    return ours, short, f"{words} (Slurm: {said})"


def decides(state: str) -> bool:
    """Return whether the final state of a job says more than the signal that ended its command."""
    return state not in ("COMPLETED", "FAILED", "")


def _snake(reason: str) -> str:
    """Return `QOSMaxJobsPerUserLimit` as qos_max_jobs_per_user_limit."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", reason)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")[:64]


def fault(said: str) -> tuple[str, str]:
    """Return the error message of sbatch, and the field of the request that caused it."""
    lines = [re.sub(r"^\w+: (error: |fatal: )?", "", line).strip() for line in said.splitlines()]
    lines = [line.removeprefix("Batch job submission failed: ") for line in lines if line]
    text = lines[-1] if lines else "sbatch has failed"
    lower = text.lower()
    blamed = next((name for word, name in _BLAMED if word in lower), "")
    return text, f"resources.{blamed}" if blamed else "resources"


_BLAMED = (
    ("partition", "partition"),
    ("account", "account"),
    ("qos", "qos"),
    ("quality of service", "qos"),
    ("memory", "memory"),
    ("feature", "constraint"),
    ("time limit", "time"),
    ("gres", "gpus"),
    ("gpu", "gpus"),
    ("reservation", "reservation"),
    ("begin", "begin"),
    ("cpu", "cpus"),
    ("node count", "nodes"),
)
#: Error messages if slurmctld does not respond. A request that timed out may have been executed.
_AWAY = ("unable to contact slurm controller", "connection refused", "could not establish a configuration source",
         "failed to fetch config")  # fmt: skip


def is_away(said: str) -> bool:
    """Return whether a Slurm command failed because it could not reach the controller, so it had no effect."""
    return any(one in said.lower() for one in _AWAY)
