"""Notebooks as users see them: opened, run, and with tasks in the output of cells."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.client.live import until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.client.live import LiveServer

MIME = "application/vnd.jupyter.ptytask+json"


def bundle(task: Any, tail: str = "") -> dict[str, Any]:
    """Return the output of a cell that shows a task."""
    return {MIME: {"version": 1, "task": task, "tail": tail}, "text/html": "<b>HTML</b>", "text/plain": task["name"]}


def displaying(task: Any, tail: str = "") -> str:
    """Return the source of a cell that prints such an output."""
    data = json.dumps(bundle(task, tail))
    return f"import json\nfrom IPython.display import display\ndisplay(json.loads({data!r}), raw=True)"


def cell(source: str, *outputs: dict[str, Any], tags: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return an executed code cell with these MIME bundles as outputs."""
    kept = [{"output_type": "display_data", "data": data, "metadata": {}} for data in outputs]
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "code", "source": source, "outputs": kept, "metadata": metadata, "execution_count": None}


def text(source: str) -> dict[str, Any]:
    """Return a Markdown cell."""
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def write(lab: LiveServer, path: str, *cells: dict[str, Any]) -> Path:
    """Write a notebook below the server's root."""
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    file = Path(lab.home) / "work" / path
    file.parent.mkdir(exist_ok=True)
    content = {
        "cells": [{"id": f"cell-{index}", **cell} for index, cell in enumerate(cells)],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def show(page: Page, path: str) -> Locator:
    """Open a notebook, and give it."""
    page.evaluate("path => { window.jupyterapp.commands.execute('docmanager:open', { path }); }", path)
    return find(page)


def find(page: Page) -> Locator:
    """Wait for the notebook in front, and give it."""
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    notebook.locator(".jp-Cell").first.wait_for()
    return notebook


def until_idle(page: Page) -> None:
    """Wait until the kernel of the notebook in front has started."""
    page.wait_for_function("window.jupyterapp.shell.currentWidget.sessionContext?.session?.kernel?.status === 'idle'")


def run_all(page: Page) -> None:
    """Run all cells of the notebook in front, on a kernel of its own."""
    until_idle(page)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")


def view(notebook: Locator, name: str) -> Locator:
    """Return the element that shows the task of that name."""
    return notebook.get_by_role("group", name=f"Task {name}", exact=True)


def until_later(view: Locator) -> None:
    """Wait until a later `line N` is the last that is shown of a task."""
    view.locator(".jp-PtyTasks-tail").wait_for()
    before = _last_line(view)

    def has_come() -> bool:
        view.page.wait_for_timeout(50)  # the page has its turn, and the test hears of it
        return _last_line(view) > before

    until(has_come, f"a line after line {before}")


def _last_line(view: Locator) -> int:
    numbers = re.findall(r"line (\d+)", view.locator(".jp-PtyTasks-tail").text_content() or "")
    return int(numbers[-1]) if numbers else 0
