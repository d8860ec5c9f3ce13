"""Why tasks failed: recorded endings of real programs (tests/data/endings), and reasons from the system."""

# ruff: noqa: E501, RUF001  the sentences are as they are

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_ptytasks.core.terminal.lines import lines_of
from jupyter_ptytasks.core.why import Ending, Reason, explain

ENDINGS: dict[str, dict[str, Any]] = {
    one["name"]: one
    for one in map(
        json.loads,
        Path(__file__).parents[1].joinpath("data", "endings", "endings.jsonl").read_text(encoding="utf-8").splitlines(),
    )
}

#: What is said of each ending: kind, sentence, and the numbers of the lines that say it; None: it has not failed.
WHY: dict[str, tuple[str, str, list[int]] | None] = {
    "python2.7": ("exception", "SyntaxError: invalid syntax (train.py:6)", [0, 3]),
    "python3.8": ("exception", "ValueError: the learning rate must be positive, not -1.0 (train.py:6)", [6, 8]),
    "python3.10": ("exception", "ValueError: the learning rate must be positive, not -1.0 (train.py:6)", [6, 8]),
    "python3.12": ("exception", "ValueError: the learning rate must be positive, not -1.0 (train.py:6)", [6, 8]),
    "python3.13": ("exception", "ValueError: the learning rate must be positive, not -1.0 (train.py:6)", [8, 10]),
    "python_ok": None,
    "python_module": ("exception", "ValueError: the learning rate must be positive, not 0.0 (__main__.py:6)", [8, 10]),
    "python_c": ("exception", "ModuleNotFoundError: No module named 'nothing_of_that_name'", [1, 2]),
    "during_handling": (
        "exception",
        "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1) (load.py:6)",
        [11, 23],
    ),
    "raise_from": ("exception", "RuntimeError: the configuration cannot be read (load.py:5)", [11, 13]),
    "notes": ("exception", "KeyError: 'lr' (x.py:2)", [1, 3]),
    "group": (
        "exception",
        "ExceptionGroup: two shards failed (ValueError: shard 1; OSError: [Errno 5] I/O error)",
        [3, 5, 7],
    ),
    "taskgroup": (
        "exception",
        "ExceptionGroup: unhandled errors in a TaskGroup (LookupError: no job 1; LookupError: no job 2)",
        [16, 21, 26],
    ),
    "syntax": ("exception", "SyntaxError: expected ':' (x.py:2)", [0, 3]),
    "syntax_imported": ("exception", "SyntaxError: invalid syntax (helper.py:1)", [3, 6]),
    "indentation": (
        "exception",
        "IndentationError: expected an indented block after function definition on line 1 (x.py:2)",
        [0, 3],
    ),
    "keyboard": ("signal", "interrupted at x.py:3 (KeyboardInterrupt)", [3, 5]),
    "no_message": ("exception", "AssertionError (x.py:2)", [3, 5]),
    "message_of_lines": ("exception", "RuntimeError: CUDA error: device-side assert triggered (x.py:1)", [1, 3]),
    "in_library": (
        "exception",
        "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1) (x.py:2)",
        [1, 12],
    ),
    "pandas": ("exception", "KeyError: 'b' (x.py:3)", [13, 21]),
    "recursion": ("exception", "RecursionError: maximum recursion depth exceeded (x.py:2)", [9, 13]),
    "sys_exit_text": ("exit", "exited with code 1", [0]),
    "argparse": ("error", "x.py: error: the following arguments are required: --lr", [1]),
    "click": ("error", "Error: Invalid value for '--lr': 'fast' is not a valid float.", [3]),
    "below_tqdm": ("exception", "FloatingPointError: loss is nan (x.py:4)", [2, 4]),
    "beside_bar": ("exception", "ValueError: bad batch (x.py:3)", [1, 3]),
    "rich": ("exception", "ZeroDivisionError: division by zero (x.py:4)", [18, 28]),
    "loguru_caught": ("exit", "exited with code 4", [10]),
    "ipython": ("exception", "ZeroDivisionError: division by zero", [11]),
    "hydra": ("exception", "ValueError: bad rate (x.py:4)", [2, 4]),
    "pool": ("exception", "ZeroDivisionError: integer division or modulo by zero (x.py:3)", [9, 12]),
    "futures": ("exception", "ValueError: bad shard 1 (x.py:3)", [9, 11]),
    "broken_pool": (
        "exception",
        "BrokenProcessPool: A process in the process pool was terminated abruptly while the future was running or pending. (x.py:7)",
        [1, 16],
    ),
    "joblib": ("exception", "ValueError: bad fold 0 (x.py:4)", [19, 35]),
    "elastic": ("exception", "ValueError: the learning rate must be positive, not -1.0 (train.py:6)", [6, 8]),
    "ray": ("exception", "ValueError: the learning rate must be positive, not -1.0 (train.py:6)", [6, 8]),
    "two_ranks": ("exception", "ValueError: the learning rate must be positive, not -2.0 (train.py:6)", [13, 17]),
    "subprocess": ("exception", "ValueError: the learning rate must be positive, not -1.0 (train.py:6)", [6, 8]),
    "dataloader": ("exception", "IndexError: list index out of range (x.py:3)", [5, 8]),
    "make": ("exception", "ValueError: the learning rate must be positive, not -1.0 (train.py:6)", [7, 9]),
    "pipe_to_tee": ("exception", "ValueError: the learning rate must be positive, not -1.0 (train.py:6)", [6, 8]),
    "caught_and_logged": None,
    "caught_then_code": ("exit", "exited with code 3", [35]),
    "caught_then_error": ("error", "error: no model was good enough", [5]),
    "caught_then_same": ("exit", "exited with code 1", [9]),
    "deep": ("exception", "LookupError: no such layer (x.py:522)", [523, 525]),
    "thread": ("exit", "exited with code 5", [10]),
    "ignored": ("exit", "exited with code 6", [4]),
    "mentions_error": ("exit", "exited with code 3", [2]),
    "says_nothing": ("exit", "exited with code 42", []),
    "grep_nothing": ("exit", "exited with code 1", [0]),
    "cuda": (
        "gpu_memory",
        "out of GPU memory: 22.78 GiB could not be allocated on GPU 0; 12.73 GiB of 31.47 GiB were free (x.py:2)",
        [3, 5],
    ),
    "cuda_old": (
        "gpu_memory",
        "out of GPU memory: 2.26 GiB could not be allocated on GPU 0; 3.03 GiB of 6.00 GiB were free (x.py:2)",
        [3, 5],
    ),
    "jax": ("gpu_memory", "out of GPU memory: 34359738368 bytes could not be allocated (x.py:2)", [3, 5]),
    "numpy_memory": (
        "memory",
        "out of memory: _ArrayMemoryError: Unable to allocate 32.0 TiB for an array with shape (2097152, 2097152) and data type float64 (x.py:2)",
        [1, 6],
    ),
    "memory_error": ("memory", "out of memory: MemoryError (x.py:1)", [1, 3]),
    "kernel_oom": ("memory", "killed by the OOM killer at a limit of 64 MiB", []),
    "kernel_oom_below_shell": ("memory", "killed by the OOM killer at a limit of 64 MiB", [0]),
    "kernel_oom_worker": (
        "memory",
        "a process of the task was killed by the OOM killer at a limit of 64 MiB (BrokenProcessPool)",
        [1, 16],
    ),
    "disk_full": ("disk_full", "the disk is full: OSError: [Errno 28] No space left on device (x.py:2)", [1, 3]),
    "disk_full_dd": ("disk_full", "the disk is full: dd: error writing '/dev/full': No space left on device", [0]),
    "sigkill": ("signal", "killed by SIGKILL, perhaps by the OOM killer", []),
    "sigterm": ("signal", "ended by SIGTERM", []),
    "segfault_python": ("crash", "segmentation fault at x.py:4 (SIGSEGV)", [0, 4]),
    "segfault_c": ("crash", "segmentation fault: an invalid memory access (SIGSEGV)", []),
    "segfault_below_shell": ("crash", "segmentation fault: an invalid memory access (SIGSEGV)", []),
    "assert_c": ("crash", "Assertion `n == 2' failed. (SIGABRT)", [0]),
    "double_free": ("crash", "free(): double free detected in tcache 2 (SIGABRT)", [0]),
    "terminate_cpp": ("exception", "std::runtime_error: no such layer: conv9", [0, 1]),
    "bad_alloc_cpp": ("memory", "out of memory: std::bad_alloc (terminate)", [0, 1]),
    "not_found": ("not_found", "command not found: trayn", [0]),
    "not_found_path": ("not_found", "command not found: ./missing.sh", [0]),
    "not_found_sh": ("not_found", "command not found: trayn", [0]),
    "not_found_zsh": ("not_found", "command not found: trayn", [0]),
    "not_found_fish": ("not_found", "command not found: trayn", [0]),
    "not_found_interpreter": ("not_found", "command not found: the interpreter of ./run.sh", [0]),
    "not_executable": ("not_executable", "command cannot be executed: ./run.sh: permission denied", [0]),
    "is_directory": ("not_executable", "command cannot be executed: ./data: is a directory", [0]),
    "timeout": ("exit", "exited with code 124, as `timeout` does when its time is over", []),
    "unbound": ("error", "missing_variable: unbound variable", [0]),
    "cd_fails": ("error", "bash: line 1: cd: /no/such/place: No such file or directory", [0]),
    "cat_fails": ("error", "cat: weights.bin: No such file or directory", [0]),
    "r_call": ("exception", "error in f(-1): bad rate: -1", [1]),
    "r_library": ("exception", "error in library(nothing): there is no package called ‘nothing’", [1]),
    "r_long": (
        "exception",
        "error in fit_the_model_with_all(1, 2): the number of rows of the data is not that of the labels",
        [1, 2],
    ),
    "r_caught": ("exit", "exited with code 3", [2]),
    "julia": ("exception", "BoundsError: attempt to access 3-element Vector{Int64} at index [7] (x.jl:4)", [0]),
    "rust_panic": ("panic", "panic: index out of bounds: the len is 1 but the index is 7 (x.rs:1)", [1, 2]),
    "rust_main_error": ("error", 'Error: Os { code: 2, kind: NotFound, message: "No such file or directory" }', [0]),
    "rustc_error": ("build", "error: cannot find value `y` in this scope (x.rs:1)", [0]),
    "go_panic": ("panic", "panic: assignment to entry in nil map (x.go:5)", [0]),
    "node_error": ("exception", "TypeError: shape is not a function (x.js:2)", [4]),
    "node_rejection": ("exception", "SyntaxError: Expected property name or '}' in JSON at position 1 (x.js:1)", [3]),
    "node_file": ("exception", "Error: ENOENT: no such file or directory, open 'model.json' (x.js:1)", [4]),
    "java": ("exception", "IllegalStateException: bad option (X.java:4)", [0, 2]),
    "java_memory": ("memory", "out of memory: java.lang.OutOfMemoryError: Java heap space (X.java:2)", [0]),
    "perl": ("exception", "no input (x.pl:1)", [0]),
    "ruby": ("exception", "ArgumentError: bad rate (x.rb:2)", [0]),
    "php": ("exception", "Exception: bad rate (x.php:2)", [1]),
    "lua": ("exception", "x.lua:1: bad rate", [0]),
    "gcc_make": ("build", "error: ‘y’ undeclared (first use in this function) (x.c:2)", [2]),
    "linker": ("build", "error: undefined reference to `f'", [1]),
    "git": ("error", "fatal: repository './nowhere' does not exist", [0]),
    "pytest": ("tests", "tests failed: 1 failed, 1 passed", [17, 18]),
    "unittest": ("tests", "tests failed: failures: 1", [2, 12]),
    "pip": ("error", "ERROR: No matching distribution found for nothing-of-that-name", [1]),
}


