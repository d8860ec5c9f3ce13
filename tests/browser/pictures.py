"""Screenshots that tests save for people to look at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.browser import axe

if TYPE_CHECKING:
    from playwright.sync_api import Page


def picture(page: Page, name: str) -> None:
    """Keep a picture in each theme where PTYTASKS_SHOTS says."""
    keep = os.environ.get("PTYTASKS_SHOTS")
    for theme in ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast") if keep else ():
        axe.show_in(page, theme)
        page.locator(f'body[data-jp-theme-name="{theme}"]').wait_for(state="attached")
        page.locator("#jupyterlab-splash").wait_for(state="detached")
        page.screenshot(path=os.path.join(keep or "", f"{name}-{theme.split()[-1].lower()}.png"))
