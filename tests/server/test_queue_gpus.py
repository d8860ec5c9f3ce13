"""GPUs in the queue, with a scheduler in its own process and a fake driver library."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.server.conftest import Rest

#: As pynvml of nvidia-ml-py. The file beside it says which processes are on which GPU.
NVML = """
import json, os, types

class NVMLError(Exception):
    pass

def _processes(handle):
    with open(os.path.join(os.path.dirname(__file__), "on.json")) as file:
        return [types.SimpleNamespace(pid=pid, usedGpuMemory=None) for pid in json.load(file)[handle]]

def nvmlInit():
    pass

def nvmlShutdown():
    pass

def nvmlDeviceGetCount():
    return 4

def nvmlDeviceGetHandleByIndex(index):
    return index

def nvmlDeviceGetUUID(handle):
    return f"GPU-{handle}0000000"

nvmlDeviceGetComputeRunningProcesses = _processes

def nvmlDeviceGetGraphicsRunningProcesses(handle):
    raise NVMLError(3)
"""
TELL = 'echo "[$CUDA_VISIBLE_DEVICES] [$PTYTASK_GPUS] $CUDA_DEVICE_ORDER $PTYTASK_GROUP $PTYTASK_ATTEMPT"'


@pytest.fixture
def on(tmp_path: Path, jp_data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Four GPUs, for a server of its own. Returns a function that says which processes are on which."""

    def say(*pids: list[int]) -> None:
        (tmp_path / "nvml" / "on.json").write_text(json.dumps([*pids, [], [], [], []][:4]))

    (tmp_path / "nvml").mkdir()
    (tmp_path / "nvml" / "pynvml.py").write_text(NVML)
    monkeypatch.syspath_prepend(str(tmp_path / "nvml"))
    # The server that measures what tasks use has imported that of the test before.
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)
    say()
    return say


@pytest.fixture
def none(jp_data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No GPU, for a server of its own."""
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)


async def lines(rest: Rest, name: str) -> str:
    assert (await rest.wait(name))["state"] == "succeeded"
    output: str = (await rest.output(name))["output"]
    return output.strip()


async def test_tasks_get_gpus_of_their_own(on: Callable[..., None], rest: Rest, tmp_path: Path) -> None:
    go = tmp_path / "go"
    command = f"{TELL}; while [ ! -e {go} ]; do sleep 0.05; done"
    for name, gpus in (("two", 2), ("half", 0.5), ("other half", 0.5), ("one", 1), ("late", 1)):
        await rest.create(command, name=name, gpus=gpus)
    given = {}
    for name in ("two", "half", "other half", "one"):
        task = await rest.until(name, lambda task: task["state"] == "running")
        given[name] = [int(uuid[4]) for uuid in task["assigned_gpus"]]
    assert given == {"two": [0, 1], "half": [2], "other half": [2], "one": [3]}
    late = await rest.until("late", lambda task: (task["queue"] or {}).get("reason") == "gpus")
    assert late["queue"]["text"] == "needs a GPU: 0 of 4 are free"
    assert late["assigned_gpus"] == []
    go.touch()
    both = "GPU-00000000,GPU-10000000"
    assert await lines(rest, "two") == f"[{both}] [{both}] PCI_BUS_ID default 1"
    assert (await lines(rest, "late")).startswith("[GPU-")


async def test_a_group_gives_gpus_and_a_stranger_is_left_alone(on: Callable[..., None], rest: Rest) -> None:
    stranger = await asyncio.create_subprocess_exec("sleep", "1000", user="nobody")
    try:
        on([], [stranger.pid])
        assert (await rest("PUT", "groups", "gpu", body={"slots": None, "gpus": ["1", "0"]})).code == 200
        await rest.create(f"{TELL}; sleep 1000", name="first", group="gpu")
        task = await rest.until("first", lambda task: task["state"] == "running")
        assert task["assigned_gpus"] == ["GPU-00000000"]
        await rest.create(TELL, name="second", group="gpu")
        wanted = f"needs a GPU: 0 of 2 are free; GPU 1 is used by another user (pid {stranger.pid})"
        await rest.until("second", lambda task: (task["queue"] or {}).get("text") == wanted)
        on([], [])
        assert (await lines(rest, "second")).startswith("[GPU-10000000]")
    finally:
        stranger.kill()
        await stranger.wait()


@pytest.fixture
def one_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that may use one GPU."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")


@pytest.mark.usefixtures("one_visible", "on")
async def test_no_more_than_the_server_may_use(rest: Rest) -> None:
    await rest.create(TELL, name="free")
    assert (await lines(rest, "free")).startswith("[2] []")
    await rest.create(TELL, name="one", gpus=1)
    assert (await lines(rest, "one")).startswith("[GPU-20000000]")
    await rest.create(TELL, name="two", gpus=2)
    wanted = "needs 2 GPUs, and there is only 1 for it"
    await rest.until("two", lambda task: (task["queue"] or {}).get("text") == wanted)


@pytest.mark.parametrize(
    ("about", "field"),
    [
        ({"gpus": -1}, "gpus"),
        ({"gpus": 1.5}, "gpus"),
        ({"gpus": 0.001}, "gpus"),
        ({"gpus": "1"}, "gpus"),
        ({"gpus": True}, "gpus"),
    ],
)
async def test_what_cannot_be_given(rest: Rest, about: Any, field: str) -> None:
    answer = await rest("POST", "tasks", body={"command": "true", **about})
    assert (answer.code, answer.json["field"]) == (400, field)


@pytest.mark.parametrize(
    ("about", "field"),
    [({"gpus": []}, "gpus"), ({"gpus": "some"}, "gpus"), ({"gpus": ["x y"]}, "gpus"), ({"per_gpu": 0}, "per_gpu"),
     ({"on_failure": "panic"}, "on_failure")],
)  # fmt: skip
async def test_a_group_that_cannot_be_configured_like_that(rest: Rest, about: Any, field: str) -> None:
    answer = await rest("PUT", "groups", "g", body=about)
    assert answer.code == 400
    assert str(answer.json["field"]).startswith(field)


@pytest.mark.usefixtures("none")
async def test_no_gpu_at_all(rest: Rest) -> None:
    await rest.create(TELL, name="waits", gpus=1)
    await rest.until("waits", lambda task: (task["queue"] or {}).get("text") == "needs a GPU, and there is none for it")
    assert (await rest("PATCH", "tasks", "waits", body={"gpus": 0})).code == 200
    assert await lines(rest, "waits") == "[] []  default 1"
