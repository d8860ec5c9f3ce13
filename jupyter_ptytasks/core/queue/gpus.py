"""Which GPUs a task gets. GPUs count as used once they are assigned, regardless of their load or free memory, because a
program may take minutes until it uses its GPU. Pure decisions.
"""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

#: Shares of a GPU are counted in thousandths, so that three thirds fit.
_WHOLE = 1000


@dataclass(frozen=True)
class Gpu:
    """A GPU that tasks may use. `index` is its number in PCI bus order, as in nvidia-smi. `stranger` describes other
    users' processes on it, in words; unless it is empty, no task gets the GPU.
    """

    uuid: str
    index: int
    stranger: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {"uuid": self.uuid, "index": self.index, "stranger": self.stranger}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Gpu:
        """Read the result of `to_json`. Raises KeyError, TypeError or ValueError for garbage."""
        return cls(str(value["uuid"]), int(value["index"]), str(value["stranger"]))


@dataclass(frozen=True)
class Given:
    """The GPUs that a task gets: their UUIDs, and the share of each, at most 1."""

    uuids: tuple[str, ...]
    share: float


class NoGpu(Exception):
    """A task gets no GPU now; the message says why. `for_ever`: not even when all other tasks have ended."""

    def __init__(self, message: str, *, for_ever: bool = False) -> None:
        super().__init__(message)
        self.for_ever = for_ever


def named(gpus: Sequence[Gpu], names: Iterable[str]) -> list[Gpu]:
    """Return the GPUs with these `names`, in the same order. A name is an index or the beginning of a UUID; names that
    match no GPU are left out.
    """
    found: list[Gpu] = []
    for name in names:
        fits = [gpu for gpu in gpus if (str(gpu.index) == name if name.isdigit() else gpu.uuid.startswith(name))]
        found += [gpu for gpu in fits[:1] if gpu not in found]
    return found


def visible(gpus: Sequence[Gpu], setting: str | None) -> list[Gpu]:
    """Return the GPUs allowed by a value of CUDA_VISIBLE_DEVICES; None allows all.

    As in CUDA, everything after an invalid name is ignored (CUDA C++ Programming Guide, "CUDA environment variables").
    """
    if setting is None:
        return list(gpus)
    found: list[Gpu] = []
    for name in setting.split(","):
        fits = named(gpus, [name.strip()] if name.strip() else [])
        if not fits:
            break
        found += [gpu for gpu in fits if gpu not in found]
    return found


class Pool:
    """The free GPUs. `look` returns all GPUs, None while they are not known; it is called when one is needed."""

    def __init__(self, look: Callable[[], Sequence[Gpu] | None]) -> None:
        self._look = look
        self._gpus: Sequence[Gpu] | None = None
        #: Whether a task has needed a GPU, and whether they were known.
        self.is_needed = False
        self.is_known = False
        self._used: dict[str, int] = {}
        #: GPUs reserved for tasks that come first but do not fit yet.
        self._promised: set[str] = set()

    def take(self, given: Given) -> None:
        """Count the GPUs of a task as used."""
        for uuid in given.uuids:
            self._used[uuid] = self._used.get(uuid, 0) + _share(given.share)

    def give(self, amount: float, names: Iterable[str] | None) -> Given:
        """Return the GPUs for a task that requests `amount`: a number of whole GPUs, or a share of one. `names` are the
        GPUs it may use, in order of preference; None for any. Raises NoGpu; in this case the GPUs are reserved for this
        task, and later ones do not get them.

        Shares are placed on GPUs that are already shared, so that whole GPUs stay free.
        """
        if not self.is_needed:
            self.is_needed = True
            self._gpus = self._look()
            self.is_known = self._gpus is not None
        if self._gpus is None:
            raise NoGpu("the GPUs of this machine are being detected")
        may = list(self._gpus) if names is None else named(self._gpus, names)
        count, share = max(1, int(amount)), _share(amount)
        needs = "a GPU" if count == 1 else f"{count} GPUs"
        if len(may) < count:
            there = "none" if not may else f"only {len(may)}"
            raise NoGpu(f"needs {needs}, and there is {there} for it", for_ever=True)
        ours = [gpu for gpu in may if not gpu.stranger]
        strangers = [f"GPU {gpu.index} is used by {gpu.stranger}" for gpu in may if gpu.stranger]
        fits = [gpu for gpu in ours if gpu.uuid not in self._promised and self._left(gpu) >= share]
        if len(fits) < count:
            free = sum(self._left(gpu) == _WHOLE for gpu in ours)
            said = [f"needs {needs}: {free} of {len(may)} {'is' if free == 1 else 'are'} free", *strangers]
            for_ever = len(ours) < count
            if not for_ever:
                self._promised.update(gpu.uuid for gpu in ours)
            raise NoGpu("; ".join(said), for_ever=for_ever)
        if share < _WHOLE:
            fits.sort(key=self._left)
        given = Given(tuple(gpu.uuid for gpu in fits[:count]), min(amount, 1.0))
        self.take(given)
        return given

    def _left(self, gpu: Gpu) -> int:
        return _WHOLE - self._used.get(gpu.uuid, 0)


def _share(amount: float) -> int:
    """Return how much of each of its GPUs a task uses, in thousandths, rounded down."""
    return _WHOLE if amount >= 1 else int(amount * _WHOLE)
