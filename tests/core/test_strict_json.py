"""JSON is checked on the way in and repaired on the way out."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jupyter_ptytasks.core import strict_json
from jupyter_ptytasks.core.errors import BadRequest

#: What Python's json takes and gives: finite numbers or not, of any size, text that is none, any depth.
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.text(st.characters(categories=["Cs"]))
)
values = st.recursive(
    scalars,
    lambda below: st.one_of(
        st.lists(below, max_size=4), st.dictionaries(st.text(st.characters(exclude_categories=[])), below, max_size=4)
    ),
    max_leaves=12,
)
#: What looks like JSON, and seldom is.
garbage = st.text('{}[]",:0123456789eE+-.\\u aNIfty\ud800\0')


def nested(depth: int, kind: str = "[]") -> str:
    """Text of arrays or objects in one another."""
    return "[" * depth + "]" * depth if kind == "[]" else '{"a":' * depth + "1" + "}" * depth


def strictly(data: bytes) -> Any:
    """Read JSON as a browser does. Raises ValueError for what is none."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(data.decode(), parse_constant=refuse)


def is_carried(value: Any) -> bool:
    """Whether every client can carry a value; by other means than the code's."""
    if isinstance(value, dict):
        return all(is_carried(part) for part in [*value, *value.values()])
    if isinstance(value, list):
        return all(map(is_carried, value))
    if isinstance(value, str):
        return not any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, float):
        return value == value and value not in (math.inf, -math.inf)
    return isinstance(value, bool) or value is None or float(value) == value


def depth(value: Any) -> int:
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if parts is None else 1 + max(map(depth, parts), default=0)


@given(values)
@example({"a": [math.nan, -math.inf, "\ud800"], "\udfff": 1})
def test_what_goes_out_is_json_and_what_was_json_is_unchanged(value: Any) -> None:
    told = strictly(strict_json.encode(value))
    assert is_carried(json.loads(json.dumps(told), parse_int=float))
    if is_carried(value):
        assert told == value


@given(values)
@example("\ud800\udc00")
def test_what_comes_in_is_carried_or_refused(value: Any) -> None:
    """Two surrogates that are escaped one after the other are one character (RFC 8259, section 7)."""
    try:
        found = strict_json.decode(json.dumps(value).encode())
    except BadRequest:
        assert not is_carried(value) or depth(value) > strict_json.DEPTH_MAX or abs_max(value) > strict_json.INTEGER_MAX
    else:
        assert is_carried(found)
        assert found == json.loads(json.dumps(value))


def abs_max(value: Any) -> float:
    """The largest integer in a value, whatever its sign."""
    if isinstance(value, dict):
        return max(map(abs_max, value.values()), default=0)
    if isinstance(value, list):
        return max(map(abs_max, value), default=0)
    return abs(value) if isinstance(value, int) else 0


@given(
    st.one_of(
        st.binary(),
        st.text('{}[]",:0123456789eE+-.\\u aNIfty\ud800\0').map(lambda text: text.encode("utf-8", "surrogatepass")),
    )
)
@example(b'["\xed\xa0\x80"]')
@example(b"\xff\xfe[\0]\0")
def test_any_bytes_are_a_value_or_refused(data: bytes) -> None:
    try:
        found = strict_json.decode(data)
    except BadRequest as error:
        error.to_json()["message"].encode()
    else:
        assert is_carried(found)
        assert strictly(strict_json.encode(found)) == found


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"a": NaN}', "a"),
        ('{"a": {"b": [0, -Infinity]}}', "a.b.1"),
        ('{"a": 1e999}', "a"),
        ('{"a": 9007199254740992}', "a"),
        ('{"a": -9007199254740992}', "a"),
        ('{"a": ' + "1" * 5000 + "}", "a"),
        ('{"a": "\\ud800"}', "a"),
        ('{"a": {"\\udc00": 1}}', "a.\ufffd"),
        ('{"a": 1, "b": 2, "a": 1}', "a"),
        ('{"a": [{"b": 1, "b": 1}]}', "a.0.b"),
        ('{"a": ' + nested(33) + "}", "a" + ".0" * 32),
        ('{"a": ' + nested(33, "{}") + "}", "a" + ".a" * 32),
        ('{"a": ' + nested(900) + "}", "a" + ".0" * 32),
        ("[" + "0," * 100_000 + "0]", None),
        (nested(100_000), None),
        (nested(100_000, "{}"), None),
        ("{", None),
        ("", None),
    ],
    ids=range(18),
)
def test_what_is_refused_names_its_field(text: str, field: str | None) -> None:
    with pytest.raises(BadRequest) as refused:
        strict_json.decode(text.encode())
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 9007199254740991}', {"a": 2**53 - 1}),
        ('{"a": -1.5e300}', {"a": -1.5e300}),
        ('{"a": "\\ud83d\\ude80"}', {"a": "🚀"}),
        ('\ufeff{"a": ""}', {"a": ""}),
    ],
)
def test_what_is_unusual_and_right_is_taken(text: str, value: object) -> None:
    assert strict_json.decode(text.encode()) == value


def test_a_field_may_be_nested_32_levels_deep() -> None:
    assert depth(strict_json.decode(f'{{"a": {nested(32)}}}'.encode())) == 33


def test_values_nested_too_deeply_are_truncated() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    assert depth(strictly(strict_json.encode({"a": value}))) < 64
    while value:  # freed one by one: Python (3.10) would recurse
        value = value.pop()
