"""A notebook as a task: run to its end by `python -m jupyter_ptytasks.execute`."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from .starting import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta

    from ..client.types import IfExists
    from .task import Task


def run_notebook(
    path: str | os.PathLike[str],
    /,
    parameters: Mapping[str, Any] | None = None,
    *,
    output: str | os.PathLike[str] | None = None,
    kernel: str | None = None,
    name: str | None = None,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | Iterable[str] = (),
    group: str | None = None,
    tags: Iterable[str] = (),
    timeout: float | str | timedelta | None = None,
    if_exists: IfExists = "new",
    url: str = "",
    token: str = "",
    **more: Any,
) -> Task:
    """Run a notebook as a task, and give that: `run_notebook("train.ipynb", lr=1e-3, epochs=20)`.

    Its parameters are all keywords that are none of the options here, and what is in `parameters`: there goes one that
    is called as an option is. They are values that JSON knows, and are set in a cell behind the one that is tagged
    `parameters`.

    The executed copy is `output`, by default `<stem>.executed.ipynb` beside the notebook, saved after each cell. The
    notebook runs in its own directory with the `kernel` that it names, or this one. The task is named after the
    notebook; all other options are those of `run`. Raises FileNotFoundError without such a notebook, TypeError for a
    parameter that is said twice or that JSON does not know.
    """
    path = os.path.abspath(os.path.expanduser(path))
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no notebook {path}")
    if twice := sorted(set(parameters or {}) & set(more)):
        raise TypeError(f"said twice: {', '.join(twice)}")
    command = [sys.executable, "-m", "jupyter_ptytasks.execute", path]
    if output is not None:
        command += ["--output", os.path.abspath(os.path.expanduser(output))]
    if kernel is not None:
        command += ["--kernel", kernel]
    for parameter, value in {**(parameters or {}), **more}.items():
        command += ["-p", parameter, _json(parameter, value)]
    stem = os.path.splitext(os.path.basename(path))[0]
    return run(
        command,
        name=name or stem,
        cwd=cwd,
        env=env,
        group=group,
        tags=tags,
        timeout=timeout,
        if_exists=if_exists,
        metadata={"notebook": path},
        url=url,
        token=token,
    )


def _json(name: str, value: Any) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"the parameter {name!r} cannot be passed on: {error}") from error
