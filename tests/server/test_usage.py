"""Resource usage of tasks: of the whole tree, sampled at limited rates, with peak values that are never lost."""

from __future__ import annotations

import importlib
import os
import shlex
import sys
import types
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from jupyter_ptytasks.server.monitor import gpu, processes, sampler, samples
from tests.client.live import LiveServer, ended, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_ptytasks.client import Client, Task
    from jupyter_ptytasks.server.parts import Parts
    from tests.server.conftest import Rest

MIB = 1 << 20
#: Takes 200 MiB until it gets a line, then gives them back and waits for another one.
GREEDY = "much = b'x' * (200 << 20); print('has it', flush=True); input(); del much; input()"


@pytest.fixture
def live(start_server: Callable[..., LiveServer]) -> LiveServer:
    """A server that can be killed."""
    return start_server()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples come quickly."""
    monkeypatch.setattr(sampler, "_FIRST", 0.05)
    monkeypatch.setattr(sampler, "_EVERY", 0.2)
    monkeypatch.setattr(sampler, "_EVERY_WATCHED", 0.2)
    monkeypatch.setattr(sampler, "_TOGETHER", 0.0)


async def stats(rest: Rest, ref: str) -> dict[str, Any]:
    """Return the usage of a task."""
    answer = await rest("GET", "tasks", ref, "stats")
    assert answer.code == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def is_at_work(parts: Parts) -> bool:
    """Return whether samples are being taken, or kept."""
    return parts.sampler._job is not None or bool(parts.sampler._histories)


def used(task: Any) -> Any:
    """Return the usage of a task."""
    return task["usage"] or {}


# -- what is measured -------------------------------------------------------------------------------------------------


async def test_the_whole_tree_is_measured(rest: Rest, quick: None) -> None:
    """Including processes that left the session or were orphaned, but without the ptyhost."""
    line = "(setsid sleep 1000 & ) ; sleep 1000 & while :; do :; done"
    await rest.create(line, name="busy")
    task = await rest.until("busy", lambda task: used(task).get("processes") == 3 and used(task)["cpu"] > 5)
    usage = used(task)
    assert usage["rss"] > 3 * 200_000
    assert 0 < usage["pss"] < usage["rss"]
    assert (usage["gpu_memory"], usage["gpu_load"], usage["gpu_scope"]) == (None, None, None)
    assert (usage["user"], usage["system"], usage["max_rss"]) == (None, None, None)
    assert usage["peak"]["cpu"] >= usage["cpu"]
    before = usage["cpu_time"]
    await rest.until("busy", lambda task: used(task)["cpu_time"] > before)
    assert [used(one)["processes"] for one in (await rest("GET", "tasks")).json["tasks"]] == [3]


async def test_processes_that_are_gone_before_anybody_looks_count(rest: Rest, quick: None) -> None:
    """As in a build, where all work is done by processes that run for milliseconds."""
    await rest.create("while :; do /bin/true; done", name="many")
    await rest.until("many", lambda task: used(task).get("cpu_time", 0) > 0.5 and used(task)["cpu"] > 5)


async def test_a_task_that_sleeps_uses_nothing(rest: Rest, quick: None) -> None:
    await rest.create("exec sleep 1000", name="nap")
    samples: list[Any] = []
    while len(samples) < 3:
        samples = (await stats(rest, "nap"))["samples"]
        await rest.get("nap")
    assert {sample["cpu"] for sample in samples} == {0.0}
    assert [sample["time"] for sample in samples] == sorted({sample["time"] for sample in samples})
    assert {sample["rss"] > 0 for sample in samples} == {True}


async def test_samples_are_more_frequent_while_a_viewer_looks(
    rest: Rest, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampler, "_FIRST", 0.05)
    monkeypatch.setattr(sampler, "_EVERY", 1000.0)
    monkeypatch.setattr(sampler, "_EVERY_WATCHED", 0.2)
    for name in ("seen", "unseen"):
        await rest.create("exec sleep 1000", name=name)
        await rest.until(name, used)
    while len((await stats(rest, "seen"))["samples"]) < 4:
        pass
    looked = await stats(rest, "seen")
    assert looked["interval"] == 0.2
    # A sample may be taken between the two requests.
    while looked["usage"] != used(await rest.get("seen")):
        looked = await stats(rest, "seen")
    assert len((await stats(rest, "unseen"))["samples"]) == 1


async def test_no_more_samples_are_kept_than_are_shown(
    rest: Rest, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "_KEPT", 12)
    monkeypatch.setattr(sampler, "_EVERY_WATCHED", 0.02)
    await rest.create("exec sleep 1000", name="nap")
    first = None
    found: list[Any] = []
    while len(found) < 12 or found[0] == first:
        found = (await stats(rest, "nap"))["samples"]
        first = first or (found[0] if found else None)
        assert len(found) <= 12


async def test_without_a_live_task_nothing_is_done(rest: Rest, quick: None, parts: Parts) -> None:
    assert not is_at_work(parts)
    await rest.create("exec sleep 1000", name="nap")
    await rest.until("nap", used)
    assert is_at_work(parts)
    await rest("POST", "tasks", "nap", "stop", body={"signals": ["KILL"]})
    await rest.wait("nap")
    await rest.until("nap", lambda _: not is_at_work(parts))
    looked = await stats(rest, "nap")
    assert looked["samples"] == []
    assert looked["usage"]["peak"]["processes"] == 1


async def test_a_new_attempt_begins_with_no_peak(rest: Rest, quick: None) -> None:
    greedy = shlex.join(["exec", sys.executable, "-c", GREEDY])
    await rest.create(f"[ -e second ] && exec sleep 1000; touch second; {greedy}", name="greedy")
    await rest.until("greedy", lambda task: used(task) and used(task)["peak"]["rss"] > 200 * MIB)
    await rest("POST", "tasks", "greedy", "stop", body={"signals": ["KILL"]})
    assert used(await rest.wait("greedy"))["peak"]["rss"] > 200 * MIB
    await rest("POST", "tasks", "greedy", "restart")
    assert used(await rest.until("greedy", used))["peak"]["rss"] < 100 * MIB


async def test_one_pass_over_the_processes_for_all_tasks(
    rest: Rest, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tasks that were started together are sampled together."""
    passes: list[int] = []
    trees = processes.trees

    def count(roots: Any) -> Any:
        passes.append(len(list(roots)))
        return trees(roots)

    monkeypatch.setattr(processes, "trees", count)
    for number in range(5):
        await rest.create("exec sleep 1000", name=f"nap {number}")
    for number in range(5):
        await rest.until(f"nap {number}", used)
    assert sum(passes) == 5
    assert len(passes) <= 3


