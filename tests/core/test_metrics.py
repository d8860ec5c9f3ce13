"""Metrics are found in what real trainings print, and nowhere else."""

from __future__ import annotations

import itertools
import math
import random
import re
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_ptytasks._progress import record
from jupyter_ptytasks.core.metrics import MetricsReader, Series, Settings, summary
from jupyter_ptytasks.core.metrics.names import better
from jupyter_ptytasks.core.metrics.series import KEPT, thinned
from jupyter_ptytasks.core.metrics.splitter import LONGEST
from jupyter_ptytasks.core.metrics.stored import Attempt, decode, encode
from jupyter_ptytasks.core.progress import ProgressReader
from tests.core.recorded_metrics import ALSO, DATA, OTHERS, TRAININGS, data_of

#: The same examples each time; machines may be slow.
LAW = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def read(data: bytes, **options: Any) -> dict[str, Series]:
    """The metrics of an output, by their names."""
    reader = MetricsReader(**options)
    reader.feed(data, 1.0)
    reader.end(True, 2.0)
    return {one.name: one for one in reader.series}


def points(reader: MetricsReader) -> dict[str, list[tuple[float, str]]]:
    """All that was read, comparable: nan is not equal to itself."""
    return {one.name: [(s, repr(v)) for s, v in zip(one.steps, one.values, strict=True)] for one in reader.followed}


# -- real programs ----------------------------------------------------------------------------------------------------


def test_nine_of_ten_series_are_found_and_nearly_none_is_invented() -> None:
    missing, extra, wanted = [], [], 0
    for name, told in TRAININGS.items():
        expected, found = set(told.split()), set(read(data_of(name)))
        wanted += len(expected)
        missing += [f"{name} {one}" for one in sorted(expected - found)]
        extra += [f"{name} {one}" for one in sorted(found - expected)]
    assert len(missing) <= wanted / 10, missing
    assert len(extra) <= len(TRAININGS) / 10, extra


def test_other_programs_have_no_metrics() -> None:
    names = [*(f"metrics/{name}" for name in OTHERS), *ALSO]
    found = {name: sorted(read(data_of(name))) for name in names}
    assert not {name: said for name, said in found.items() if said}


def test_each_recording_is_in_a_table() -> None:
    known = {name.partition("/")[2] for name in TRAININGS if name.startswith("metrics/")} | set(OTHERS)
    assert {path.stem for path in (DATA / "metrics").glob("*.bin")} == known


@pytest.mark.parametrize(
    ("name", "metric", "step", "value"),
    [
        # The numbers that the programs print last.
        ("metrics/trackio_twin", "loss", 11, 0.262245),
        ("metrics/xgboost_valid", "eval-logloss", 19, 0.48812),
        ("metrics/catboost", "test", 24, 0.4172336),
        ("metrics/sklearn_gbc", "Train_Loss", 40, 0.1946),
        ("metrics/logging_lines", "Val_Loss", 6, 0.5291),
        ("metrics/ultralytics_like", "mAP50-95", 4, 0.896),
        ("progress/loops", "Loss", 2 * 60000 + 57600, 1.7e-05),
        ("progress/loops", "test_Accuracy", 2 * 60000 + 57600, 0.9003),
        ("progress/steps", "Loss", 6000, 0.0016),
        ("metrics/estimator_like", "loss", 1000, 0.6609101189730547),
        ("progress/keras", "val_loss", 45, 0.1525),
    ],
)
def test_the_last_number_is_the_one_that_was_printed(name: str, metric: str, step: float, value: float) -> None:
    last = read(data_of(name))[metric].last
    assert last is not None
    assert last[1:] == (step, value)


def test_a_frame_of_a_bar_is_one_point() -> None:
    data = data_of("progress/tqdm")
    frames = [(float(n), float(loss)) for n, loss in re.findall(r"\| ([0-9]+)/50 .*?loss=([0-9.]+)", data.decode())]
    found = read(data)["loss"]
    # A frame that is drawn again is one.
    assert list(zip(found.steps, found.values, strict=True)) == [frame for frame, _ in itertools.groupby(frames)]