def lines_for(name: str) -> list[tuple[int, str]]:
    """Return the lines of a recorded ending, as a terminal shows them."""
    return list(enumerate(lines_of(ENDINGS[name]["output"].encode(), 40, 120)))


def why(name: str, **more: Any) -> Reason | None:
    """Explain a recorded ending."""
    one = ENDINGS[name]
    known = {"oom_kills": one.get("oom_kills", 0), "memory_limit": one.get("limit")}
    return explain(Ending(code=one["code"], signal=one["signal"], **{**known, **more}), lines_for(name))


def test_every_recording_is_judged() -> None:
    assert list(ENDINGS) == list(WHY)
    assert len(WHY) >= 40


@pytest.mark.parametrize("name", WHY)
def test_the_reason_of_a_recorded_ending(name: str) -> None:
    found = why(name)
    told = None if found is None else (found.kind, found.message, [number for number, _ in found.lines])
    assert told == WHY[name]


@pytest.mark.parametrize("name", [name for name, told in WHY.items() if told is not None])
def test_a_command_that_succeeded_or_was_stopped_has_no_reason(name: str) -> None:
    assert explain(Ending(code=0), lines_for(name)) is None
    assert explain(Ending(code=1, reason="cancelled"), lines_for(name)) is None


@pytest.mark.parametrize("name", [name for name, told in WHY.items() if told is not None and told[0] == "exception"])
def test_an_exception_with_much_output_behind_it_was_caught(name: str) -> None:
    lines = lines_for(name)
    more = [(len(lines) + number, f"batch {number}: loss 0.25") for number in range(50)]
    found = explain(Ending(code=3), lines + more)
    assert found is not None
    assert (found.kind, found.message) == ("exit", "exited with code 3")