# -- what is kept -----------------------------------------------------------------------------------------------------


def has_it(client: Client, server: LiveServer) -> Task:
    """Start what takes much memory, and give it when that has been seen."""
    task = client.create([sys.executable, "-c", GREEDY], name="greedy")
    until(lambda: b"has it" in client.raw("greedy").data)
    until(lambda: client.stats("greedy")["usage"] and used(client.get("greedy"))["peak"]["rss"] > 200 * MIB)
    return task


def test_the_peak_survives_a_kill9_of_the_server_and_the_task(live: LiveServer) -> None:
    with live.client() as client:
        has_it(client, live)
        live.kill9()
        live.start()
        client.send_input("greedy", "", newline=True)
        task = until(lambda: client.stats("greedy")["samples"] and client.get("greedy"))
        until(lambda: client.stats("greedy")["samples"][-1]["rss"] < 100 * MIB)
        task = client.get("greedy")
        assert used(task)["peak"]["rss"] > 200 * MIB
        live.kill9()
        host = psutil.Process(task["pid"] or 0)
        host.terminate()
        until((live.home / "data" / "ptytasks" / "tasks" / task["id"] / "exit.json").exists)
        live.start()
        usage = used(ended(client, "greedy"))
        assert usage["peak"]["rss"] > 200 * MIB
        assert usage["peak"]["processes"] == 1
        assert usage["max_rss"] > 200 * MIB
        assert usage["cpu_time"] == pytest.approx(usage["user"] + usage["system"], abs=0.01)
        assert (usage["cpu"], usage["rss"], usage["sampled"]) == (None, None, None)


