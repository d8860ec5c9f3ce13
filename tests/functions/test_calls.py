"""Calls as bytes: what is included, errors about parts that cannot be pickled, and checks of arguments."""

from __future__ import annotations

import functools
import inspect
import io
import json
import linecache
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ptytasks.client import ExtraMissing, NotPicklable
from jupyter_ptytasks.core.paths import CALL_MAX
from jupyter_ptytasks.functions import calls, file, pickling

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOCK = "cannot be pickled: cannot pickle '_thread.lock' object"
#: More bytes than a call may have.
LARGE = CALL_MAX
TOO_LARGE = "takes more than 16777216 bytes when it is pickled\nSave what is large to a file, and pass its path."


def add(a: Any, b: Any = 2) -> Any:
    return a + b


def notebook(source: str, name: str = "<cell>") -> dict[str, Any]:
    """Run the source of a cell, and give its variables: functions of no module, whose source is only here."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    variables: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, name, "exec"), variables)
    return variables


def refusal(function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """Return what is said of a call that cannot be pickled."""
    with pytest.raises(NotPicklable) as caught:
        calls.pack(function, args, kwargs)
    assert isinstance(caught.value, TypeError)
    return str(caught.value)


# -- there and back ---------------------------------------------------------------------------------------------------

#: The same cases every time.
ALIKE = settings(derandomize=True, deadline=None, database=None)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=10,
)


@ALIKE
@given(st.lists(VALUES, max_size=3), st.dictionaries(st.text(), VALUES, max_size=3))
def test_arguments_arrive_as_they_were(args: list[Any], kwargs: dict[str, Any]) -> None:
    call = calls.unpack(calls.pack(add, args, kwargs))
    assert (call.name, call.args, call.kwargs) == ("add", tuple(args), kwargs)


def test_the_head_can_be_read_without_unpickling_anything() -> None:
    head, pickled = file.decode(calls.pack(time.sleep, [1], path=["/modules", "/\udcff"]))
    assert head == {
        "format": 1,
        "python": sys.version.split()[0],
        "code": False,
        "function": "sleep",
        "path": ["/modules", "/\udcff"],
        "sources": {},
    }
    assert pickling.load(pickled) == (time.sleep, (1,), {})


def test_a_function_of_a_notebook_works_in_another_process_with_its_source(tmp_path: Path) -> None:
    cell = (
        "import math\nscale = 3\ndef area(r):\n    return helper(r)\ndef helper(r):\n    return scale * math.floor(r)\n"
    )
    (tmp_path / "call").write_bytes(calls.pack(notebook(cell)["area"], [2.5]))
    program = (
        "import inspect\nfrom jupyter_ptytasks.functions import calls\n"
        "call = calls.unpack(open('call', 'rb').read())\n"
        "print(call.function(*call.args), inspect.getsource(call.function), call.function.__code__.co_filename)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout == "6 def area(r):\n    return helper(r)\n <cell>\n"


def test_modules_are_found_where_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "far_away.py").write_text("def answer():\n    return 42\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import far_away  # type: ignore[import-not-found]  # noqa: PLC0415

    packed = calls.pack(far_away.answer, path=calls.search_path())
    assert b"far_away" in packed
    assert b"def answer" not in packed
    monkeypatch.delitem(sys.modules, "far_away")
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place != str(tmp_path)])
    assert calls.unpack(packed).function() == 42
    assert sys.path[0] == str(tmp_path)


def test_code_of_another_version_is_refused_and_data_is_not() -> None:
    def other(data: bytes) -> bytes:
        line, _, rest = data.partition(b"\n")
        return json.dumps({**json.loads(line), "python": "2.7.18"}).encode() + b"\n" + rest

    assert calls.unpack(other(calls.pack(time.sleep, [1]))).args == (1,)
    with pytest.raises(file.Unreadable, match=r"pickled by Python 2\.7\.18, and this is Python 3"):
        calls.unpack(other(calls.pack(lambda: None)))
    for damaged in (b"", b"[]\n", b'{"format": 2}\n', b"\x80\n"):
        with pytest.raises(file.Unreadable):
            calls.unpack(damaged)


def test_long_source_code_is_left_out() -> None:
    cell = f"def short():\n    return 1\n{'# comment' * (1 << 18)}"
    packed = calls.pack(notebook(cell, "<long>")["short"], [b"x" * (15 << 20)])
    assert len(packed) <= CALL_MAX
    assert file.decode(packed)[0]["sources"] == {}


def test_without_cloudpickle_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(
        ExtraMissing, match=r"need cloudpickle\n.*pip install 'jupyter_ptytasks\[functions\]'"
    ) as caught:
        calls.pack(add, [1])
    assert isinstance(caught.value, ImportError)
    assert sys.executable in str(caught.value)


# -- what cannot be pickled -------------------------------------------------------------------------------------------


class Model:
    def __init__(self) -> None:
        self.weights = [1.0]
        self.lock = threading.Lock()


class Stubborn:
    def __reduce__(self) -> Any:
        raise RuntimeError("not me")


CELL = """
import threading
lock = threading.Lock()
class Holder:
    lock = lock
class Config:
    pass
config = Config()
config.model = [{"x": lock}]
def helper():
    return lock
def direct():
    with lock:
        pass
def nested():
    return [helper() for _ in range(3)]
def attribute():
    return config.model
def default(lr=0.1, using=lock, *, how=config):
    pass
def closed(value):
    def inner():
        return value
    return inner
def of_class():
    return Holder()
