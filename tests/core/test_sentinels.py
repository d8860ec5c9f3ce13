"""Warnings about stalled tasks and about metrics that are not finite."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_ptytasks.core.sentinels import Rhythm, not_numbers, stalled


@pytest.mark.parametrize(
    ("times", "patience"),
    [
        ([], None),
        ([1000.0, 1001.0], None),
        ([1000.0, 1001.0, 1002.0], 600.0),
        ([1000.0, 1100.0, 1200.0], 1000.0),
        # One long step, such as a validation, does not make a rhythm.
        ([1000.0, 1060.0, 1120.0, 9000.0, 9060.0], 600.0),
    ],
)
def test_patience_is_ten_steps_and_ten_minutes_at_least(times: list[float], patience: float | None) -> None:
    rhythm = Rhythm()
    rhythm.take(times)
    assert rhythm.patience == patience
    assert rhythm.last == (times[-1] if times else 0.0)


def test_only_the_last_steps_count() -> None:
    rhythm = Rhythm()
    rhythm.take(float(n) for n in range(1000))
    rhythm.take(1000.0 + n * 120 for n in range(33))
    assert rhythm.patience == 1200.0
    assert stalled(1200.0) == "no output and no new step for more than 20 minutes"


def test_a_loss_that_is_not_a_number() -> None:
    def told(value: Any) -> dict[str, Any]:
        return {"value": value, "step": 7, "min": None, "max": None, "trend": []}

    metrics = {
        "val_loss": told("NaN"),
        "loss": told(0.5),
        "mse": told("Infinity"),
        "accuracy": told("NaN"),
        "grad_norm": told("Infinity"),
    }
    metrics["mse"]["not_finite_since"] = 5
    assert not_numbers(metrics) == [
        ("val_loss", "val_loss is NaN (since step 7)"),
        ("mse", "mse is Infinity (since step 5)"),
    ]
    assert not_numbers({}) == []
