"""The table of runs, as a user sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


NAMES = ".jp-PtyTasks-runs-row > div:first-child"


def show(page: Page) -> Locator:
    """Open the tab, and return it."""
    page.evaluate("window.jupyterapp.commands.execute('ptytasks:show-runs')")
    tab = page.locator(".jp-PtyTasks-runs")
    tab.wait_for()
    return tab