# -- the grammar ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "name", "values"),
    [
        ("step {n} loss {v}", "loss", [1.5, 2.5, 3.5]),
        ("epoch {n}: Train Loss = {v}e-3", "Train_Loss", [1.5e-3, 2.5e-3, 3.5e-3]),
        ("{{'loss': '{v}', 'epoch': {n}}}", "loss", [1.5, 2.5, 3.5]),
        ("[valid] step {n} loss: {v}", "val_loss", [1.5, 2.5, 3.5]),
        ("Accuracy: {n}/10 (x%)", "Accuracy", [0.1, 0.2, 0.3]),
        ("iter {n} loss=tensor({v}, grad_fn=<MseLossBackward0>)", "loss", [1.5, 2.5, 3.5]),
        ("\x1b[32mepoch {n}\x1b[0m \x1b[1mloss\x1b[0m: {v}", "loss", [1.5, 2.5, 3.5]),
        ("step {n}: my_own_thing={v}", "my_own_thing", [1.5, 2.5, 3.5]),
        ("step {n}\tlr 1e-{n}", "lr", [0.1, 0.01, 0.001]),
        ("Epoch {n} | Loss {v} | Acc 0.{n}5", "Loss", [1.5, 2.5, 3.5]),
        ("epoch {n} lm loss: {v}", "lm_loss", [1.5, 2.5, 3.5]),
        ("epoch {n} error_rate={v}", "error_rate", [1.5, 2.5, 3.5]),
        ("iter={n} episode_len_mean={v}", "episode_len_mean", [1.5, 2.5, 3.5]),
        ("epoch {n}, the validation loss is {v}", "validation_loss", [1.5, 2.5, 3.5]),
        ("(epoch = {n}, loss = {v}f0)", "loss", [1.5, 2.5, 3.5]),
        ("(epoch = {n}, loss = {v}f-3)", "loss", [1.5e-3, 2.5e-3, 3.5e-3]),
        ("step {n} loss: tf.Tensor({v}, shape=(), dtype=float32)", "loss", [1.5, 2.5, 3.5]),
        ("step {n} loss: Array({v}, dtype=float32)", "loss", [1.5, 2.5, 3.5]),
        ("avg. loss [1-50]: {v}", "avg_loss", [1.5, 2.5, 3.5]),
        ("训练 loss\uff1a{v}\uff0cacc\uff1a0.5{n}", "loss", [1.5, 2.5, 3.5]),
        ("epoch,loss,acc\n{n},{v},0.5", "loss", [1.5, 2.5, 3.5]),
        ("| epoch | loss |\n|-------|------|\n| {n} | {v} |", "loss", [1.5, 2.5, 3.5]),
        ("┃ Epoch ┃ Loss   ┃ Val Loss ┃\n│ {n}     │ {v}    │ 9.{n}      │", "Val_Loss", [9.1, 9.2, 9.3]),
        ("gen\tnevals\tavg\n{n}\t300\t{v}", "avg", [1.5, 2.5, 3.5]),
        ("Epoch\tTraining Loss\tValidation Loss\n{n}\tNo log\t{v}", "Validation_Loss", [1.5, 2.5, 3.5]),
    ],
)
def test_lines_with_a_metric(line: str, name: str, values: list[float]) -> None:
    data = "".join(line.format(n=n, v=n + 0.5) + "\r\n" for n in (1, 2, 3)).encode()
    assert list(read(data)[name].values) == values


@pytest.mark.parametrize(
    "line",
    [
        "GET /train?step={n}&loss={n}.5 HTTP/1.1",
        "http://host/epoch/{n}?loss={n}.5",
        "train.py:{n}: loss function",
        "step {n} at 12:0{n}:00",
        "listening on localhost:800{n}",
        "epoch {n} took time: {n}.5s eta=0{n}:00",
        "worker pid={n} port={n}.0",
        "--loss={n}.5",
        "loss=0.5 at step {n}",  # does not change
        "my_own_thing={n}.5",  # at no step, and of no known name
        "step {n} tokens=1{n}.0 elapsed={n}.5",
        "loss {n}0%|###",
        "[{n}/9] RUN pip install torch=={n}.1",
        "min: {n}.5 ms  mean: {n}.7 ms  rounds: {n}",
        "batch {n} saved in: {n}.5 seconds, {n}.5 GiB, size: {n}.5 kB",
        "epoch {n} loss: 0,{n}5",  # 0 would be wrong
        "Validation loss decreased (0.{n} --> 0.0).  Saving model ...",
    ],
)
def test_lines_without_one(line: str) -> None:
    assert read("".join(line.format(n=n) + "\n" for n in range(1, 9)).encode()) == {}