def test_the_time_limit() -> None:
    for seconds, words in ((90.0, "1 min 30 s"), (0.5, "0.5 s"), (7200.0, "2 h"), (90061.0, "1 d 1 h")):
        found = explain(Ending(signal="SIGTERM", reason="timed_out", timeout=seconds), [])
        assert found == Reason(f"stopped at its time limit of {words}", "time_limit")


def test_the_sender_of_a_signal_is_reported_if_known() -> None:
    assert explain(Ending(signal="SIGTERM", signaled="SIGTERM"), []) == Reason(
        "ended by SIGTERM, which was sent through the server", "signal"
    )
    assert explain(Ending(signal="SIGKILL", signaled="SIGKILL"), []) == Reason(
        "killed by SIGKILL, which was sent through the server", "signal"
    )
    found = explain(Ending(signal="SIGKILL", signaled="SIGUSR1", max_rss=3 << 30), [])
    assert found is not None
    assert found.message == "killed by SIGKILL, perhaps by the OOM killer; it had used 3.0 GiB"
    found = explain(Ending(signal="SIGKILL", oom_kills=1, memory_limit=32 << 30, max_rss=31 << 30), [])
    assert found is not None
    assert found.kind == "memory"
    assert found.message == ("killed by the OOM killer at a limit of 32 GiB; its largest process had used 31 GiB")


