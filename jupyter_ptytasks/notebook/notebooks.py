"""Runs notebooks as tasks, with `python -m jupyter_ptytasks.execute`."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from .starting import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta

    from ..client.literals import IfExists
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
    """Run a notebook as a task and return the task: `run_notebook("train.ipynb", lr=1e-3, epochs=20)`.

    The notebook runs in its own directory. All options not listed here are those of `run`.

    Args:
        path: the notebook.
        parameters: values to set in a new cell after the one tagged `parameters`; they must be JSON values. Keyword
            arguments that are not options are parameters too; use this mapping for names that clash with an option.
        output: path of the executed copy, which is saved after each cell; by default `<stem>.executed.ipynb`.
        kernel: name of the kernel; by default the notebook's own.
        name: name of the task; by default that of the notebook.

    Raises:
        FileNotFoundError: there is no such notebook.
        TypeError: a parameter is given twice, or is not a JSON value.
    """
    path = os.path.abspath(os.path.expanduser(path))
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no such notebook: {path}")
    if twice := sorted(set(parameters or {}) & set(more)):
        raise TypeError(f"parameters given twice: {', '.join(twice)}")
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
        raise TypeError(f"parameter {name!r} is not a JSON value: {error}") from error