@pytest.mark.parametrize(
    ("line", "steps"),
    [
        ("| epoch {n} | 200/ 400 batches | ms/batch 12.21 | loss 0.{n}", [1, 2, 3]),
        ("time per step: 0.3 loss 0.{n} epoch {n}", [1, 2, 3]),
        ("Epoch {n}: 100%|##| 50/50 [00:01, train_loss_step=0.{n}, loss=0.{n}]", [50, 100, 150]),
        ("[Train - Epoch {n} - Iteration 938] Loss 0.{n}", [938, 1876, 2814]),
        ("Step {n}000: train/epoch: 7 loss 0.{n}", [1000, 2000, 3000]),
        ("11/27 03:00:0{n} - INFO - Epoch(train)  [{n}][ 50/100]  time: 0.2  loss: 0.{n}", [50, 150, 250]),
    ],
)
def test_steps(line: str, steps: list[float]) -> None:
    found = read("".join(line.format(n=n) + "\n" for n in (1, 2, 3)).encode())
    assert {tuple(one.steps) for one in found.values()} == {tuple(steps)}


def test_twice_is_not_enough() -> None:
    lines = ["step 1 loss 0.5\n", "step 2 loss 0.4\n", "step 3 loss 0.3\n"]
    assert read("".join(lines[:2]).encode()) == {}
    # When it has come back, its beginning counts too.
    assert list(read("".join(lines).encode())["loss"].values) == [0.5, 0.4, 0.3]


def test_nan_and_infinity_are_values_and_have_a_word_in_json() -> None:
    found = read(b"step 1 loss 2.0 aux_loss inf\nstep 2 loss nan aux_loss 1.0\nstep 3 loss nan aux_loss -inf\n")
    assert {name: told["value"] for name, told in summary(found.values()).items()} == {
        "loss": "NaN",
        "aux_loss": "-Infinity",
    }
    assert summary(found.values())["loss"] == {
        "value": "NaN", "step": 3, "not_finite_since": 2, "min": 2, "max": 2, "trend": [2, None, None],
    }  # fmt: skip


@pytest.mark.parametrize("last", [3, 3 * KEPT])
def test_the_first_step_without_a_number_is_known(last: int) -> None:
    """Even if points are dropped later, and if earlier values were not finite, either."""
    series = Series("loss", 0)
    for step in range(1000):
        series.add(step, step, math.nan if step == 10 else 1 / (step + 1))
    for step in range(1000, 1000 + last):
        series.add(step, step, math.nan)
    assert series.to_json()["not_finite_since"] == 1000
    series.add(0, 1000 + last, 1.0)
    assert "not_finite_since" not in series.to_json()


def test_a_full_screen_program_has_none() -> None:
    lines = "".join(f"step {n} loss {n}.5\r\n" for n in range(9)).encode()
    assert read(b"\x1b[?1049h" + lines + b"\x1b[?1049l") == {}
    assert read(b"\x1b[?1049h" + lines + b"\x1b[?1049l" + lines)["loss"].count == 9


def test_the_most_telling_come_first_and_not_too_many() -> None:
    names = ["lr", "acc", "loss", "val_acc", "val_loss", *(f"x{n}" for n in range(9))]
    data = "".join(f"step {n} " + " ".join(f"{name}={n}.5" for name in names) + "\n" for n in range(4)).encode()
    assert list(summary(read(data).values()))[:4] == ["val_loss", "val_acc", "loss", "acc"]
    assert len(summary(read(data).values())) == 8
    assert len(read(data)) == len(names)


