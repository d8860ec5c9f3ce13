"""Places: their description, the resources that a task requests there, and its job."""

from __future__ import annotations

from typing import Literal

from ..literals import Count, Number, Time
from .typed import TypedDict


class Resources(TypedDict, total=False):
    """Resources that a task requests from a batch system; missing fields get the default there."""

    cpus: Number
    """CPUs on each node."""
    memory: str
    """Memory on each node, such as `16384M`."""
    gpus: str
    """GPUs: a number, or a type and a number such as `a100:2`."""
    time: Number
    """Time limit in seconds."""
    partition: str
    account: str
    qos: str
    constraint: str
    nodes: Number
    """Nodes; the command runs on the first."""
    reservation: str
    begin: str
    """The earliest time to start."""
    requeue: bool
    """Whether the batch system may requeue the job."""
    extra: list[str]
    """More options of the batch system."""


class Job(TypedDict):
    """A job of a batch system."""

    id: str
    node: str | None
    """Where it runs or ran; null while it is pending."""
    state: str | None
    """Its state in the batch system; null if unknown."""
    reason: str | None
    """The batch system's reason for that state; null if it has none or it is unknown."""
    starts: Time | None
    """When it is expected to start; null if unknown, or if it has started."""
    ends: Time | None
    """When its time limit is reached; null if unknown."""


class Calls(TypedDict):
    """How often a program was called."""

    minute: Count
    """In the last minute."""
    hour: Count


class PlaceAbout(TypedDict):
    """Where tasks can run."""

    name: str
    """`local`, `slurm`, `ssh:` and the name of a host, or a configured name."""
    kind: Literal["local", "ssh", "slurm", "parsl"]
    reachable: bool | None
    """Whether it can be reached; null if not tried yet."""
    problem: str | None
    """Why it cannot be reached, and what to do; null if it can, or was not tried."""
    login: str | None
    """The command to run in a terminal if a login is required; null otherwise, or if not tried yet."""
    shares_files: bool
    """Whether tasks there see the files of the server's machine."""
    output: Literal["files", "mirror", "copy"]
    """Where the output of running tasks is read: in their `files`; while a viewer is attached, in a `mirror` of shared
    files that show changes late; or in a `copy` of remote files.
    """
    queue: bool
    """Whether tasks can be held there, and wait in the queue for their turn."""
    resources: list[str]
    """The fields of `resources` that the place accepts."""
    calls: dict[str, Calls]
    """How often the programs of a batch system, such as `squeue`, were called by all servers of the data directory;
    empty for other places."""


class PlaceList(TypedDict):
    """This machine, the hosts of the user's ssh configuration, and all other places in use."""

    places: list[PlaceAbout]


class Partition(TypedDict):
    """A partition or queue of a batch system; numbers are for its largest node."""

    name: str
    default: bool
    """Whether it is taken if none is given."""
    up: bool
    """Whether its jobs start."""
    nodes: Count
    cpus: Count
    memory: str | None
    """As in `resources`; null if unknown."""
    gpus: list[str]
    """Types and numbers, such as `a100:4`."""
    max_time: Number | None
    """The longest time limit, in seconds; null if there is none."""


class PlaceOptions(TypedDict):
    """What a task at a place can request."""

    name: str
    resources: list[str]
    """The fields of `resources` that the place accepts."""
    partitions: list[Partition]
    accounts: list[str]
    """Accounts that can be charged; empty if unknown."""
    qos: list[str]
    """QOS that can be requested; empty if unknown."""
