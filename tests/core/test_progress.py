"""Progress in the output of real programs: what counts line by line and what does not; and general properties."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jupyter_ptytasks.core.progress import Progress, ProgressReader, Track
from jupyter_ptytasks.core.progress.fragments import WINDOW

CAPTURES = Path(__file__).parent.parent / "data" / "progress"


def read(data: bytes) -> Progress | None:
    return ProgressReader().feed(data, 100.0)


def capture(name: str) -> bytes:
    return (CAPTURES / f"{name}.bin").read_bytes()


# -- what real programs wrote


@dataclass(frozen=True)
class Expected:
    """What is to be read from a capture."""

    source: str
    unit: str
    #: The last text, and the fraction before the program ended.
    text: str
    fraction: float | None
    #: Once so much of the output is there (all up to the end of the line or frame with this), the fraction and text.
    midway: dict[bytes, tuple[float | None, str]]
    #: How many things it does one after another, each with a fraction of its own.
    phases: int = 1


FULL = "━".encode()
EXPECTED = {
    "tqdm": Expected("tqdm", "it", "train 50/50", 1.0, {b"24/50": (0.48, "train 24/50"), b"0/50": (0.0, "train 0/50")}),
    "tqdm_nested": Expected(
        "tqdm",
        "it",
        "epochs 4/4",
        1.0,
        {
            b"half way, loss=1.000": (0.075, "epochs 0/4 · epoch 0 9/30"),
            b"epochs:  25%": (0.25, "epochs 1/4"),
            b"half way, loss=0.250": (0.825, "epochs 3/4 · epoch 3 9/30"),
        },
    ),
    "tqdm_left": Expected("tqdm", "it", "3/3", 1.0, {b"100%": (0.3333, "0/3 · 20/20"), b"2/3 [": (0.6667, "2/3")}),
    "tqdm_unknown": Expected("tqdm", "doc", "reading 120", None, {b"53doc": (None, "reading 53")}),
    "tqdm_logging": Expected("tqdm", "it", "60/60", 1.0, {b"disk is 93%": (0.1333, "8/60")}),
    "tqdm_sequence": Expected(
        "tqdm",
        "it",
        "loss 0.0250 40/40",
        1.0,
        {
            b"00001-of-00002.safetensors:  40%": (0.4, "model-00001-of-00002.safetensors 2/5 MB"),
            b"00002-of-00002.safetensors:  40%": (0.4, "model-00002-of-00002.safetensors 2/5 MB"),
            b"loss 0.0500:  50%": (0.5, "loss 0.0500 20/40"),
        },
        phases=3,
    ),
    "rich": Expected("rich", "%", "Working 100 %", 1.0, {b" 43%": (0.43, "Working 43 %")}),
    "rich_nested": Expected(
        "rich",
        "",
        "Epochs 3/3",
        1.0,
        {
            b"19/40": (0.1583, "Epochs 0/3 · Steps 19/40"),
            b"took": (0.325, "Epochs 0/3 · Steps 39/40"),
            b"2/3": (0.6667, "Epochs 2/3"),
        },
    ),
    "pip": Expected("rich", "MB", "40/40 MB", 1.0, {b"20.0/40.0 MB": (0.5, "20/40 MB")}),
    "keras": Expected(
        "keras",
        "",
        "20/20",
        1.0,
        {
            b" 7/15": (0.1556, "Epoch 1/3 · 7/15"),
            b"Epoch 2/3": (0.3333, "Epoch 2/3"),
            b"Epoch 3/3": (0.6667, "Epoch 3/3"),
            b" 1/20": (0.05, "1/20"),
        },
        phases=2,
    ),
    "lightning": Expected(
        "tqdm",
        "epoch",
        "Epoch 2 · 20/20 · Validation DataLoader 0 20/20",
        None,
        {
            b"Sanity Checking DataLoader 0:  50%": (0.5, "Sanity Checking DataLoader 0 1/2"),
            b"Epoch 0:  50%": (None, "Epoch 0 · 10/20"),
            b"Epoch 1:  50%": (None, "Epoch 1 · 10/20"),
        },
        phases=4,
    ),
    "lightning_rich": Expected(
        "rich",
        "epoch",
        "Epoch 3/3 · 20/20 · Validation 19/20",
        1.0,
        {
            b"Sanity Checking": (0.5, "Sanity Checking 1/2"),
            b"Validation": (0.3333, "Epoch 1/3 · 20/20 · Validation 1/20"),
            b"Epoch 2/2": (0.6667, "Epoch 3/3 · 0/20"),
        },
        phases=2,
    ),
    "trainer": Expected("tqdm", "it", "48/48", 1.0, {b" 7/48": (0.1458, "7/48"), b"32/48 [00:0": (0.6667, "32/48")}),
    "xgboost": Expected("text", "round", "Round 39", None, {b"[10]\t": (None, "Round 10")}),
    "lightgbm": Expected("text", "round", "Round 40", None, {b"[10]\t": (None, "Round 10")}),
    "loops": Expected(
        "text", "epoch", "Epoch 3 · step 57600/60000", None, {b"Epoch: 2 [32000": (None, "Epoch 2 · step 32000/60000")}
    ),
    "steps": Expected(
        "text",
        "epoch",
        "Epoch 10/10 · step 600/600",
        1.0,
        {b"[5/10], Step [300/600]": (0.45, "Epoch 5/10 · step 300/600")},
    ),
    "pytest": Expected("text", "%", "100 %", 1.0, {b"[ 70%]": (0.7, "70 %")}),
}


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("size", [61, 500, 2048])
def test_real_programs_are_followed_to_their_end(name: str, size: int) -> None:
    data, expected = capture(name), EXPECTED[name]
    reader = ProgressReader()
    phases: dict[int, list[float]] = {}
    seen = None
    for start in range(0, len(data), size):
        seen = reader.feed(data[start : start + size], 100 + start / 1000)
        if seen and seen.fraction is not None:
            phases.setdefault(reader.phase, []).append(seen.fraction)
    assert seen is not None
    assert (seen.source, seen.unit, seen.text, seen.fraction) == (
        expected.source,
        expected.unit,
        expected.text,
        expected.fraction,
    )
    for fractions in phases.values():
        assert all(earlier <= later for earlier, later in pairwise(fractions)), fractions
    ended = reader.end(succeeded=True, now=1000.0)
    assert ended is not None
    assert (ended.fraction, ended.state, ended.eta) == (1.0, "normal", None)
    assert reader.phase < expected.phases


@pytest.mark.parametrize(("name", "marker"), [(name, marker) for name in EXPECTED for marker in EXPECTED[name].midway])
def test_midway_it_is_known_how_far_they_are(name: str, marker: bytes) -> None:
    data = capture(name)
    at = data.index(marker)
    ends = [end for end in (data.find(b"\r", at), data.find(b"\x08", at), data.find(b"\x1b[A", at)) if end >= 0]
    data = data[: min(ends) + 1]
    reader = ProgressReader()
    for start in range(0, len(data), 200):
        seen = reader.feed(data[start : start + 200], 100 + start / 1000)
    assert seen is not None
    fraction, text = EXPECTED[name].midway[marker]
    assert seen.text == text
    assert seen.fraction == (None if fraction is None else pytest.approx(fraction, abs=1e-4))


@pytest.mark.parametrize("name", [name for name in EXPECTED if EXPECTED[name].fraction == 1.0])
def test_no_bar_is_complete_before_the_end(name: str) -> None:
    """Neither the inner bar of an epoch nor the first of several makes the whole 100 %."""
    data, reader = capture(name), ProgressReader()
    done: list[tuple[int, int]] = []
    for start in range(0, len(data), 100):
        seen = reader.feed(data[start : start + 100], 100.0)
        if seen and seen.fraction == 1.0:
            done.append((reader.phase, start))
    ends = {phase: max(at for each, at in done if each == phase) for phase, _ in done}
    for phase, at in done:
        assert ends[phase] - at < 0.35 * len(data), (phase, at, ends)


STREAMS = CAPTURES.parent / "streams"


@pytest.mark.parametrize("name", ["htop", "less", "nano", "python", "top", "vim", "vim-left"])
def test_full_screen_programs_have_none(name: str) -> None:
    data, reader = (STREAMS / name).read_bytes(), ProgressReader()
    for start in range(0, len(data), 100):
        assert reader.feed(data[start : start + 100], 100.0) is None


@pytest.mark.parametrize(("name", "text"), [("apt", "100 %"), ("tqdm", "epochs 4/4"), ("pip", "19.5/19.5 MB")])
def test_recordings_of_terminals_are_followed_too(name: str, text: str) -> None:
    seen = read((STREAMS / name).read_bytes())
    assert seen is not None
    assert (seen.text, seen.fraction) == (text, 1.0)


# -- line by line

LINES: list[tuple[str, float | None, str]] = [
    ("\rtrain:  42%|████▏     | 21/50 [00:00<00:00, 49.46it/s, loss=0.12]", 0.42, "train 21/50"),
    ("\r 42%|####2     | 21/50 [00:00<00:00, 49.46it/s]", 0.42, "21/50"),
    ("\r21it [00:01, 20it/s]", None, "21"),
    ("\rdata.bin:  24%|██▍       | 1.20M/5.00M [00:01<00:03, 1.10MB/s]", 0.24, "data.bin 1.2/5 MB"),
    ("\rEpoch 3:  50%|█████     | 4/8 [00:01<00:01,  3.2it/s, v_num=0]", None, "Epoch 3 · 4/8"),
    ("\rEpoch 3/100:  50%|█████     | 4/8 [00:01<00:01,  3.2it/s]", 0.025, "Epoch 3/100 · 4/8"),
    # ultralytics, before and after it left tqdm
    (
        "\r      3/100      2.31G      1.234         12        640:  50%|█████     | 4/8 [00:01<00:01,  3.2it/s]",
        0.025,
        "",
    ),
    (
        "\r\x1b[K   3/100   2.31G   1.234    12    640: 50% ━━━━━━──────  4/8 3.2it/s 1.2s<1.3s",
        0.025,
        "Epoch 3/100 · 4/8",
    ),
    ("\r\x1b[2KWorking ━━━╸━ 97% 0:00:01", 0.97, "Working 97 %"),
    ("\r 12/100 ━━━━━━━━━━━━━━━━━━━━ 3s 38ms/step - loss: 2.3", 0.12, "12/100"),
    ("\r 12/100 [==>...........................] - ETA: 5s - loss: 2.3", 0.12, "12/100"),
    ("\r12/Unknown 3s 38ms/step - loss: 2.3", None, "12"),
    ("\r file.iso            45%[========>           ] 460.00M  10.5MB/s    eta 56s", 0.45, "file.iso 45 %"),
    ("\r##########                          25.0%", 0.25, "25 %"),
    # What is in work is not yet done, unless the line tells how it went.
    ("Epoch 3/10", 0.2, "Epoch 3/10"),
    ("Epoch 3/10, loss=0.23", 0.3, "Epoch 3/10"),
    ("epoch 20/20  loss 0.0431  accuracy 98.10%", 1.0, "Epoch 20/20"),
    ("Epoch 0/9", 0.0, "Epoch 1/10"),
    ("Epoch [3/10], Step [100/600], Loss: 0.4321", 2 / 10 + 1 / 60, "Epoch 3/10 · step 100/600"),
    ("Train Epoch: 1 [640/60000 (1%)]\tLoss: 2.3", None, "Epoch 1 · step 640/60000"),
    ("Epoch: [0][ 100/5004]\tTime  0.3 ( 0.4)\tLoss 6.9e+00", None, "Epoch 0 · step 100/5004"),
    ("[2026-11-21 10:00:00,123] [INFO] step=100/2000, loss 0.2", 0.05, "Step 100/2000"),
    ("2026-11-21 10:00:00 INFO Epoch 3/10 loss 0.5", 0.3, "Epoch 3/10"),
    ("step 100 of 2000", 0.05, "Step 100/2000"),
    ("global_step=100/2000", 0.05, "Step 100/2000"),
    ("Processing file 3/10", 0.2, "File 3/10"),
    ("Processed 100/2000 files", 0.05, "100/2000"),
    ("\r12/340", 12 / 340, "12/340"),
    # Told when it begins, or one cannot know: ninja, yarn, docker.
    ("[12/340] Building CXX object a.o", 11 / 340, "12/340"),
    ("[1/2] Installing dependencies", 0.0, "1/2"),
    ("#8 [3/5] RUN pip install example", 0.4, "3/5"),
    ("Step 3/12 : RUN pip install example", 2 / 12, "Step 3/12"),
    ("[ 45%] Building CXX object CMakeFiles/a.dir/a.cc.o", 0.45, "45 %"),
    ("tests/test_a.py ........................ [ 45%]", 0.45, "45 %"),
    ("tests/test_a.py::test_b PASSED [ 12%]", 0.12, "12 %"),
    ("[gw0] [ 12%] PASSED tests/test_a.py::test_b", 0.12, "12 %"),
    ("Progress: [ 45%]", 0.45, "45 %"),
    ("Progress: [ 45%] [#####.....]", 0.45, "45 %"),
    ("45%", 0.45, "45 %"),
    ("Downloading... 45%", 0.45, "45 %"),
    ("Receiving objects:  45% (450/1000), 1.2 MiB | 1.0 MiB/s", 0.45, "Receiving objects 450/1000"),
    ("    1,234,567  45%  1.20MB/s    0:00:12 (xfr#5, to-chk=95/100)", 0.45, "45 %"),
    # Nobody knows how many there will be.
    ("[10]\ttrain-rmse:0.26", None, "Round 10"),
    ("[10]\ttraining's l2: 0.0681", None, "Round 10"),
    ("iter 100: loss 2.3456, time 12.3ms, mfu 1.2%", None, "Iter 100"),
    ("Epoch 5: loss=0.25", None, "Epoch 5"),
]


@pytest.mark.parametrize(("line", "fraction", "text"), LINES, ids=[line[:40] for line, _, _ in LINES])
def test_a_line_shows_the_progress(line: str, fraction: float | None, text: str) -> None:
    seen = read(line.encode() + b"\r\n")
    assert seen is not None
    assert seen.fraction == (None if fraction is None else pytest.approx(fraction))
    assert seen.state == ("indeterminate" if fraction is None else "normal")
    assert seen.text == (text or "Epoch 3/100 · 4/8")


FALSE_FRIENDS = """\
disk is 93% full
Saved 3/10 shards
2026/11/21
2026/11/21 10:00:00 started
[2026/11/21 10:00] started
[21/11/2026] started
reading /data/3/10/x.txt
File "/a/b.py", line 3/4
accuracy: 93%
Accuracy: 93.5%
Test set: Average loss: 0.0456, Accuracy: 9812/10000 (98%)
{'loss': 0.69, 'epoch': 0.1}
3/4 cup of sugar
3 of 4 people
2/3 of the data is used for training
10/10
Score: 3/10
12 passed, 3 failed in 3.2s
passed 3/10 tests
version 3/10
inet 10.0.0.12/24 brd 10.0.0.255
http://example.org/1/2
/dev/sda1        50G   20G   28G  42% /
%Cpu(s): 45.0% us
CPU usage 45%
Using 45% of memory
gpu 0/8: 45% util
TOTAL                        120     10    92%
src/a.py      100     20    80%   12-15
3 packets transmitted, 3 received, 0% packet loss
Compression ratio 45%
+ 45% faster
100% sure
retry 1/3
attempt 2/5 failed
worker 3/10 ready
rank 1/4 initialised
running shard 3/10
Loading model 7/8 bits
batch size: 32/64
the best epoch was 3/10
resume from epoch 3/10
best step 100/200: 0.3
step 3: run the installer
Step 1. Open the file 2.5
[12345] worker started
[1] + done
Epoch 12/10
step 100/0
━━━━━━━━━━━━━━━━━━━━━
┏━━━┳━━━━━━━┳━━━━━━━━┓
======== 12 passed ========
##### Heading 3/4
commit 3f2a1/9c
"""


@pytest.mark.parametrize("line", FALSE_FRIENDS.splitlines())
def test_text_that_only_looks_like_progress_is_ignored(line: str) -> None:
    assert read(f"{line}\r\n".encode()) is None
    # Nor does it disturb what is.
    bar = "\rtrain:  42%|████▏     | 21/50 [00:00<00:00, 49.46it/s]\r\n".encode()
    seen = read(bar + f"{line}\r\n".encode())
    assert seen == read(bar)


# -- sequences


@pytest.mark.parametrize("end", [b"\x07", b"\x1b\\"])
@pytest.mark.parametrize(
    ("body", "fraction", "state"),
    [
        (b"1;42", 0.42, "normal"),
        (b"1;0", 0.0, "normal"),
        (b"1;100", 1.0, "normal"),
        (b"1;250", 1.0, "normal"),
        (b"2;42", 0.42, "error"),
        (b"2", None, "error"),
        (b"3", None, "indeterminate"),
        (b"3;0", None, "indeterminate"),
        (b"4;42", 0.42, "paused"),
    ],
)
def test_osc_9_4_is_taken_at_its_word(body: bytes, fraction: float | None, state: str, end: bytes) -> None:
    data = b"text\x1b]9;4;" + body + end + b"more"
    for size in (1, 3, len(data)):
        reader = ProgressReader()
        for start in range(0, len(data), size):
            seen = reader.feed(data[start : start + size], 100.0)
        assert seen is not None
        assert (seen.fraction, seen.state, seen.source) == (fraction, state, "osc")


@pytest.mark.parametrize(
    "data", [b"\x1b]9;4;0\x07", b"\x1b]9;4;5;1\x07", b"\x1b]9;Hello\x07", b"9;4;1;42\x07", b"\x1b]9;4;1;42"]
)
def test_other_sequences_are_not_progress(data: bytes) -> None:
    assert read(data) is None


def test_an_error_without_a_number_stays_where_it_was() -> None:
    reader = ProgressReader()
    reader.feed(b"\x1b]9;4;1;42\x07", 100.0)
    seen = reader.feed(b"\x1b]9;4;2\x07", 101.0)
    assert seen is not None
    assert (seen.fraction, seen.state) == (0.42, "error")


def test_reported_progress_takes_precedence_until_it_is_cleared() -> None:
    bar = "\r 80%|████████  | 8/10 [00:08<00:02, 1.00it/s]\r\n".encode()
    reader = ProgressReader()
    assert (seen := reader.feed(bar, 100.0)) is not None
    assert (seen.fraction, seen.source) == (0.8, "tqdm")
    assert (seen := reader.feed(b"\x1b]9;4;1;10\x1b\\" + bar, 101.0)) is not None
    assert (seen.fraction, seen.source) == (0.1, "osc")
    helper = b'\x1b]9;4;1;12\x1b\\\x1b]7784;{"done":1,"total":8,"text":"eighths"}\x1b\\'
    assert (seen := reader.feed(helper, 102.0)) is not None
    assert (seen.fraction, seen.source, seen.text) == (0.125, "helper", "eighths")
    assert (seen := reader.feed(b"\x1b]9;4;0\x1b\\", 103.0)) is not None
    assert (seen.fraction, seen.source) == (0.8, "tqdm")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'"x"', b'{"done":true,"total":2}', b'{"done":1e999,"total":2}', b"[" * 2000, b"{\xff}"]
)
def test_invalid_messages_of_the_helper_are_harmless(body: bytes) -> None:
    seen = read(b"\x1b]7784;" + body + b"\x1b\\")
    assert seen is None or (seen.fraction, seen.state) == (None, "indeterminate")


def test_sequences_are_found_in_all_that_is_fed_and_text_at_its_end() -> None:
    bar = "\r 80%|████████  | 8/10 [00:08<00:02, 1.00it/s]\r\n".encode()
    flood = b"words and words\r\n" * 1000
    assert read(bar + flood) is None
    assert (seen := read(flood + bar)) is not None
    assert seen.fraction == 0.8
    assert (seen := read(b"\x1b]9;4;1;42\x07" + flood)) is not None
    assert seen.fraction == 0.42


# -- time


def test_what_tqdm_says_of_the_time_is_believed_of_the_whole_only() -> None:
    bar = "{}:  80%|████████  | 8/10 [00:08<01:02, 1.00it/s]"
    assert (seen := read(bar.format("\rtrain").encode() + b"\r")) is not None
    assert seen.eta == 62
    assert (seen := read(bar.format("\rEpoch 1/4").encode() + b"\r")) is not None
    assert seen.eta is None


def test_otherwise_the_time_left_comes_from_our_own_rate() -> None:
    reader = ProgressReader()
    for second in range(0, 51, 5):
        seen = reader.feed(b"step %d of 100\r\n" % second, 100.0 + 2 * second)
    assert seen is not None
    assert seen.eta == pytest.approx(100, rel=0.01)
    assert seen.updated == 200.0
    # Nothing moves: it stays as it was, and so does the moment that the time counts from.
    assert reader.feed(b"some text\r\n", 230.0) == seen
    # It slows down, and that is soon seen.
    for step in range(51, 61):
        seen = reader.feed(b"step %d of 100\r\n" % step, 200.0 + 60 * (step - 50))
    assert seen is not None
    assert seen.eta == pytest.approx(40 * 60, rel=0.1)


def steps(times: list[float]) -> list[float | None]:
    """Return the time left after each of a thousand steps; `times` has the seconds that each takes."""
    reader, now, etas = ProgressReader(), 100.0, []
    for step, seconds in enumerate(times):
        now += seconds
        seen = reader.feed(b"step %d of 1000\r\n" % step, now)
        assert seen is not None
        etas.append(seen.eta)
    return etas


@settings(max_examples=20)
@given(period=st.floats(0.05, 100), jitter=st.lists(st.floats(0.8, 1.25), min_size=60, max_size=60))
def test_a_steady_pace_gives_the_right_time(period: float, jitter: list[float]) -> None:
    etas = steps([period * factor for factor in jitter])
    for step, eta in list(enumerate(etas))[10:]:
        assert eta == pytest.approx((1000 - step) * period, rel=0.26)
    assert steps([period] * 60)[2:] == pytest.approx([(1000 - step) * period for step in range(2, 60)], rel=0.01)


@pytest.mark.parametrize("first", [0.01, 30.0, 300.0])
def test_a_first_interval_counts_for_its_length(first: float) -> None:
    """A slow one (a compiler, a cold cache) is forgotten as time goes by; the time left does not rise meanwhile."""
    etas = [eta for eta in steps([0.0, first] + [1.0] * 200) if eta is not None]
    assert etas[125] == pytest.approx(1000 - 126, rel=0.15)
    assert etas[190] == pytest.approx(1000 - 191, rel=0.05)
    if first > 1:
        assert all(later < earlier for earlier, later in pairwise(etas))


def test_a_new_phase_has_a_rate_of_its_own() -> None:
    reader = ProgressReader()
    for done in range(11):
        reader.feed(b"Progress: %d%%\r\n" % (10 * done), 100.0 + done)
    seen = reader.feed(b"Progress: 0%\r\n", 120.0)
    assert seen is not None
    assert (seen.fraction, seen.eta, reader.phase) == (0.0, None, 1)


# -- what goes on within what


def follow(*lines: str) -> list[float | None]:
    """Return the fraction after each line."""
    reader = ProgressReader()
    fractions = []
    for line in lines:
        seen = reader.feed(line.encode() + b"\r\n", 100.0)
        fractions.append(None if seen is None or seen.fraction is None else round(seen.fraction, 3))
    return fractions


@pytest.mark.parametrize(
    ("lines", "fractions"),
    [
        # An inner bar begins anew with each epoch, and is not the whole when it is complete.
        (["Epoch 1/2", "\r50%|██ | 1/2 [00:01<?]", "\r100%|██| 2/2 [00:01<?]", "Epoch 2/2"], [0, 0.25, 0.5, 0.5]),
        # Validation within the epoch changes nothing.
        (["Epoch 1/2", "\rtrain: 100%|██| 2/2 [00:01<?]", "\rval:   0%|  | 0/9 [00:01<?]"], [0, 0.5, 0.5]),
        # Epochs become known after the first bar.
        (["\r100%|██| 2/2 [00:01<?]", "epoch 1/4 loss 0.5"], [1, 0.25]),
        # One bar after another, and the same again.
        (["\ra:  100%|██| 2/2 [00:01<?]", "\rb:   0%|  | 0/2 [00:01<?]"], [1, 0]),
        (["\ra:  100%|██| 2/2 [00:01<?]", "\ra:   0%|  | 0/2 [00:01<?]"], [1, 0]),
        # After the last epoch something else begins.
        (["Epoch 2/2 loss 0.1", "\rtesting:  25%|█   | 1/4 [00:01<?]"], [1, 0.25]),
        # Lines of several workers come as they come.
        (["[100/340] CC a", "[99/340] CC b", "[101/340] CC c"], [99 / 340, 99 / 340, 100 / 340]),
        # The number of steps is found to be another one.
        (["[10/20] CC a", "[11/300] CC b"], [0.45, 10 / 300]),
        (["[10/300] CC a", "[11/301] CC b"], [0.03, 10 / 301]),
        # Counters without an end mean nothing beside a bar.
        (["\r10%|█  | 1/10 [00:01<?]", "iter 500: loss 2.3", "\r20%|██ | 2/10 [00:01<?]"], [0.1, 0.1, 0.2]),
        (["epoch 1: half way, loss 0.5", "\r10%|█  | 1/10 [00:01<?]"], [None, 0.1]),
        # Losses in the label of a bar make no other bar.
        (["\rloss 0.5: 10%|█  | 1/10 [00:01<?]", "\rloss 0.4:  0%|   | 0/10 [00:01<?]"], [0.1, 0]),
        (["\rloss 0.5: 50%|█  | 5/10 [00:01<?]", "\rloss 0.4: 40%|   | 4/10 [00:01<?]"], [0.5, 0.5]),
        # Folds around epochs around steps.
        (["Fold 2/4", "Epoch 1/2", "\r50%|██ | 1/2 [00:01<?]"], [0.25, 0.25, 0.25 + 0.25 / 4]),
    ],
)
def test_counts_within_counts_give_one_fraction(lines: list[str], fractions: list[float | None]) -> None:
    assert follow(*lines) == [each if each is None else round(each, 3) for each in fractions]


def test_after_a_gap_what_lost_its_beginning_is_not_read() -> None:
    reader = ProgressReader()
    reader.feed(b"step 100/2000\r\nstep 1", 100.0)
    seen = reader.feed(b"step 99/100 of 2000\r\nstep 300/2000\r\n", 101.0, gap=True)
    assert seen is not None
    assert seen.fraction == 0.15


def test_the_very_first_line_is_read_whatever_is_missing_before_it() -> None:
    data = capture("keras")[:1000]
    seen = ProgressReader().feed(data, 100.0, gap=True)
    assert seen == read(data)
    assert seen is not None
    assert seen.text == "Epoch 1/3 · 10/15"


# -- the end, and JSON


SHARDS = b"".join(
    b"\rLoading checkpoint shards: %3d%%|####| %d/4 [00:01<00:00, 2.7it/s]" % (25 * n, n) for n in range(5)
)


def test_progress_that_is_complete_does_not_count_for_what_follows() -> None:
    reader = ProgressReader()
    assert (seen := reader.feed(SHARDS + b"\r\n", 100.0)) is not None
    assert seen.fraction == 1.0
    # A word at the end does not matter, nor does silence.
    assert reader.feed(b"ready\r\n", 101.0) == seen
    for minute in range(1, 60):
        assert reader.feed(b"loss 2.3\r\n", 100.0 + 60 * minute) is None
    seen = reader.feed(b"\rtrain:  10%|#   | 1/10 [00:01<00:09, 1.0it/s]\r", 4000.0)
    assert seen is not None
    assert (seen.fraction, reader.phase) == (0.1, 1)


def test_a_late_server_ignores_old_progress() -> None:
    assert ProgressReader().feed(SHARDS + b"\r\n" + b"loss 2.3\r\n" * 20, 100.0, gap=True) is None


@pytest.mark.parametrize("others", [0, 1, 100])
def test_a_bar_is_complete_when_the_task_succeeds(others: int) -> None:
    reader = ProgressReader()
    reader.feed(SHARDS + b"\r\n", 100.0)
    for second in range(others):
        reader.feed(b"saved\r\n", 101.0 + second)
    ended = reader.end(succeeded=True, now=500.0)
    assert ended is not None
    assert ended.fraction == 1.0


def test_a_bar_is_not_complete_when_the_task_fails() -> None:
    reader = ProgressReader()
    reader.feed(SHARDS + b"\r\n", 100.0)
    reader.feed(b"epoch one\r\nTraceback\r\n", 200.0)
    assert reader.end(succeeded=False, now=201.0) is None


def test_a_failure_freezes_it() -> None:
    reader = ProgressReader()
    assert reader.end(succeeded=False, now=100.0) is None
    reader.feed(b"step 100/2000\r\n", 100.0)
    seen = reader.feed(b"step 200/2000\r\n", 110.0)
    ended = reader.end(succeeded=False, now=120.0)
    assert seen is not None
    assert ended is not None
    assert (ended.fraction, ended.done, ended.eta, ended.updated) == (0.1, 200, None, 110.0)


def test_a_success_without_progress_has_none() -> None:
    reader = ProgressReader()
    reader.feed(b"hello\r\n", 100.0)
    assert reader.end(succeeded=True, now=101.0) is None


def test_it_is_json_in_tasks() -> None:
    progress = Progress(
        0.25, 1, 4, "epoch", "Epoch 2/4", "normal", "keras", 12.5, (Track("epoch", 1, 4),), 1700000000.125
    )
    assert json.loads(json.dumps(progress.to_json())) == {
        "fraction": 0.25,
        "done": 1,
        "total": 4,
        "unit": "epoch",
        "text": "Epoch 2/4",
        "state": "normal",
        "source": "keras",
        "eta": 12.5,
        "tracks": [{"name": "epoch", "done": 1, "total": 4}],
        "updated": "2023-11-14T22:13:20.125Z",
    }


# -- laws

PIECES = st.one_of(
    st.sampled_from([line.encode() for line, _, _ in LINES]),
    st.sampled_from([line.encode() for line in FALSE_FRIENDS.splitlines()]),
    st.sampled_from(
        [b"\r", b"\n", b"\r\n", b"\b\b\b", b"\x1b[A", b"\x1b[2K", b"\x1b[3B", b"\x1b]9;4;", b"1;42\x07", b"\x1b"]
    ),
    st.binary(max_size=12),
)
OUTPUT = st.lists(PIECES, max_size=30).map(b"".join)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    bounds = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(bounds)]


@given(OUTPUT, st.lists(st.integers(0, 10_000), max_size=12))
def test_whatever_comes_nothing_is_raised_and_fractions_are_fractions(data: bytes, cuts: list[int]) -> None:
    reader = ProgressReader()
    for second, piece in enumerate(pieces(data, cuts)):
        seen = reader.feed(piece, 100.0 + second, gap=second % 5 == 4)
        if seen is not None:
            assert seen.fraction is None or 0.0 <= seen.fraction <= 1.0
            assert seen.eta is None or seen.eta >= 0.0
            assert len(seen.text) <= 80
            assert seen.text.isprintable()
            json.dumps(seen.to_json(), allow_nan=False)
    assert (reader.end(succeeded=True, now=1000.0) is None) == (reader.feed(b"", 1000.0) is None)


@given(OUTPUT, st.lists(st.integers(0, 10_000), max_size=12))
@example(b"step 3/10\r\n", [7])
@example(b"\x1b]0;title\rEpoch 1/2\x1b[KEpoch 2/3", [20])
def test_in_pieces_or_at_once_it_comes_to_the_same(data: bytes, cuts: list[int]) -> None:
    data = data[: WINDOW // 2]
    reader = ProgressReader()
    for piece in pieces(data, cuts):
        seen = reader.feed(piece, 100.0)
    at_once = read(data)
    assert (seen and (seen.fraction, seen.text, seen.state)) == (
        at_once and (at_once.fraction, at_once.text, at_once.state)
    )


@st.composite
def runs(draw: st.DrawFn) -> bytes:
    """A program that trains, as one of several libraries draws it."""
    epochs, steps = draw(st.integers(1, 4)), draw(st.integers(1, 30))
    style = draw(st.sampled_from(["tqdm", "keras", "nested", "plain", "trainer", "percent"]))
    out = []
    for epoch in range(epochs):
        if style == "keras":
            out.append(f"Epoch {epoch + 1}/{epochs}\r\n")
        for step in range(steps + 1):
            percent = 100 * step // steps
            whole = epoch * steps + step
            tqdm = f"{percent:3d}%|{'█' * (percent // 10):10}| {step}/{steps} [00:01<00:02,  1.00it/s]"
            loss = "1s 3ms/step - loss: 0.5"
            out.append(
                {
                    "tqdm": f"\rEpoch {epoch + 1}/{epochs}: {tqdm}",
                    "keras": f"{chr(8) * 20}\r\x1b[1m{step}/{steps}\x1b[0m \x1b[32m━━━━━━\x1b[0m {loss}",
                    "nested": f"\n\rbatches: {tqdm}\x1b[A",
                    "plain": f"Epoch [{epoch + 1}/{epochs}], Step [{step}/{steps}], loss 0.5\r\n",
                    "trainer": f"\r{100 * whole // (epochs * steps):3d}%|███ | {whole}/{epochs * steps} [00:01<00:02]",
                    "percent": f"\rDownloading {100 * whole // (epochs * steps):3d}%",
                }[style]
            )
        if style == "nested":
            out.append(
                f"\repochs: {100 * (epoch + 1) // epochs:3d}%|██  | {epoch + 1}/{epochs} [00:01<00:02,  2.00s/it]"
            )
        if draw(st.booleans()):
            out.append("\r\nSaved 3/10 shards, accuracy: 93%\r\n")
    return "".join(out).encode()


@given(runs(), st.lists(st.integers(0, 10_000), max_size=40))
@example("\rEpoch 1/1:  50%|███   | 3/6 [00:01<00:02]\rEpoch 1/1:  66%|████  | 4/6 [00:01<00:02]".encode(), [68, 69])
def test_it_does_not_fall_within_a_phase_wherever_output_is_cut(data: bytes, cuts: list[int]) -> None:
    reader = ProgressReader()
    highest: dict[int, float] = {}
    for piece in pieces(data, cuts):
        seen = reader.feed(piece, 100.0)
        if seen is not None and seen.fraction is not None:
            assert seen.fraction >= highest.get(reader.phase, 0.0), (piece, seen)
            highest[reader.phase] = seen.fraction
    assert len(highest) <= 2, highest
    at_once = read(data)
    if len(data) < WINDOW:
        assert seen is not None
        assert at_once is not None
        assert (seen.fraction, seen.text) == (at_once.fraction, at_once.text)