# -- what goes before the grammar -------------------------------------------------------------------------------------


def test_only_logged_values_count() -> None:
    guessed = "".join(f"step {n} loss {n}.5\n" for n in range(5)).encode()
    logged = record({"loss": 0.31, "val/acc": math.nan}, 10)
    found = read(guessed + b"half a line" + logged + guessed)
    assert {name: list(one.steps) for name, one in found.items()} == {"loss": [10], "val/acc": [10]}
    assert list(found["loss"].values) == [0.31]
    assert math.isnan(found["val/acc"].values[0])
    assert list(read(record({"a": 1}) * 3)["a"].steps) == [0, 1, 2]


def test_logging_is_not_progress() -> None:
    assert ProgressReader().feed(record({"loss": 0.31}), 1.0) is None


@pytest.mark.parametrize(
    "body", ["", "[]", '{"metrics": 3}', '{"metrics": {"a": "b", "": 1, "c": true, "d": 1e999}}', "{" * 9999]
)
def test_invalid_logged_values_are_ignored(body: str) -> None:
    assert set(read(f"\x1b]7784;{body}\x1b\\".encode())) <= {"d"}


def test_a_pattern_takes_precedence_over_the_grammar() -> None:
    def find(text: str) -> dict[str, str | None] | None:
        name, _, value = text.partition(" is ")
        return {name: value, "step": "7", "other": None} if value else None

    found = read(b"quality is 91.5%\nstep 1 loss 2.5\nstep 2 loss 2.4\nstep 3 loss 2.3\n", find=find)
    assert {name: one.last[1:] for name, one in found.items() if one.last} == {"quality": (7.0, 91.5)}


def test_names_can_be_chosen_and_reading_turned_off() -> None:
    data = "".join(f"step {n} loss {n}.5 acc {n}.25\n" for n in range(5)).encode()
    assert set(read(data, settings=Settings(include=("acc",)))) == {"acc"}
    assert read(data, settings=Settings(off=True)) == {}
    assert set(read(data + record({"x": 1}), settings=Settings(off=True))) == {"x"}


# -- laws -------------------------------------------------------------------------------------------------------------

_words = st.sampled_from(
    [b"step ", b"epoch 3/7 ", b"loss", b"=", b": ", b" 0.5", b"1e-3", b"nan", b"\r", b"\n", b"\r\n", b"\b", b" ",
     b"acc 9/10", b"\x1b[A", b"\x1b[1m", b"\x1b]0;t\x07", b"\x1b[?1049h", b"\x1b[?1049l", b"\xe2\x94\x81", b"| 3/9 [",
     b"lr  loss\n", record({"loss": 0.5, "x": 1.0}, 3), record({"y": math.nan}), b"x" * 300, b"7"]
)  # fmt: skip
_streams = st.lists(_words | st.binary(max_size=6), max_size=60).map(b"".join)


@LAW
@given(_streams, st.lists(st.integers(0, 2000), max_size=8))
def test_points_do_not_depend_on_how_the_bytes_are_cut(data: bytes, cuts: list[int]) -> None:
    whole, parts = MetricsReader(), MetricsReader()
    whole.feed(data, 1.0)
    at = 0
    for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        parts.feed(data[at:cut], 1.0)
        at = cut
    for reader in (whole, parts):
        reader.end(True, 1.0)
    assert points(parts) == points(whole)


@LAW
@given(_streams, _streams)
def test_a_reader_continues_where_another_one_stopped(first: bytes, then: bytes) -> None:
    whole, before, after = MetricsReader(), MetricsReader(), MetricsReader()
    whole.feed(first + then, 1.0)
    before.feed(first, 1.0)
    [kept] = decode(encode([Attempt(1, len(first), before.state(), before.followed)]))
    after.restore(kept.state, kept.series)
    after.feed(then, 1.0)
    assert points(after) == points(whole)
    assert [one.name for one in after.series] == [one.name for one in whole.series]


