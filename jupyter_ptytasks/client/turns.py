"""Parses queue options and group settings as users type them: `train:any`, `22:00`, `none`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from .literals import When
    from .types import After, Retry


def moment(text: str) -> datetime:
    """Return the time of `22:00` (the next one), or of a date and time in ISO 8601, local unless it has an offset.

    Raises ValueError.
    """
    now = datetime.now().astimezone()
    try:
        if re.fullmatch(r"[0-9]{1,2}:[0-9]{2}", text):
            hour, minute = map(int, text.split(":"))
            today = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
            return today if today > now else today + timedelta(days=1)
        return datetime.fromisoformat(text.upper().replace("Z", "+00:00")).astimezone()
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time; use 22:00 or 2026-07-01T22:00") from error


def after(text: str) -> After:
    """Return the dependency of `train`, which must succeed, or of `train:failed` or `train:any`."""
    ref, colon, when = text.rpartition(":")
    if colon and ref and when in ("ok", "any", "failed"):
        return {"ref": ref, "when": cast("When", when)}
    return {"ref": text, "when": "ok"}


def retry(times: int | None, delay: float | None) -> Retry | None:
    """Return how a task is retried: at most `times` times, first after `delay` seconds (None: the server's default).
    None if `times` is not given.
    """
    if times is None:
        return None
    return {"max": times} if delay is None else {"max": times, "delay": delay}


def group(slots: str | None, gpus: str | None, per_gpu: int | None, on_failure: str | None) -> dict[str, Any]:
    """Return the given settings of a group: `slots` is a number or `none`; `gpus` is `all`, `none`, or indexes and
    UUIDs such as `0,1`. Settings that are None are left out.

    Raises ValueError.
    """
    settings: dict[str, Any] = {}
    if slots is not None:
        if slots != "none" and not slots.isdecimal():
            raise ValueError(f"slots: {slots!r} is not a number or `none`")
        settings["slots"] = None if slots == "none" else int(slots)
    if gpus is not None:
        settings["gpus"] = None if gpus == "none" else gpus if gpus == "all" else gpus.split(",")
    if per_gpu is not None:
        settings["per_gpu"] = per_gpu
    if on_failure is not None:
        settings["on_failure"] = on_failure
    return settings
