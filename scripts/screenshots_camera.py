"""A page of JupyterLab in one theme, and where the pictures of it go."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser import panel

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, ViewportSize

    from tests.client.live import LiveServer

SIZE: ViewportSize = {"width": 1280, "height": 760}
ROOT = Path(__file__).resolve().parent.parent
ALL = ROOT / "build" / "screenshots"
CHOSEN = ROOT / "docs" / "images"
#: What the documentation shows, as they are called there.
IN_DOCS = {
    "tab-light": "lab",
    "tab-dark": "lab-dark",
    "dialog-light": "dialog",
    "ended-light": "ended",
    "notification-light": "notification",
    "cell-running-light": "cell-running",
    "cell-states-light": "cell-states",
    "cell-away-light": "cell-away",
    "panel-progress-light": "panel-progress",
    "run-notebook-light": "run-notebook",
    "queue-light": "queue",
    "queue-dialog-light": "queue-dialog",
    "question-panel-light": "question-panel",
    "question-notification-light": "question-notification",
    "question-cell-light": "question-cell",
    "question-header-dark": "question-header",
    "question-password-dark": "question-password",
    "runs-best-light": "runs-best",
    "runs-failed-light": "runs-failed",
    "runs-differences-light": "runs-differences",
    "runs-compared-light": "runs-compared",
    "runs-again-light": "runs-again",
}
#: The themes, as JupyterLab and the browser call them.
THEMES = {
    "light": ("JupyterLab Light", "light"),
    "dark": ("JupyterLab Dark", "dark"),
    "contrast": ("JupyterLab Dark High Contrast", "dark"),
}


class Camera:
    """A page in one theme, and where its pictures go."""

    def __init__(self, browser: Browser, lab: LiveServer, theme: str) -> None:
        self._theme = theme
        context = browser.new_context(viewport=SIZE, color_scheme=THEMES[theme][1])  # type: ignore[arg-type]
        context.set_default_timeout(60_000)
        self.page = context.new_page()
        self._url = f"{lab.url}lab?token={lab.token}&reset"

    def open(self) -> Page:
        """Open JupyterLab in the theme, with the panel in front."""
        page = self.page
        page.goto(self._url)
        page.locator("#jupyterlab-splash").wait_for(state="detached")
        page.locator(".jp-Launcher").wait_for()
        name = THEMES[self._theme][0]
        self.run("apputils:change-theme", {"theme": name})
        page.locator(f'body[data-jp-theme-name="{name}"]').wait_for(state="attached")
        panel.show(page)
        return page

    def run(self, command: str, args: dict[str, Any] | None = None) -> None:
        """Run a command of JupyterLab's, and do not wait for its end: it may be a dialog."""
        self.page.evaluate("([id, args]) => void window.jupyterapp.commands.execute(id, args)", [command, args or {}])

    def take(self, name: str, part: Locator | None = None) -> None:
        """Take a picture of the page, or of a part of it."""
        ALL.mkdir(parents=True, exist_ok=True)
        path = ALL / f"{name}-{self._theme}.png"
        (part or self.page).screenshot(path=path, animations="disabled")
        chosen = IN_DOCS.get(path.stem)
        if chosen is not None:
            shutil.copy(path, CHOSEN / f"{chosen}.png")
        print(path)