def test_two_servers_keep_the_higher_peak(start_server: Callable[..., LiveServer]) -> None:
    """The second server has not seen the usage, but does not store a lower value."""
    one = start_server()
    with one.client() as client:
        task = has_it(client, one)
        client.send_input("greedy", "", newline=True)
        until(lambda: client.stats("greedy")["samples"][-1]["rss"] < 100 * MIB)
        other = start_server()
        with other.client() as second:
            until(lambda: second.stats("greedy")["samples"])
            assert used(second.get("greedy"))["peak"]["rss"] > 200 * MIB
            second.stop("greedy", signals=["SIGKILL"])
            ends = [used(ended(each, task["id"])) for each in (client, second)]
    assert ends[0] == ends[1]
    assert ends[0]["peak"]["rss"] > 200 * MIB


def test_a_server_that_leaves_in_the_middle_leaves_quietly(live: LiveServer) -> None:
    with live.client() as client:
        client.create(r"while :; do printf '\033]9;4;1;5\007'; sleep 0.01; done", name="tells")
        until(lambda: client.stats("tells")["usage"] and client.get("tells")["progress"])
    server = live._process
    assert server is not None
    server.terminate()
    server.wait(30)
    log = (live.home / "server.log").read_text()
    assert "Traceback" not in log
    assert "was destroyed" not in log
    assert "never retrieved" not in log


# -- values -----------------------------------------------------------------------------------------------------------


def tree_of(cpu_time: float, rss: int = 1000) -> processes.Tree:
    return processes.Tree((psutil.Process(),), cpu_time, rss)


def test_only_a_noticeable_growth_is_news() -> None:
    kept = samples.History(1, 0.0)
    kept.add(0.0, 0.0, tree_of(0.0, 1000), None, None)
    assert kept.is_news(None)
    noted = dict(kept.peak)
    assert not kept.is_news(noted)
    kept.add(1.0, 1.0, tree_of(0.0, 1019), None, None)
    kept.add(2.0, 2.0, tree_of(0.0, 10), None, None)
    assert kept.peak["rss"] == 1019
    assert not kept.is_news({**noted, "cpu": 0.0})
    kept.add(3.0, 3.0, tree_of(0.0, 1021), None, None)
    assert kept.is_news({**noted, "cpu": 0.0})


def test_time_that_was_lost_with_a_process_is_not_taken_back() -> None:
    """A process that was never waited for: the sum decreases, but the rate of later work is right."""
    kept = samples.History(1, 0.0)
    for moment, spent in enumerate([10.0, 11.0, 2.0, 2.5]):
        kept.add(float(moment), 0.0, tree_of(spent), None, None)
    assert [sample.cpu for sample in kept.samples] == [None, 100.0, 0.0, 50.0]
    assert [sample.cpu_time for sample in kept.samples] == [10.0, 11.0, 11.0, 11.0]


@pytest.mark.parametrize("noted", [None, [], "x", {"rss": "x"}, {"rss": float("nan")}, {"rss": True}, {"other": 1}])
def test_invalid_peaks_are_ignored(noted: Any) -> None:
    assert samples.known(noted) == {}
    told = samples.of_ended({"user": 1.0, "system": 0.5, "max_rss": 5, "peak": noted})
    assert told is not None
    assert set(told["peak"].values()) == {None}
    assert told["cpu_time"] == 1.5


# -- GPUs: where tests run there are none, so that here, and only here, the driver's library is a made-up one ----------


class Nvml(types.ModuleType):
    """As pynvml, with two GPUs; `on` says which process uses how much of which, `loads` how hard."""

    NVML_ERROR_NOT_FOUND = 6

    class NVMLError(Exception):
        def __init__(self, value: int) -> None:
            super().__init__(value)
            self.value = value

    def __init__(self, *, works: bool = True) -> None:
        super().__init__("pynvml")
        self.works = works
        self.begun = self.ended = 0
        self.on: dict[int, dict[int, int | None]] = {0: {}, 1: {}}
        self.loads: dict[int, dict[int, int]] = {0: {}, 1: {}}

    def nvmlInit(self) -> None:
        self.begun += 1
        if not self.works:
            raise self.NVMLError(9)

    def nvmlShutdown(self) -> None:
        self.ended += 1

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetUUID(self, handle: int) -> str:
        return f"GPU-{handle}abc"

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[Any]:
        return [types.SimpleNamespace(pid=pid, usedGpuMemory=size) for pid, size in self.on[handle].items()]

    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: int) -> list[Any]:
        return self.nvmlDeviceGetComputeRunningProcesses(handle)

    def nvmlDeviceGetMPSComputeRunningProcesses(self, handle: int) -> list[Any]:
        raise self.NVMLError(3)

    def nvmlDeviceGetProcessUtilization(self, handle: int, since: int) -> list[Any]:
        if not self.loads[handle]:
            raise self.NVMLError(self.NVML_ERROR_NOT_FOUND)
        return [types.SimpleNamespace(pid=pid, smUtil=load, timeStamp=5) for pid, load in self.loads[handle].items()]

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        return types.SimpleNamespace(used=(handle + 1) * 1000)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:
        return types.SimpleNamespace(gpu=(handle + 1) * 10)


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Nvml:
    """A driver that works."""
    made_up = Nvml()
    monkeypatch.setitem(sys.modules, "pynvml", made_up)
    return made_up


