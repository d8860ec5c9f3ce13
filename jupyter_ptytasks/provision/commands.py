"""The commands of a batch system, run with a small environment and a timeout, and counted. Blocking."""

from __future__ import annotations

import os
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .shared import Shared

    #: Runs `argv` with `text` as its input for `patience` seconds at most, as Commands.run.
    Execute = Callable[[Sequence[str], str, float], tuple[int | None, str, str]]

#: The variables that commands get from our environment: jobs inherit them, and other users may see them.
KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "SHELL", "SLURM_CONF", "LD_LIBRARY_PATH", "TZ")
#: Seconds that a command may take.
PATIENCE = 20.0


def environment() -> dict[str, str]:
    """Return the variables that commands, and therefore jobs, get from this process: nothing secret."""
    return {name: os.environ[name] for name in KEPT if name in os.environ}


class Commands:
    """Runs the commands of a place with `execute`, and counts the calls in `shared`."""

    def __init__(self, execute: Execute, shared: Shared) -> None:
        self._execute = execute
        self.shared = shared

    def run(self, argv: Sequence[str], text: str = "", patience: float = PATIENCE) -> tuple[int | None, str, str]:
        """Run a command with `text` as its input; return its exit code, output and errors. The code is None if the
        outcome is unknown, as after `patience` seconds, and 127 if the command cannot be started. Raises
        PlaceUnreachable if it was not run because its machine cannot be reached.
        """
        self.shared.note_call(argv[0])
        return self._execute(argv, text, patience)


def on_this_machine(env: Mapping[str, str]) -> Execute:
    """Return a function that runs commands here, with the environment `env`."""

    def execute(argv: Sequence[str], text: str, patience: float) -> tuple[int | None, str, str]:
        try:
            done = subprocess.run(
                argv, input=text.encode(), capture_output=True, timeout=patience, env=env, check=False,
                start_new_session=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None, "", f"{argv[0]}: no response within {patience:.0f} s"
        except OSError as error:
            return 127, "", f"{argv[0]}: {error.strerror}"
        return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")

    return execute
