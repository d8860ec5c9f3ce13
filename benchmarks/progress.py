"""What it costs to look for progress in output: a reader is fed with 4 KiB at a time, as servers do twice a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from jupyter_ptytasks.core.progress import ProgressReader

from .results import Must, Row, Series

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .plan import Plan

_SIZE = 4096
_BAR = "\rtrain:  {0:2d}%|{1:<50}| {0}/100 [00:00<00:01, 49.46it/s, loss=0.12]"
#: What comes, and the most that it may take, in seconds. A machine has hundreds of tasks, and most print text.
_OUTPUT = {
    "text": ("2026-11-21 10:00:00 INFO words of no concern, one line below another\r\n" * 80, 1e-3),
    "text with paths and URLs": ("10.0.0.7 GET http://example.org/2026/11/21/a.html 200\r\n" * 100, 10e-3),
    "a tqdm bar": ("".join(_BAR.format(done, "█" * (done // 2)) for done in range(100)), 10e-3),
    "lines of epochs and steps": ("Epoch [3/10], Step [100/600], Loss: 0.4321\r\n" * 100, 30e-3),
}


def reading(plan: Plan) -> Iterator[Row]:
    """4 KiB of several kinds."""
    for name, (text, most) in _OUTPUT.items():
        plan.say(f"progress in {name}")
        data = text.encode()[:_SIZE]
        reader = ProgressReader()
        took = []
        for moment in range(plan.pick(500, 100)):
            began = time.perf_counter()
            reader.feed(data, float(moment))
            took.append(time.perf_counter() - began)
        series = Series(tuple(took), "s")
        yield Row(f"progress detection in 4 KiB of {name}", series, series, {}, Must(most, "s"))
