"""The commands of a batch system: run with a small environment, counted, and never for longer than they may take.
Blocking.
"""

from __future__ import annotations

import os
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .shared import Shared

#: What the commands get of our environment: it becomes that of the jobs, and is shown to who may see them.
_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "SHELL", "SLURM_CONF", "LD_LIBRARY_PATH", "TZ")
#: Seconds that a command may take.
PATIENCE = 20.0


def environment() -> dict[str, str]:
    """Return what a process gives to commands of its own environment, and with it to jobs: nothing secret."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


class Commands:
    """Runs the commands of a place with the environment `env`, and tells in `shared` that they were called."""

    def __init__(self, env: Mapping[str, str], shared: Shared) -> None:
        self.env = dict(env)
        self.shared = shared

    def run(self, argv: Sequence[str], text: str = "", patience: float = PATIENCE) -> tuple[int | None, str, str]:
        """Run a command with `text` as its input; return its exit code, output and errors. The code is None if it was
        ended after `patience` seconds, 127 if it cannot be started.
        """
        self.shared.note_call(argv[0])
        try:
            done = subprocess.run(
                argv, input=text.encode(), capture_output=True, timeout=patience, env=self.env, check=False,
                start_new_session=True,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None, "", f"{argv[0]}: no answer within {patience:.0f} s"
        except OSError as error:
            return 127, "", f"{argv[0]}: {error.strerror}"
        return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