@LAW
@given(st.binary(max_size=400), st.booleans())
def test_nothing_raises(data: bytes, gap: bool) -> None:
    reader = MetricsReader()
    reader.feed(b"step 1 loss 0.5\nstep 2 lo", 1.0)
    reader.feed(data, 2.0, gap=gap)
    reader.end(False, 3.0)
    summary(reader.series)
    assert decode(data) == []


@pytest.mark.parametrize(
    "piece",
    [
        "a a" + " " * 3900 + " 1",
        "epoch" + " " * 3900 + "x1",
        "[(" + " " * 3900 + "1",
        "a.b." * 1000 + " 1",
        "loss (" * 600,
    ],
)
def test_no_line_takes_long(piece: str) -> None:
    """Some used to take a second."""
    began = time.thread_time()
    for _ in range(5):
        read(f"{piece}\n".encode())
    assert time.thread_time() - began < 0.5


def test_memory_is_bounded() -> None:
    reader = MetricsReader()
    for piece in (b"x" * 5000, b"\x1b]7784;" + b"y" * 40_000, b"\x1b]0;" * 5000):
        for _ in range(4):
            reader.feed(piece, 1.0)
            assert sum(len(part) for part in reader.state()["open"][:2]) <= LONGEST + (16 << 10) + 8
    reader.feed(b"\n", 1.0)
    for n in range(KEPT + 500):
        reader.feed(f"step {n} name{n}=0.5 loss={n % 7}.5\n".encode(), 1.0)
    assert len(reader.followed) <= 256
    [loss] = reader.series
    assert (loss.count, loss.last) == (KEPT + 500, (1.0, KEPT + 499, (KEPT + 499) % 7 + 0.5))
    assert len(loss.values) <= KEPT


@LAW
@given(st.lists(st.floats(), min_size=1, max_size=300), st.integers(4, 60))
def test_what_is_left_out_lies_between_what_is_kept(values: list[float], most: int) -> None:
    chosen = thinned(values, most)
    assert len(chosen) <= most
    assert chosen == sorted(set(chosen))
    assert (chosen[0], chosen[-1]) == (0, len(values) - 1)
    kept, known = [values[at] for at in chosen], [value for value in values if not math.isnan(value)]
    if known and len(known) == len(values):
        assert (min(kept), max(kept)) == (min(known), max(known))


def test_missing_output_is_reported_and_half_a_line_ignored() -> None:
    reader = MetricsReader()
    reader.feed(b"step 1 loss 0.5\nstep 2 loss 0.4\nstep 3 lo", 1.0)
    reader.feed(b"ss 0.3\nstep 9 loss 0.2\n", 5.0, gap=True)
    [loss] = reader.series
    assert (list(loss.values), reader.gaps) == ([0.5, 0.4, 0.2], [5.0])


def test_output_that_a_full_disk_did_not_take_is_missing() -> None:
    reader = MetricsReader()
    reader.feed(b"step 1 loss 0.5\nstep 2 loss 0.4\nstep 3 lo", 1.0)
    # As core/ring/writer notes it.
    reader.feed(b"\x18\r\n[4096 bytes of output lost: No space left on device]\r\nstep 9 loss 0.2\n", 5.0)
    [loss] = reader.series
    assert (list(loss.values), reader.gaps) == ([0.5, 0.4, 0.2], [5.0])


def test_a_damaged_file_counts_as_missing() -> None:
    reader = MetricsReader()
    reader.feed(data_of("metrics/xgboost_valid"), 1.0)
    whole = encode([Attempt(1, 5, reader.state(), reader.followed)])
    assert len(decode(whole)[0].series) == len(reader.followed)
    chance = random.Random(5)
    for _ in range(300):
        at = chance.randrange(len(whole))
        decode(whole[:at] + bytes([chance.randrange(256)]) + whole[at + 1 :])
        assert decode(whole[:at]) == []


def test_the_name_says_which_values_are_the_good_ones() -> None:
    lower = ["loss", "val/q_loss", "train_err", "test_bpc", "kl_divergence", "Validation_Error"]
    higher = ["acc", "val_accuracy", "eval/reward", "terrain"]
    assert {name: better(name) for name in lower + higher} == dict.fromkeys(lower, "lower") | dict.fromkeys(
        higher, "higher"
    )
