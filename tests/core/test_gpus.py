"""GPUs are never assigned twice, whole ones stay whole, and those of other users are left alone."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ptytasks.core.queue.decisions import plan
from jupyter_ptytasks.core.queue.gpus import Given, Gpu, NoGpu, Pool, named, visible
from jupyter_ptytasks.core.queue.groups import Group
from jupyter_ptytasks.core.states import State
from tests.core.made_tasks import NOW, make

if TYPE_CHECKING:
    from jupyter_ptytasks.core.model import Task

FOUR = [Gpu(f"GPU-{index}a", index) for index in range(4)]


def test_names() -> None:
    assert [gpu.index for gpu in named(FOUR, ["2", "GPU-0", "7", "2"])] == [2, 0]
    assert [gpu.index for gpu in visible(FOUR, None)] == [0, 1, 2, 3]
    assert [gpu.index for gpu in visible(FOUR, "3, GPU-1a,9,0")] == [3, 1]
    assert visible(FOUR, "") == []
    assert [Gpu.from_json(gpu.to_json()) for gpu in FOUR] == FOUR


def test_whole_ones_in_the_order_of_preference() -> None:
    pool = Pool(lambda: FOUR)
    assert pool.give(2, ["3", "1", "0"]) == Given(("GPU-3a", "GPU-1a"), 1.0)
    with pytest.raises(NoGpu, match=r"needs 2 GPUs: 1 of 3 is free") as caught:
        pool.give(2, ["3", "1", "0"])
    assert not caught.value.for_ever
    with pytest.raises(NoGpu, match="needs 5 GPUs, and there is only 4 for it") as caught:
        pool.give(5, None)
    assert caught.value.for_ever
    with pytest.raises(NoGpu, match="needs a GPU, and there is none for it"):
        Pool(list).give(0.5, None)
    with pytest.raises(NoGpu, match="being detected"):
        Pool(lambda: None).give(1, None)


def test_shares_fill_one_before_the_next() -> None:
    pool = Pool(lambda: FOUR[:2])
    assert [pool.give(1 / 3, None).uuids for _ in range(4)] == [("GPU-0a",)] * 3 + [("GPU-1a",)]
    with pytest.raises(NoGpu):
        pool.give(1, None)


def test_a_stranger_is_left_alone() -> None:
    gpus = [FOUR[0], replace(FOUR[1], stranger="another user (pid 4242)")]
    assert Pool(lambda: gpus).give(1, None).uuids == ("GPU-0a",)
    pool = Pool(lambda: gpus)
    pool.take(Given(("GPU-0a",), 1.0))
    with pytest.raises(NoGpu, match=r"0 of 2 are free; GPU 1 is used by another user \(pid 4242\)") as caught:
        pool.give(1, None)
    assert not caught.value.for_ever
    # Nothing of ours is in the way: others need not wait for that.
    with pytest.raises(NoGpu) as caught:
        Pool(lambda: gpus).give(2, None)
    assert caught.value.for_ever


def decide(tasks: list[Task], groups: dict[str, Group]) -> dict[str, str]:
    found = plan(tasks, groups, NOW, 100, lambda: FOUR)
    return {
        **{task_id: " ".join(given.uuids) for task_id, given in found.gpus.items()},
        **{task_id: wait.reason for task_id, wait in found.waits.items()},
    }


def test_a_task_that_needs_many_is_not_overtaken_by_another_group() -> None:
    groups = {"a": Group("a", None), "b": Group("b", None)}
    running = replace(make(1, State.RUNNING, "a"), gpus=("GPU-0a",))
    assert decide([running, make(2, group="a", gpus=4.0), make(3, group="b", gpus=1.0)], groups) == {
        "00000002": "gpus", "00000003": "gpus",
    }  # fmt: skip
    # One that can never have them stands in nobody's way.
    assert decide([running, make(2, group="a", gpus=5.0), make(3, group="b", gpus=1.0)], groups) == {
        "00000002": "gpus", "00000003": "GPU-1a",
    }  # fmt: skip


def test_what_a_group_gives() -> None:
    groups = {"g": Group("g", None, gpus=("2", "3"), per_gpu=2)}
    tasks = [make(number) for number in range(1, 5)] + [make(5, gpus=0.0), make(6, gpus=1.0)]
    assert decide(tasks, groups) == {
        "00000001": "GPU-2a", "00000002": "GPU-2a", "00000003": "GPU-3a", "00000004": "GPU-3a", "00000006": "gpus",
    }  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_two_hundred_tasks_on_four_gpus(seed: int) -> None:
    """Of 1, 2 and ½ GPU, of several groups and priorities, ending in any order: all run, and never too many."""
    chance = random.Random(seed)
    groups = {"all": Group("all", None), "some": Group("some", 3, gpus=("1", "2", "3")), "none": Group("none", 2)}
    waiting = {
        task.id: task
        for task in (
            make(number, group=chance.choice(sorted(groups)), priority=chance.choice([0, 0, 1]),
                 gpus=chance.choice([0.5, 1.0, 2.0]))
            for number in range(200)
        )
    }  # fmt: skip
    running: dict[str, Task] = {}
    ended = 0
    while waiting or running:
        found = plan([*waiting.values(), *running.values()], groups, NOW, 1000, lambda: FOUR)
        for task_id in found.start:
            given_ = found.gpus[task_id]
            running[task_id] = replace(
                waiting.pop(task_id), state=State.RUNNING, gpus=given_.uuids, gpu_share=given_.share
            )
        used: Counter[str] = Counter()
        for task in running.values():
            assert task.turn.gpus is not None
            assert len(task.gpus) == len(set(task.gpus)) == max(1, int(task.turn.gpus))
            assert task.gpu_share == min(task.turn.gpus, 1.0)
            used.update(dict.fromkeys(task.gpus, int(task.gpu_share * 10)))
        assert max(used.values()) <= 10
        assert running, "nothing runs, and nothing starts"
        for task_id in chance.sample(sorted(running), chance.randint(1, len(running))):
            del running[task_id]
            ended += 1
    assert ended == 200
