"""Executes a notebook in its own kernel: reports progress, shows output, and saves the results."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient

from .._progress import progress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nbformat import NotebookNode

#: Lines shown of a result; the executed copy has all of them.
_RESULT_LINES = 20
#: Seconds after which a progress report is repeated.
_SETTLED = 0.2
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Runner(NotebookClient):
    """Executes `notebook`, and saves the copy at `output` after every cell.

    `signal` is the signal that stopped it, if any: `run` then raises CancelledError. Other errors are those of
    nbclient. In all cases the kernel has ended.
    """

    def __init__(self, notebook: NotebookNode, output: str, directory: str, kernel: str) -> None:
        super().__init__(
            notebook,
            kernel_name=kernel,
            resources={"metadata": {"path": directory}},
            timeout=None,
            record_timing=True,
            coalesce_streams=True,
        )
        self._output = output
        self._codes = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
        self._done = 0
        self._running: asyncio.Task[Any] | None = None
        self._again: asyncio.TimerHandle | None = None
        self.signal: signal.Signals | None = None

    async def run(self) -> None:
        """Execute all cells."""
        self._running = asyncio.current_task()
        self._heed_signals()
        self._tell("starting kernel")
        try:
            await self.async_execute()
        finally:
            self.save()
        self._tell("")

    def save(self) -> None:
        """Save the executed copy atomically."""
        directory = os.path.dirname(self._output)
        with tempfile.NamedTemporaryFile(
            "w", dir=directory, prefix=".", suffix=".ipynb.part", encoding="utf-8", delete=False
        ) as file:
            nbformat.write(self.nb, file)  # type: ignore[no-untyped-call]
        # Temporary files are private; give this one the usual mode.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(file.name, 0o666 & ~umask)
        os.replace(file.name, self._output)

    @asynccontextmanager
    async def async_setup_kernel(self, **kwargs: Any) -> AsyncIterator[None]:
        """Set up the kernel, with our signal handlers."""
        async with super().async_setup_kernel(**kwargs):
            # nbclient's own do not tell a signal from a dead kernel.
            self._heed_signals()
            yield

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            try:
                loop.add_signal_handler(number, self._stop, number)
            except NotImplementedError:  # on Windows
                signal.signal(number, lambda number, _: loop.call_soon_threadsafe(self._stop, signal.Signals(number)))

    def _stop(self, number: signal.Signals) -> None:
        self.signal = self.signal or number
        assert self._running is not None
        self._running.cancel()

    async def async_execute_cell(self, cell: NotebookNode, cell_index: int, *args: Any, **kwargs: Any) -> NotebookNode:
        """Execute a cell: report progress before it, save the notebook after it."""
        if not any(cell is code for code in self._codes):
            return await super().async_execute_cell(cell, cell_index, *args, **kwargs)
        title = cell.source.strip().splitlines()[0][:60]
        self._tell(title)
        print(f"\x1b[2mcell {self._done + 1} of {len(self._codes)}: {title}\x1b[0m", flush=True)
        try:
            executed = await super().async_execute_cell(cell, cell_index, *args, **kwargs)
        finally:
            self.save()
        self._done += 1
        return executed

    def _tell(self, title: str) -> None:
        count = len(self._codes)
        text = f"cell {min(self._done + 1, count)}/{count}" + (f" · {title}" if title else "")
        report = (self._done, count, text if self._done < count else f"{count} cells")
        progress(*report)
        # `progress` drops reports in quick succession, and this cell may run for hours after a quick one.
        if self._again is not None:
            self._again.cancel()
        self._again = asyncio.get_running_loop().call_later(_SETTLED, progress, *report)

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Print the output of a cell as it arrives, and the first lines of its results."""
        content = msg["content"]
        if msg["msg_type"] == "stream":
            out = sys.stderr if content["name"] == "stderr" else sys.stdout
            out.write(content["text"])
            out.flush()
        elif msg["msg_type"] in ("execute_result", "display_data"):
            lines = str(content["data"].get("text/plain", "")).splitlines()
            more = len(lines) - _RESULT_LINES
            print("\n".join(lines[:_RESULT_LINES] + [f"… {more} more lines"] * (more > 0)), flush=True)
        return super().process_message(msg, cell, cell_index)
