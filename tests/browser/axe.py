"""Accessibility violations that axe-core finds in a part of a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_SCRIPT = Path(__file__).parent.parent.parent / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """async selector => {
  const { violations } = await axe.run(selector, { resultTypes: ['violations'] });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) => nodes.map(node => `${id}: ${help}: ${node.html}`));
}"""


def serious(page: Page, selector: str) -> list[str]:
    """Return the serious and critical violations in the part of the page that a CSS selector matches."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(_SCRIPT.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(_RUN, selector)
    return found


def show_in(page: Page, theme: str) -> None:
    """Change JupyterLab's theme, and wait until its splash screen has gone: two at the same time are an error."""
    page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
    page.locator("#jupyterlab-splash").wait_for(state="detached")
