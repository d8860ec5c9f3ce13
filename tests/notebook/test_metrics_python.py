"""Metrics of tasks in Python, and comparisons by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_ptytasks import compare, run, tasks

if TYPE_CHECKING:
    from tests.client.live import LiveServer


def test_a_task_has_its_points_and_tasks_are_compared(here: LiveServer) -> None:
    for name, lines in (
        ("good", r"step 1 loss 0.5 acc 0.1\nstep 2 loss nan acc 0.9\nstep 3 loss 0.25 acc 0.8\n"),
        ("bad", r"step 1 loss 0.75 acc 0.1\nstep 2 loss 1.5 acc 0.2\nstep 3 loss 2.5 acc 0.15\n"),
        ("none", "hello"),
    ):
        run(f"printf '{lines}'", name=name, tags=["compared"]).wait()
    good = next(task for task in tasks(tag="compared") if task.name == "good")
    points = good.metrics["loss"]
    assert (points["step"], points["value"][::2]) == ([1, 2, 3], [0.5, 0.25])
    assert points["value"][1] != points["value"][1]  # nan
    assert good.view()["text/plain"].splitlines()[2] == "loss 0.25 █!▁"
    assert '<td style="text-align: left">loss 0.25 █!▁</td>' in good.view()["text/html"]
    # What a saved notebook shows where nothing of ours is installed.
    shown = good.metrics._repr_mimebundle_()
    assert shown["text/plain"].splitlines() == ["loss       0.25  █!▁", "acc         0.8  ▁█▇"]
    rows = shown["application/vnd.vegalite.v5+json"]["data"]["values"]
    assert [(row["metric"], row["step"], row["value"]) for row in rows[:4]] == [
        ("loss", 1, 0.5),
        ("loss", 2, None),
        ("loss", 3, 0.25),
        ("acc", 1, 0.1),
    ]
    none = next(task for task in tasks(tag="compared") if task.name == "none")
    assert none.metrics._repr_mimebundle_() == {"text/plain": "no metrics"}
    found = compare(tasks(tag="compared"))
    assert [(row["name"], row["best loss"], row["best acc"]) for row in found.rows] == [
        ("good", 0.25, 0.9),
        ("bad", 0.75, 0.2),
        ("none", None, None),
    ]
    assert repr(found).splitlines()[1].split() == ["good", "succeeded", "0.25", "0.25", "0.8", "0.9"]
    assert "<th " in found._repr_html_()
    assert compare([]).rows == []
    assert set(run(r"printf 'a is 5\n'", metrics={"pattern": "a is (?P<a>.)"}).wait().metrics) == {"a"}