def recursive():
    return recursive() + direct()
"""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("direct", f"direct uses `lock`, which {LOCK}"),
        ("nested", f"nested uses `helper`, which uses `lock`, which {LOCK}"),
        ("attribute", f"attribute uses `config.model[0]['x']`, which {LOCK}"),
        ("default", f"default uses `using`, which {LOCK}"),
        ("of_class", f"of_class uses `Holder.lock`, which {LOCK}"),
        ("recursive", f"recursive uses `direct`, which uses `lock`, which {LOCK}"),
    ],
)
def test_the_culprit_in_a_function_is_named(name: str, said: str) -> None:
    assert refusal(notebook(CELL)[name]) == said


def test_the_culprit_among_arguments_is_named() -> None:
    cell = notebook(CELL)
    lock = cell["lock"]
    assert refusal(add, 1, lock) == f"the argument `b` of add {LOCK}"
    assert refusal(add, {"x": [1, {"y": Model()}]}) == f"the argument `a['x'][1]['y'].lock` of add {LOCK}"
    assert refusal(add, b=(Model(),)) == f"the argument `b[0].lock` of add {LOCK}"
    assert refusal(add, cell["helper"]) == f"the argument `a` of add uses `lock`, which {LOCK}"
    assert refusal(max, 1, lock) == f"the argument `args[1]` of max {LOCK}"
    assert refusal(cell["closed"](lock)) == f"inner uses `value`, which {LOCK}"
    assert refusal(functools.partial(add, 1, b=lock)) == f"add uses `b`, which {LOCK}"
    assert refusal(functools.partial(add, lock)) == f"add uses `a`, which {LOCK}"
    assert refusal(Model().__init__) == f"__init__ uses `self.lock`, which {LOCK}"  # type: ignore[misc]
    assert refusal(add, Stubborn()) == "the argument `a` of add cannot be pickled: not me"
    assert refusal(add, {frozenset(range(100)): lock}).startswith("the argument `a[frozenset({0, 1, 2, 3,")
    assert (
        refusal(add, (x for x in "ab")) == "the argument `a` of add cannot be pickled: cannot pickle 'generator' object"
    )


def test_a_culprit_in_a_circle_is_found() -> None:
    model: Any = Model()
    model.weights = [{"of": model}]
    model.__dict__ = dict(reversed(model.__dict__.items()))
    assert refusal(add, model) == f"the argument `a.lock` of add {LOCK}"


def test_a_search_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_ptytasks.functions.culprits._PATIENCE", 0.0)
    assert refusal(add, [1, threading.Lock()]) == f"the argument `a` of add {LOCK}"


def test_what_is_too_large_is_named() -> None:
    assert refusal(add, b"x" * LARGE) == f"the argument `a` of add {TOO_LARGE}"
    assert refusal(add, 1, {"runs": [0, bytearray(LARGE)]}) == f"the argument `b['runs'][1]` of add {TOO_LARGE}"
    half = LARGE // 2 + 1
    assert refusal(add, b"x" * half, b"y" * half) == f"the call of add {TOO_LARGE}"
    cell = notebook("data = bytes(18 << 20)\ndef train():\n    return len(data)")
    assert refusal(cell["train"]) == f"train uses `data`, which {TOO_LARGE}"


# -- whose arguments they are -----------------------------------------------------------------------------------------


def train(lr: float, name: str = "net", /, timeout: int = 3, *, group: str = "g", **config: Any) -> None:
    """Take what `run` takes, too."""


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "options", "said"),
    [
        (train, [1], {}, [], ""),
        (train, [1], {}, ["name", "cwd"], ""),  # what is positional only cannot be meant
        (train, [1, "x", 5], {}, ["timeout"], ""),
        (train, [1], {"epochs": 3}, ["slots"], ""),
        (train, [1], {}, ["timeout"], r"'timeout' is an option of run\(\) and a parameter of train\(\); bind"),
        (train, [1], {}, ["group"], r"functools\.partial\(train, group=\.\.\.\)"),
        (functools.partial(train, group="x"), [1], {}, ["group"], ""),
        (train, [], {}, [], r"train\(\): missing a required argument: 'lr'"),
        (add, [1, 2, 3], {}, [], r"add\(\): too many positional arguments"),
        (add, [1], {"c": 1}, [], r"add\(\): got an unexpected keyword argument 'c'"),
        (time.sleep, [1], {}, ["name"], ""),
        (dict, [], {"name": 1}, ["name"], ""),  # has no signature
        (lambda: (yield), [], {}, [], "lambda is a generator function, but a task has one result"),
    ],
)
def test_arguments_are_bound_before_anything_starts(
    function: Any, args: list[Any], kwargs: dict[str, Any], options: list[str], said: str
) -> None:
    if not said:
        calls.check(function, args, kwargs, options)
        return
    with pytest.raises(TypeError, match=said):
        calls.check(function, args, kwargs, options)


def test_whatever_can_be_called_has_a_name() -> None:
    async def agen() -> Any:
        yield 1

    assert [calls.label(one) for one in (add, functools.partial(add, 1), io.BytesIO, Model().__init__)] == [  # type: ignore[misc]
        *("add", "add", "BytesIO", "__init__")
    ]
    assert calls.label(lambda: None) == "lambda"
    assert calls.label(functools.cache(add)) == "add"
    assert calls.label(inspect.Signature().replace) == "replace"
    with pytest.raises(TypeError, match="agen is a generator function"):
        calls.check(agen, [], {})
