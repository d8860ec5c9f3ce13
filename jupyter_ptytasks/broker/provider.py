"""A Parsl provider, used for single jobs (parsl.providers.base.ExecutionProvider).

Its table of jobs is rebuilt for each request, so that it includes jobs submitted by another process, and drops those
that are no longer requested.
"""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any

from ..core.files import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping


class Refused(Exception):
    """A request was not carried out, and nothing runs; the message says why."""


class Provider:
    """The Parsl provider with this class name, created with `options`. `limit` is the time limit of its jobs in
    seconds, None if unknown. Raises Refused if Parsl or the batch system is missing, or an option is invalid.
    """

    def __init__(self, provider: str, options: Mapping[str, Any]) -> None:
        try:
            from parsl import providers  # noqa: PLC0415  an extra
            from parsl.launchers import SimpleLauncher  # noqa: PLC0415
            from parsl.providers.base import ExecutionProvider  # noqa: PLC0415
        except ImportError as error:
            raise Refused("Parsl is not installed: pip install 'jupyter_ptytasks[parsl]'") from error
        made = getattr(providers, provider, None)
        if not (isinstance(made, type) and issubclass(made, ExecutionProvider)):
            raise Refused(f"provider: Parsl has no {provider!r}")
        takes = inspect.signature(made).parameters
        for name in options:
            # A launcher starts a command on each node; a job of ours is a single process.
            if name not in takes or name == "launcher":
                raise Refused(f"options.{name}: not an option of {provider} here")
        launcher = {"launcher": SimpleLauncher()} if "launcher" in takes else {}
        try:
            self._provider = made(**options, **launcher)
        except Exception as error:
            raise Refused(f"options: {provider} rejects them: {error}") from error
        self.limit = _seconds(getattr(self._provider, "walltime", None))

    def submit(self, command: str, name: str, directory: str, handle: str) -> dict[str, Any]:
        """Submit a job that runs a shell command line, with the provider's files in `directory`, and return its id.

        The id is also written to the file `handle`, in case the server has died meanwhile. Raises Refused if there is
        no job; after any other error there may be one.
        """
        from parsl.providers.errors import ScriptPathError, SubmitException  # noqa: PLC0415  as above

        os.makedirs(directory, mode=0o700, exist_ok=True)
        self._provider.script_dir = directory
        self._provider.resources = {}
        try:
            job = str(self._provider.submit(command, 1, name))
        except SubmitException as error:
            said = " ".join((error.stderr or error.message or "").split())
            raise Refused(said or "no reason given") from error
        except ScriptPathError as error:
            raise Refused(str(error.reason)) from error
        kept = {name: value for name, value in self._provider.resources.get(job, {}).items() if _is_plain(value)}
        write_json(handle, {**(read_json(handle) or {}), "job": job, "kept": kept}, durable=True)
        return {"job": job}

    def states(self, jobs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Return the states of jobs by Parsl's names, given the `kept` values of each. Jobs that the batch system does
        not report are left out.
        """
        found = self._ask(jobs)
        if not found and len(jobs) > 1:
            # Some programs fail for all jobs if one is no longer known.
            for job, kept in jobs.items():
                found |= self._ask({job: kept})
        return {"states": found}

    def _ask(self, jobs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        self._know(jobs)
        said = zip(jobs, self._provider.status(list(jobs)), strict=True)
        return {job: status.state.name for job, status in said if status.state.name != "UNKNOWN"}

    def cancel(self, job: str, kept: Mapping[str, Any]) -> dict[str, Any]:
        """Cancel a pending or running job; return whether this was `done`."""
        self._know({job: kept})
        return {"done": bool(next(iter(self._provider.cancel([job])), False))}

    def _know(self, jobs: Mapping[str, Mapping[str, Any]]) -> None:
        from parsl.jobs.states import JobState, JobStatus  # noqa: PLC0415  as above

        self._provider.resources = {job: {**kept, "status": JobStatus(JobState.UNKNOWN)} for job, kept in jobs.items()}


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))


def _seconds(walltime: object) -> float | None:
    """Return the seconds of a limit like 01:30:00."""
    parts = walltime.split(":") if isinstance(walltime, str) else []
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        return None
    hours, minutes, seconds = map(int, parts)
    return float((hours * 60 + minutes) * 60 + seconds)
