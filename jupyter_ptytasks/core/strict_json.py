"""JSON that every client can read: checked on the way in, repaired on the way out.

RFC 8259 does not define the handling of numbers beyond a double, lone surrogates, duplicate names and deep nesting.
Python accepts all of them, and `NaN`, which is not JSON; browsers do not.
"""

from __future__ import annotations

import json
import math

from .errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: The largest integer that a JavaScript number holds exactly (ECMA-262, Number.MAX_SAFE_INTEGER).
INTEGER_MAX = 2**53 - 1
#: Levels of arrays and objects. The body is one of them, so a field may have one less.
DEPTH_MAX = 33
#: Values in one document: checking more would block the event loop.
VALUES_MAX = 100_000
#: Reused, since `json.dumps` creates one for every value.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
#: Maximum length of a field's name in an error.
_FIELD_MAX = 200


def decode(data: bytes) -> Any:
    """Return the value of a UTF-8 document. Raises BadRequest if it is not valid JSON or some clients could not read
    it, with the field at fault, such as `metadata.runs.0`.
    """
    try:
        value = json.loads(data.decode("utf-8-sig"), parse_int=_integer, object_pairs_hook=_object)
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    except ValueError as error:
        raise BadRequest(f"the body is not valid JSON: {error}") from error
    _Check().value(value, ())
    return value


def encode(value: object) -> bytes:
    """Return the JSON of `value` in UTF-8. What JSON cannot represent, stored by an older version, becomes null
    (numbers that are not finite, nesting that is too deep) or U+FFFD (lone surrogates).
    """
    try:
        return _dump(value)
    except (ValueError, RecursionError):
        return _dump(_repaired(value, DEPTH_MAX + 8))


def _dump(value: object) -> bytes:
    return _ENCODER.encode(value).encode()


class _Repeated:
    """Stands in for a value whose name was given twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen = set()
        for name, _ in pairs:
            if name in seen:
                value[name] = _Repeated
            seen.add(name)
    return value


def _integer(digits: str) -> int | float:
    # Python refuses to convert thousands of digits; a number of that size is out of range anyway.
    return int(digits) if len(digits) < 32 else math.inf


class _Check:
    """Checks one document; counts its values."""

    def __init__(self) -> None:
        self._count = 0

    def value(self, value: Any, path: tuple[str, ...]) -> None:
        """Raise BadRequest for the first value that some clients could not read."""
        self._count += 1
        if self._count > VALUES_MAX:
            raise BadRequest(f"the body has more than {VALUES_MAX} values")
        if isinstance(value, str):
            if not _is_text(value):
                raise _fault(path, "must be valid Unicode: it contains a lone surrogate")
        elif isinstance(value, (dict, list)):
            if len(path) >= DEPTH_MAX:
                raise _fault(path, f"must not be nested more than {DEPTH_MAX - 1} levels deep")
            for name, part in value.items() if isinstance(value, dict) else enumerate(value):
                below = (*path, str(name))
                if isinstance(name, str) and not _is_text(name):
                    raise _fault(below, "must have a name that is valid Unicode")
                self.value(part, below)
        elif isinstance(value, float):
            if not math.isfinite(value):
                raise _fault(path, "must be a finite number")
        elif value is _Repeated:
            raise _fault(path, "must not be given twice")
        elif isinstance(value, int) and abs(value) > INTEGER_MAX:
            raise _fault(path, f"must be an integer between -{INTEGER_MAX} and {INTEGER_MAX}")


def _fault(path: tuple[str, ...], what: str) -> BadRequest:
    field = _text(".".join(path))[:_FIELD_MAX]
    return BadRequest(f"{field}: {what}" if field else f"the body {what}", field=field or None)


def _is_text(text: str) -> bool:
    """Return whether `text` can be encoded in UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(text: str) -> str:
    """Return `text` with lone surrogates replaced by U+FFFD."""
    return text if _is_text(text) else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _repaired(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (dict, list, tuple)):
        if depth == 0:
            return None
        if isinstance(value, dict):
            return {
                (_text(name) if isinstance(name, str) else name): _repaired(part, depth - 1)
                for name, part in value.items()
            }
        return [_repaired(part, depth - 1) for part in value]
    return value
