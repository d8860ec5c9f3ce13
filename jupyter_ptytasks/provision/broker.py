"""The client of a broker (jupyter_ptytasks.broker): starts it when needed, and sends one request at a time.
Blocking.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading

from ..core.errors import PlaceUnreachable, StartUnknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: Seconds that a response may take; the programs of a batch system have their own limit.
_PATIENCE = 120.0
#: Seconds that a broker has to exit when its input ends, and before that to finish an answer.
_LEAVING = 5.0


class Refused(Exception):
    """The batch system or its broker has refused a request; nothing was done."""


class Broker:
    """The broker for the provider `about`, in the environment `env`; its errors go to the file `log`. `close` it."""

    def __init__(self, about: Mapping[str, Any], env: Mapping[str, str], log: str) -> None:
        self._about = about
        self._env = env
        self._log = log
        self._asking = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._limit: float | None = None

    def close(self) -> None:
        """End the broker. If it is busy for long, leave it alone: it may be submitting a job, and exits after that."""
        if self._asking.acquire(timeout=_LEAVING):
            try:
                self._end()
            finally:
                self._asking.release()

    def _end(self) -> None:
        if self._process is not None:
            with self._process as process:
                assert process.stdin is not None
                with contextlib.suppress(OSError):
                    process.stdin.close()
                try:
                    process.wait(_LEAVING)
                except subprocess.TimeoutExpired:
                    process.kill()
            self._process = None

    def limit(self) -> float | None:
        """Return the time limit of jobs in seconds; None if unknown. Raises PlaceUnreachable."""
        with self._asking:
            self._start()
        return self._limit

    def ask(self, do: str, **about: Any) -> dict[str, Any]:
        """Return the response to a request (broker.provider). Raises Refused; PlaceUnreachable if the broker cannot be
        started; StartUnknown if it is unknown what has been done.
        """
        with self._asking:
            process = self._start()
            try:
                return self._say(process, {"do": do, **about})
            except StartUnknown:
                if do == "submit" or process.poll() is None:
                    raise
            # The broker died. All requests except `submit` can safely be repeated.
            return self._say(self._start(), {"do": do, **about})

    def _start(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        try:
            os.makedirs(os.path.dirname(self._log), mode=0o700, exist_ok=True)
            with open(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "jupyter_ptytasks.broker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=log, env=dict(self._env), cwd="/", text=True, encoding="utf-8", start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            raise PlaceUnreachable(f"Parsl cannot be started: {error}") from error
        self._process = process
        try:
            self._limit = self._say(process, self._about)["limit"]
        except (Refused, StartUnknown) as error:
            self._end()
            raise PlaceUnreachable(str(error)) from error
        return process

    def _say(self, process: subprocess.Popen[str], question: Mapping[str, Any]) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        watchdog = threading.Timer(_PATIENCE, process.kill)
        watchdog.start()
        try:
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            watchdog.cancel()
        if not line:
            process.kill()
            process.wait()
            raise StartUnknown(f"the broker for the batch system has ended; see {self._log}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise (StartUnknown if answer.get("unknown") else Refused)(answer["error"])
        return answer
