"""The resources that a task requests from a batch system: validated, in one form for all systems."""

from __future__ import annotations

import re

from .errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_MEMORY = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([KMGT])i?B?", re.IGNORECASE)
#: MiB.
_UNITS = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024 * 1024}
_GPUS = re.compile(r"(?:[A-Za-z][\w.-]{0,63}:)?\d{1,5}", re.ASCII)
_PARTS = re.compile(r"(?:(\d{1,4})d)?\s*(?:(\d{1,5})h)?\s*(?:(\d{1,6})m(?:in)?)?\s*(?:(\d{1,8})s)?")
_CLOCK = re.compile(r"(?:(\d{1,4})-)?(\d{1,5}):(\d{1,2}):(\d{1,2})")
_NAMES = re.compile(r"[\w.,:@+-]{1,200}", re.ASCII)
_CONSTRAINT = re.compile(r"[\w.,:@+&|!*()\[\]-]{1,500}", re.ASCII)
_BEGIN = re.compile(r"[\w+:./-]{1,64}", re.ASCII)
_OPTION = re.compile(r"--([a-z][a-z-]{0,40})(?:=([^\x00-\x1f\x7f]{0,500}))?")
_EXTRA_MAX = 32
#: Slurm counts in minutes.
_TIME_MIN, _TIME_MAX = 60, 365 * 86400
#: Options of sbatch that we set, that have their own field, or with which a job could not be found again.
_OWN = (
    "array", "chdir", "clusters", "comment", "error", "export", "export-file", "gid", "help", "hold", "ignore-pbs",
    "input", "job-name", "no-requeue", "open-mode", "output", "parsable", "quiet", "requeue", "signal", "test-only",
    "uid", "usage", "version", "wait", "wrap",
)  # fmt: skip


def check(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the requested resources, without fields that are None: `cpus` and `nodes` as numbers, `memory` as `8192M`,
    `gpus` as `2` or `a100:2`, `time` in seconds, all others unchanged. Raises BadRequest with a `field` such as
    `resources.memory`.
    """
    checked = {}
    for name, value in given.items():
        if value is None:
            continue
        try:
            checked[name] = _CHECKS[name](value)
        except KeyError:
            raise BadRequest(f"resources: there is no {name!r}", field="resources") from None
        except (TypeError, ValueError) as error:
            raise BadRequest(f"resources.{name}: {error}", field=f"resources.{name}") from error
    return checked


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100_000:
        raise ValueError("must be a whole number, at least 1")
    return value


def _memory(value: Any) -> str:
    match = _MEMORY.fullmatch(value.strip()) if isinstance(value, str) else None
    size = round(float(match[1]) * _UNITS[match[2].upper()]) if match else 0
    if size < 1:
        raise ValueError("must be a size such as 8G or 512M")
    return f"{size}M"


def _gpus(value: Any) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _GPUS.fullmatch(text):
        raise ValueError("must be a number, or a type and a number, such as 1 or a100:2")
    return text


def _time(value: Any) -> int:
    seconds = _seconds(value)
    if not _TIME_MIN <= seconds <= _TIME_MAX:
        raise ValueError("must be between a minute and a year")
    return seconds


def _seconds(value: Any) -> int:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _TIME_MAX:
        return int(value)
    text = value.strip() if isinstance(value, str) else ""
    clock, parts = _CLOCK.fullmatch(text), _PARTS.fullmatch(text)
    if clock:
        days, hours, minutes, seconds = (int(part or 0) for part in clock.groups())
    elif text and parts:
        days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    else:
        # Not 90, and not 2:00: their unit is ambiguous.
        raise ValueError("must be seconds as a number, or a time such as 2h, 1h30m, 2:00:00 or 1-12:00:00")
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _matching(pattern: re.Pattern[str]) -> Callable[[Any], str]:
    def check_text(value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value) or value.startswith("-"):
            raise ValueError("is not valid here")
        return value

    return check_text


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("must be true or false")
    return value


def _extra(value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)) or len(value) > _EXTRA_MAX:
        raise ValueError(f"must be a list of at most {_EXTRA_MAX} options")
    for one in value:
        match = _OPTION.fullmatch(one) if isinstance(one, str) else None
        if not match:
            raise ValueError("must be options in the long form, such as --exclusive or --licenses=matlab")
        # Options may be abbreviated as long as they are unambiguous (getopt_long(3)).
        if any(own.startswith(match[1]) for own in _OWN):
            raise ValueError(f"{match[0].partition('=')[0]} cannot be given")
    return list(value)


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "cpus": _count,
    "memory": _memory,
    "gpus": _gpus,
    "time": _time,
    "partition": _matching(_NAMES),
    "account": _matching(_NAMES),
    "qos": _matching(_NAMES),
    "constraint": _matching(_CONSTRAINT),
    "nodes": _count,
    "reservation": _matching(_NAMES),
    "begin": _matching(_BEGIN),
    "requeue": _flag,
    "extra": _extra,
}
#: The names of all resources.
FIELDS = tuple(_CHECKS)
