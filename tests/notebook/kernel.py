"""A real ipykernel that runs cells; stdout and display outputs are kept apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from jupyter_client.manager import KernelManager

from tests.ptyhost.hosting import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_client.blocking.client import BlockingKernelClient

    class Server(Protocol):
        """Where a server lives, and the environment of those who work there."""

        home: Path

        @property
        def environ(self) -> dict[str, str]:
            """Return that environment."""


@dataclass
class Cell:
    """What became of a cell. `shown` are its displays as they are in the end, by their display id or their number."""

    out: str = ""
    err: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    shown: dict[object, dict[str, Any]] = field(default_factory=dict)
    updates: int = 0
    error: str = ""
    traceback: str = ""

    @property
    def text(self) -> str:
        """What its result is as text."""
        return str(self.result.get("text/plain", ""))

    @property
    def view(self) -> dict[str, Any]:
        """Its only display."""
        (view,) = self.shown.values()
        return view

    def take(self, message: dict[str, Any]) -> None:
        """Take in one message of the kernel."""
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            if content["name"] == "stderr":
                self.err += content["text"]
            else:
                self.out += content["text"]
        elif kind == "execute_result":
            self.result = content["data"]
        elif kind in ("display_data", "update_display_data"):
            self.updates += kind.startswith("update")
            self.shown[content.get("transient", {}).get("display_id", len(self.shown))] = content["data"]
        elif kind == "error":
            self.traceback = "\n".join(content["traceback"])


class Kernel:
    """A kernel in the home of `server`, with more variables `env`. A context; leaving it ends the kernel."""

    def __init__(self, server: Server, env: dict[str, str] | None = None) -> None:
        self._server = server
        self._env = {**server.environ, **(env or {})}
        self._manager = KernelManager(kernel_name="python3")
        self._client: BlockingKernelClient | None = None

    def __enter__(self) -> Kernel:
        try:
            self._start()
        except RuntimeError:
            # Its ports are chosen before it starts: another process may take one meanwhile.
            self.client.stop_channels()
            self._manager.shutdown_kernel(now=True)
            self._manager = KernelManager(kernel_name="python3")
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    @property
    def client(self) -> BlockingKernelClient:
        """What speaks to it."""
        assert self._client is not None
        return self._client

    def _start(self) -> None:
        self._manager.start_kernel(env=self._env, cwd=str(self._server.home), extra_arguments=["--log-level=ERROR"])
        self._connect()

    def _connect(self) -> None:
        self._client = self._manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def restart(self) -> None:
        """Restart it, as from the menu."""
        self.client.stop_channels()
        self._manager.restart_kernel(now=True)
        self._connect()

    def run(self, code: str, *, fails: bool = False, interrupt_at: str = "") -> Cell:
        """Run a cell, and give what became of it; it has to go well, or to fail.

        It is interrupted, as from the menu, when it has printed `interrupt_at`.
        """
        cell = Cell()
        interrupts = [interrupt_at] if interrupt_at else []

        def take(message: dict[str, Any]) -> None:
            cell.take(message)
            if interrupts and interrupts[0] in cell.out:
                interrupts.clear()
                self._manager.interrupt_kernel()

        reply = self.client.execute_interactive(code, output_hook=take, timeout=PATIENCE, allow_stdin=False)
        cell.error = reply["content"].get("ename", "")
        assert (reply["content"]["status"] == "error") is fails, (cell.out, cell.err, cell.traceback)
        return cell

    def complete(self, code: str) -> list[str]:
        """Return the completions of the end of the code."""
        content = self.client.complete(code, len(code), reply=True, timeout=PATIENCE)["content"]
        return [code[: content["cursor_start"]] + match for match in content["matches"]]
