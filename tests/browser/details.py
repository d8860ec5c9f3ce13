"""The details tab of a task, as a user sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def details(page: Page, task: str) -> Locator:
    """Return the tab about a task."""
    return page.locator(f'.jp-MainAreaWidget[data-ptytask="{task}"] .jp-PtyTasks-details')


def fact(tab: Locator, label: str) -> Locator:
    """Return the value of a fact, or of what differs."""
    return tab.locator(f"xpath=.//dt[.='{label}']/following-sibling::dd[1]")
