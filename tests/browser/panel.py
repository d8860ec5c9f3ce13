"""The panel of tasks as users navigate it: by roles, names, and the id of a task."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

_TAB = '.jp-SideBar .lm-TabBar-tab[data-id="jp-ptytasks-panel"]'


def show(page: Page) -> Locator:
    """Bring the panel to the front, and give it."""
    tab = page.locator(_TAB)
    if "lm-mod-current" not in (tab.get_attribute("class") or ""):
        tab.click()
    panel = page.get_by_role("region", name="Tasks", exact=True)
    panel.wait_for()
    return panel


def row(panel: Locator, task: str) -> Locator:
    """Return the row of the task with this id."""
    return panel.locator(f'.jp-PtyTasks-row[data-task="{task}"]')


def in_state(row: Locator, label: str) -> Locator:
    """Return the row's icon of this state."""
    return row.get_by_role("img", name=re.compile(f"^{label}$", re.IGNORECASE))
