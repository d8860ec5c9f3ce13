"""The GPUs of this machine and their users, polled in the background while tasks wait for one."""

from __future__ import annotations

import json
import os
import sys
import time

from ..core.queue.gpus import Gpu, visible
from ..storage.scheduling import read_settings, write_gpus

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

_PROBE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gpu_probe.py")
#: Seconds for which an answer is valid, and after which a query times out.
_FRESH = 2.0
_PATIENCE = 30.0


class GpuWatch:
    """Runs `gpu_probe` on request, and saves its last answer for servers. `close` it."""

    def __init__(self, data_dir: str, runtime_dir: str) -> None:
        self._data_dir = data_dir
        self._runtime_dir = runtime_dir
        self._probe: subprocess.Popen[bytes] | None = None
        self._asked = -_PATIENCE
        self._answered = -_FRESH
        self._gpus: list[Gpu] | None = None
        self._fault = ""

    def close(self) -> None:
        """End the probe."""
        if self._probe is not None:
            self._probe.kill()
            self._probe.communicate()
            self._probe = None

    def gpus(self) -> Sequence[Gpu] | None:
        """Return the GPUs that tasks may use; None while they are not known. Never waits."""
        now = time.monotonic()
        if self._probe is not None:
            self._collect(now)
        if self._probe is None and now - self._answered >= _FRESH:
            self._ask(now)
        return self._gpus if now - self._answered < _FRESH else None

    def _ask(self, now: float) -> None:
        import subprocess  # noqa: PLC0415  most schedulers never ask

        nvml = read_settings(self._data_dir).nvml
        if not nvml:
            self._note([], now)
            return
        command = [sys.executable, "-I", "-S", "-X", "utf8", _PROBE, nvml]
        try:
            self._probe = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError:
            self._note([], now)
        self._asked = now

    def _collect(self, now: float) -> None:
        probe = self._probe
        assert probe is not None
        if probe.poll() is None:
            if now - self._asked > _PATIENCE:
                self.close()
                self._note([], now)
            return
        self._probe = None
        said, _ = probe.communicate()
        found = []
        try:
            answer = json.loads(said)
            found = [Gpu.from_json(value) for value in answer] if isinstance(answer, list) else []
            fault = answer if isinstance(answer, str) else ""
        except (ValueError, KeyError, TypeError) as error:
            fault = str(error)
        if fault and fault != self._fault:
            print(time.strftime("%Y-%m-%d %H:%M:%S"), "GPUs:", fault, file=sys.stderr, flush=True)
        self._fault = fault
        self._note(visible(found, read_settings(self._data_dir).cuda_visible_devices), now)

    def _note(self, gpus: list[Gpu], now: float) -> None:
        if gpus != self._gpus:
            write_gpus(self._runtime_dir, gpus)
        self._gpus, self._answered = gpus, now
