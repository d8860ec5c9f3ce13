"""The lowest JupyterLab version that package.json declares: the panel, a terminal tab and a cell work there.

`PTYTASKS_LAB=4.3` runs it with another one that is declared.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import notebook, panel, terminal
from tests.browser.conftest import is_ready
from tests.browser.labs import built
from tests.client.live import PATIENCE, LiveServer
from tests.missing import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

#: The first run downloads a JupyterLab.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LOWEST = f"{os.environ.get('PTYTASKS_LAB', '4.0')}.*"


@pytest.fixture(scope="module")
def python() -> str:
    """Return a Python with that JupyterLab, in a virtual environment that is kept for the next run."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "jupyter_ptytasks" / f"lab-{LOWEST[:-2]}-python{sys.version_info[0]}.{sys.version_info[1]}"
    complete = place / "complete"
    if not complete.exists():
        shutil.rmtree(place, ignore_errors=True)
        wanted = [f"jupyterlab=={LOWEST}", "ipykernel"]
        wanted += [need for need in importlib.metadata.requires("jupyter_ptytasks") or [] if "extra ==" not in need]
        pip = str(place / "bin" / "pip")
        for command in ([sys.executable, "-m", "venv", str(place)], [pip, "install", "--quiet", *wanted]):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                missing(f"JupyterLab {LOWEST} (it cannot be installed: {done.stderr.strip().splitlines()[-1:]})")
        complete.touch()
    return str(place / "bin" / "python")


@pytest.fixture
def lowest(python: str, tmp_path: Path) -> Iterator[LiveServer]:
    """Start that JupyterLab, with the front end that is built here."""
    home = tmp_path.resolve()
    (home / "work").mkdir()
    (home / "data" / "labextensions").mkdir(parents=True)
    (home / "data" / "labextensions" / "jupyter-ptytasks").symlink_to(built())
    server = LiveServer(home, f"--ServerApp.root_dir={home / 'work'}", lab=True, python=python)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def page(browser: Browser, lowest: LiveServer) -> Iterator[Page]:
    """Return a page with it. Its console is not checked: it also holds complaints of this old JupyterLab."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    page.goto(f"{lowest.url}lab?token={lowest.token}&reset")
    is_ready(page)
    yield page
    if keep := os.environ.get("PTYTASKS_SHOTS"):
        page.screenshot(path=os.path.join(keep, "lowest-lab.png"))
    context.close()


def test_panel_terminal_and_cell(page: Page, lowest: LiveServer) -> None:
    listed = subprocess.run(
        (lowest.python, "-m", "jupyter", "labextension", "list"), env=lowest.environ, capture_output=True, text=True
    )
    assert "jupyter-ptytasks" in listed.stderr
    assert "not compatible" not in listed.stderr
    with lowest.client() as client:
        task = client.create("echo hello; exec sleep 1000", name="old but well")
        row = panel.row(panel.show(page), task["id"])
        expect(panel.in_state(row, "Running")).to_be_visible()
        expect(row).to_contain_text("hello")

        row.click()
        tab = terminal.find(page, task["id"])
        terminal.until_line(page, task["id"], "hello")
        expect(tab.locator(".jp-PtyTasks-header")).to_contain_text("Running")

        notebook.write(lowest, "lowest.ipynb", notebook.cell("", notebook.bundle(client.get(task["id"]), "as it was")))
        view = notebook.view(notebook.show(page, "lowest.ipynb"), "old but well")
        expect(view.locator(".jp-PtyTasks-tail")).to_have_text("hello")
        expect(view).to_contain_text("Running")
