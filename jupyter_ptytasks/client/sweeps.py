"""The client's methods for sweeps."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, cast

from .connection import SLOW, Connection, decoded, path_of, without_none

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .literals import Command, Scalar, StateName, SweepMode
    from .types import Sweep, SweepChange


class SweepMethods(Connection):
    """One method per route of sweeps."""

    def create_sweep(
        self,
        command: Command,
        params: Mapping[str, str | Sequence[Scalar]],
        *,
        mode: SweepMode = "grid",
        count: int | None = None,
        random_seed: int | None = None,
        max_failures: int | None = None,
        **options: Any,
    ) -> Sweep:
        """Queue a task for each combination of parameters, all or none of them, and return the sweep.

        Args:
            command: a shell command line, or a list of arguments, with placeholders such as `{lr}`.
            params: the values of each parameter: a list, or text such as `1e-3,1e-4` or `0:5`.
            mode: `grid` uses all combinations, `zip` combines values element by element, `random` draws `count` from
            the
                grid, reproducibly for a `random_seed`.
            max_failures: after this many failed tasks, those that have not started are canceled.
            options: those of `create`, except `if_exists`, for every task. A `function` has the parameters as keyword
                arguments.
        """
        function: bytes | None = options.pop("function", None)
        given = {
            "command": command,
            "function": None if function is None else base64.b64encode(function).decode(),
            "params": params,
            "mode": mode,
            "count": count,
            "random_seed": random_seed,
            "max_failures": max_failures,
            **options,
        }
        response = self._transport.request("POST", "sweeps", json=without_none(given), timeout=SLOW)
        return cast("Sweep", decoded(response.content))

    def sweeps(self) -> Sequence[Sweep]:
        """Return all sweeps, newest first."""
        return cast("Sequence[Sweep]", self._get("sweeps")["sweeps"])

    def sweep(self, ref: str) -> Sweep:
        """Return a sweep, given by its id or name."""
        return cast("Sweep", self._get(path_of(ref, of="sweeps")))

    def retry_sweep(self, ref: str, states: Iterable[StateName] | None = None) -> SweepChange:
        """Rerun the tasks of a sweep that ended in one of these states; by default `failed`, `timed_out` and `lost`."""
        body = without_none({"states": None if states is None else list(states)})
        return self._change_sweep(ref, "retry", body)

    def release_sweep(self, ref: str) -> SweepChange:
        """Release the held tasks of a sweep."""
        return self._change_sweep(ref, "start", {})

    def cancel_sweep(self, ref: str) -> SweepChange:
        """Cancel the pending tasks of a sweep, and begin to stop the running ones."""
        return self._change_sweep(ref, "cancel", {})

    def delete_sweep(self, ref: str, *, stop: bool = False) -> None:
        """Delete the tasks of a sweep and their output.

        Args:
            stop: cancel the sweep first if it has not ended.
        """
        params = {"stop": "1"} if stop else {}
        self._transport.request("DELETE", path_of(ref, of="sweeps"), params=params, timeout=SLOW)

    def _change_sweep(self, ref: str, verb: str, body: Mapping[str, Any]) -> SweepChange:
        response = self._transport.request("POST", path_of(ref, verb, of="sweeps"), json=body, timeout=SLOW)
        return cast("SweepChange", decoded(response.content))