def gpu_of(task: Any) -> tuple[Any, Any, Any]:
    usage = used(task)
    return usage.get("gpu_memory"), usage.get("gpu_load"), usage.get("gpu_scope")


async def test_gpus_by_process(rest: Rest, parts: Parts, quick: None, nvml: Nvml) -> None:
    task = await rest.create("exec sleep 1000", name="train", env={"CUDA_VISIBLE_DEVICES": "0"})
    await rest.create("exec sleep 1000", name="other", env={"CUDA_VISIBLE_DEVICES": "0"})
    nvml.on = {0: {task["pid"]: 1000, 2**31 - 1: 5}, 1: {task["pid"]: 200}}
    nvml.loads = {0: {task["pid"]: 90, 2**31 - 1: 10}, 1: {task["pid"]: 30}}
    await rest.until("train", lambda task: gpu_of(task) == (1200, 120.0, "process"))
    # What others use there is not its own.
    other = await rest.until("other", used)
    assert gpu_of(other) == (None, None, None)
    nvml.loads = {0: {}, 1: {}}
    await rest.until("train", lambda task: gpu_of(task) == (1200, 0.0, "process"))
    nvml.on[0][task["pid"]] = nvml.on[1][task["pid"]] = None
    await rest.until("train", lambda task: gpu_of(task) == (None, 0.0, "process"))
    assert used(await rest.get("train"))["peak"]["gpu_memory"] == 1200
    assert nvml.begun == 1


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("1", (2000, 20.0, "device")),
        ("0,1", (3000, 30.0, "device")),
        ("GPU-1a", (2000, 20.0, "device")),
        ("0,-1,1", (1000, 10.0, "device")),
        ("", (None, None, None)),
    ],
)
async def test_gpus_by_device_where_process_numbers_mean_nothing(
    rest: Rest, parts: Parts, quick: None, nvml: Nvml, visible: str, expected: Any
) -> None:
    nvml.on = {0: {2**31 - 1: 1}, 1: {2**31 - 2: 1}}
    await rest.create("exec sleep 1000", name="train", env={"CUDA_VISIBLE_DEVICES": visible})
    assert gpu_of(await rest.until("train", used)) == expected


@pytest.mark.parametrize("module", [None, Nvml(works=False)])
async def test_no_gpu_is_normal_and_asked_once(
    rest: Rest, parts: Parts, quick: None, monkeypatch: pytest.MonkeyPatch, module: Nvml | None
) -> None:
    asked: list[str] = []
    import_module = importlib.import_module

    def count(name: str) -> Any:
        asked.append(name)
        return import_module(name)

    monkeypatch.setattr(importlib, "import_module", count)
    monkeypatch.setitem(sys.modules, "pynvml", module)
    await rest.create("exec sleep 1000", name="nap", env={"CUDA_VISIBLE_DEVICES": "0"})
    while len((await stats(rest, "nap"))["samples"]) < 3:
        pass
    assert gpu_of(await rest.get("nap")) == (None, None, None)
    assert asked.count("pynvml") == 1


def test_a_gpu_that_is_lost_costs_nothing_else(nvml: Nvml, monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = gpu.Gpus()
    mine = {"train": processes.Tree((psutil.Process(),), 0.0, 0)}
    nvml.on[0] = {os.getpid(): 7}
    assert gpus.use(mine, {os.getpid()})["train"].memory == 7

    def fail(*_: Any) -> None:
        raise nvml.NVMLError(15)

    for name in [name for name in dir(Nvml) if name.startswith("nvmlDevice")]:
        monkeypatch.setattr(nvml, name, fail)
    assert gpus.use(mine, {os.getpid()}) == {}
    gpus.close()
    assert nvml.ended == 1
    assert gpus.use(mine, set()) == {}
