"""The tasks of a sweep: parsing, combining and naming values."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core import names
from jupyter_ptytasks.core.errors import BadRequest
from jupyter_ptytasks.core.sweeps.combinations import (
    TASKS_MAX,
    VALUES_MAX,
    Mode,
    Sweep,
    check_use,
    combine,
    read,
    still_said,
    task_name,
    text,
    variables,
)

PARAMS = st.dictionaries(
    st.sampled_from(["lr", "seed", "model", "size"]), st.lists(st.integers(), min_size=1, max_size=5), min_size=1
)
SCALARS = st.one_of(
    st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20)
)


# -- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_text", "values"),
    [
        ("1e-3,1e-4", ["1e-3", "1e-4"]),
        ("0.1, 2,-3", [0.1, 2, -3]),
        ("0:5", [0, 1, 2, 3, 4]),
        ("0:10:4,99", [0, 4, 8, 99]),
        ("3:0:-1", [3, 2, 1]),
        ("adam,sgd", ["adam", "sgd"]),
        # What is typed is what is passed: not 3.1, not 7, not the number next to it.
        ("3.10,007,1.,.5,true,12345678901234567890", ["3.10", "007", "1.", ".5", "true", "12345678901234567890"]),
        ("gpu:0,12:30:1", ["gpu:0", *range(12, 30)]),
    ],
)
def test_values_as_text(given_text: str, values: list[Any]) -> None:
    found = read({"x": given_text})["x"]
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("0123456789.e-+", min_size=1))
def test_the_text_of_a_value_is_what_was_typed(value: object) -> None:
    typed = text(value)
    assert [text(one) for one in read({"x": typed})["x"]] == [typed]


@pytest.mark.parametrize(
    ("params", "field", "message"),
    [
        ({}, "params", "at least one"),
        ({"x": []}, "params.x", "no values"),
        ({"x": ""}, "params.x", "empty value"),
        ({"x": "1,,2"}, "params.x", "empty value"),
        ({"x": "0:5:0"}, "params.x", "step"),
        ({"x": "5:0"}, "params.x", "5:0 is empty"),
        ({"x": "0:999999999999"}, "params.x", str(VALUES_MAX)),
        ({"x": [1.0, math.inf]}, "params.x", "finite"),
        ({"x": ["a\0"]}, "params.x", "NUL"),
        ({"x": ["a" * 5000]}, "params.x", "characters"),
        ({"1x": [1]}, "params.1x", "begin with a letter"),
        ({"x y": [1]}, "params.x y", "letters"),
        ({"x.y": [1], "x-Y": [2]}, "params.x-Y", "PTYTASK_PARAM_X_Y"),
    ],
)
def test_what_has_no_values(params: Any, field: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message) as caught:
        read(params)
    assert caught.value.field == field


def test_a_changed_command_has_the_parameters_that_it_still_says() -> None:
    params: dict[str, Any] = {"lr": 0.01, "seed": 95, "fast": True, "elsewhere": 7}
    for before, after, kept in (
        ("t.sh --lr 0.01 --seed=95 --fast true", "t.sh --lr 0.01 --seed=3 --fast true", ["lr", "fast", "elsewhere"]),
        (["t.sh", "0.01", "95"], ["t.sh", "0.01", "95", "10"], ["lr", "seed", "fast", "elsewhere"]),
        (["t.sh", "0.01", "95"], "t.sh 0.011 195", ["fast", "elsewhere"]),
    ):
        assert list(still_said(params, before, after)) == kept


def test_variables() -> None:
    assert variables({"lr": 1e-3, "use-amp": True, "model.name": "big"}) == {
        "PTYTASK_PARAM_LR": "0.001", "PTYTASK_PARAM_USE_AMP": "true", "PTYTASK_PARAM_MODEL_NAME": "big",
    }  # fmt: skip


# -- combinations -----------------------------------------------------------------------------------------------------


@given(PARAMS)
def test_a_grid_is_the_product(params: dict[str, list[int]]) -> None:
    found = combine(params, Mode.GRID)
    assert len(found) == math.prod(map(len, params.values()))
    assert all(list(one) == list(params) for one in found)
    # As nested loops would have it, the last parameter innermost.
    expected: list[dict[str, int]] = [{}]
    for name, values in params.items():
        expected = [{**one, name: value} for one in expected for value in values]
    assert found == expected


@given(st.lists(st.tuples(st.integers(), st.text()), min_size=1, max_size=20))
def test_zip_takes_one_of_each(rows: list[tuple[int, str]]) -> None:
    params: dict[str, list[Any]] = {"a": [a for a, _ in rows], "b": [b for _, b in rows]}
    assert combine(params, Mode.ZIP) == [{"a": a, "b": b} for a, b in rows]


@given(PARAMS, st.integers(0, 2**53), st.data())
def test_a_random_sweep_draws_different_ones_of_the_grid(
    params: dict[str, list[int]], seed: int, data: st.DataObject
) -> None:
    # By place, so that equal values are different ones.
    places = {name: range(len(values)) for name, values in params.items()}
    total = math.prod(map(len, places.values()))
    count = data.draw(st.integers(1, total))
    found = combine(places, Mode.RANDOM, count, seed)
    assert found == combine(places, Mode.RANDOM, count, seed)
    assert len({tuple(one.items()) for one in found}) == count
    grid = combine(places, Mode.GRID)
    assert all(one in grid for one in found)


def test_a_random_sweep_of_more_than_anybody_can_count() -> None:
    params = {name: range(VALUES_MAX) for name in "abcdefgh"}
    found = combine(params, Mode.RANDOM, TASKS_MAX, 1)
    assert len({tuple(one.values()) for one in found}) == TASKS_MAX
    assert max(one["a"] for one in found) > VALUES_MAX * 0.9


@pytest.mark.parametrize(
    ("params", "mode", "count", "field", "message"),
    [
        ({"a": range(40), "b": range(40)}, Mode.GRID, None, "params", "1600 tasks"),
        ({"a": range(1001)}, Mode.ZIP, None, "params", "1001 tasks"),
        ({"a": range(2), "b": range(3)}, Mode.ZIP, None, "params", "a has 2, b has 3"),
        ({"a": range(2)}, Mode.GRID, 2, "count", "random"),
        ({"a": range(2)}, Mode.RANDOM, None, "count", "number of its tasks"),
        ({"a": range(2)}, Mode.RANDOM, 3, "count", "only 2"),
        ({"a": range(9999)}, Mode.RANDOM, 1001, "count", "at most 1000"),
    ],
)
def test_combinations_that_cannot_be(params: Any, mode: Mode, count: Any, field: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message) as caught:
        combine(params, mode, count)
    assert caught.value.field == field


# -- tasks ------------------------------------------------------------------------------------------------------------


def test_every_placeholder_is_a_parameter_and_every_parameter_is_used() -> None:
    check_use("train --lr {lr} --seed $PTYTASK_PARAM_SEED", {"lr": [], "seed": []})
    with pytest.raises(BadRequest, match=r"\{sed\} is not a parameter \(there are seed\)") as caught:
        check_use(["train", "{sed}"], {"seed": []})
    assert caught.value.field == "command"
    with pytest.raises(BadRequest, match=r"neither \{seed\} nor PTYTASK_PARAM_SEED") as caught:
        check_use(["train", "{lr}"], {"lr": [], "seed": []})
    assert caught.value.field == "params.seed"


def test_names_contain_the_parameters() -> None:
    assert task_name("train", {"lr": 0.001, "seed": 0}, 1) == "train[lr=0.001,seed=0]"
    assert task_name("train", {"text": "a\nb"}, 12) == "train[12]"
    assert task_name("train", {"text": "x" * 200}, 12) == "train[12]"
    assert task_name("n" * 128, {"x": 1}, 12) == "n" * 124 + "[12]"


@given(
    st.text(min_size=1, max_size=128),
    st.dictionaries(st.sampled_from("abc"), SCALARS, min_size=1),
    st.integers(1, 1000),
)
def test_every_name_is_a_name(name: str, params: dict[str, Any], number: int) -> None:
    if names.fault(name, of_task=True) is None:
        assert names.fault(task_name(name, params, number), of_task=True) is None


@given(st.text(), st.none() | st.integers(1))
def test_sweeps_come_back_from_json(name: str, most: int | None) -> None:
    sweep = Sweep("mwp0c3k9d2ab", name, most)
    assert Sweep.from_json(sweep.to_json()) == sweep