def test_leftover_processes_are_mentioned() -> None:
    for count, words in ((1, "a process is still running"), (3, "3 processes are still running")):
        found = explain(Ending(code=3, leftover=count), [])
        assert found is not None
        assert found.message == f"exited with code 3; {words}"


@pytest.mark.parametrize("record", [{}, {"code": True, "memory": [], "rusage": 3, "leftover": "x", "reason": 4}])
def test_a_record_of_another_version_is_read(record: dict[str, Any]) -> None:
    ending = Ending.from_record(record)
    assert (ending.oom_kills, ending.max_rss, ending.leftover, ending.reason) == (0, None, 0, "exited")


@pytest.mark.parametrize(
    "text",
    [
        "Traceback (most recent call last):",
        '  File "x.py", line 1, in f',
        "thread 'main' panicked at x.rs:1:1:",
        "CUDA out of memory. Tried to allocate 1 GiB " * 20,
        "Error: " + "at " * 400,
        "    at " + "(at " * 300,
        "SyntaxError: x",
        "  + Exception Group Traceback (most recent call last):",
        "  | " * 250,
        "collect2: error",
        "Execution halted",
        "a" * 1000,
        "a: " * 330,
        "x: x:1: " + "Assertion " * 90,
        "1 failed, " * 100,
    ],
)
def test_strange_output_is_explained_in_time(text: str) -> None:
    lines = [(number, text) for number in range(400)]
    for mixed in (lines, [*lines[:200], *((n, "Node.js v20") for n in range(100)), *lines[:100]]):
        for ending in (Ending(code=1), Ending(signal="SIGABRT"), Ending(code=127)):
            began = time.process_time()
            found = explain(ending, mixed)
            assert time.process_time() - began < 3.0
            assert found is not None
            assert len(found.message) <= 240
            assert len(found.lines) <= 6
