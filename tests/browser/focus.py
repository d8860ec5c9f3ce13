"""Finds the controls of a part of a page that do not show keyboard focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

#: Compares how each control, what is in it and what it is in look with the focus and without. A grid shows it at a row.
_RUN = """selector => {
  const still = document.head.appendChild(document.createElement('style'));
  still.textContent = '* { transition: none !important; }';
  const before = document.activeElement;
  const shown = node => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor } = getComputedStyle(node);
    return [outlineStyle === 'none' ? '' : outlineStyle + outlineWidth + outlineColor, boxShadow, borderColor].join();
  };
  const within = node => [...node.querySelectorAll('*')].slice(0, 300);
  const look = node => [
    node, node.parentElement, node.parentElement.parentElement,
    ...within(node), ...(node.shadowRoot ? within(node.shadowRoot) : [])
  ].map(shown).join(';');
  const controls = [...document.querySelectorAll(selector)]
    .flatMap(part => [part, ...part.querySelectorAll('*')])
    .filter(node => node.tabIndex >= 0 && !node.disabled && node.getClientRects().length > 0);
  const bare = controls.filter(node => {
    node.blur();
    const without = look(node);
    node.focus({ preventScroll: true });
    return document.activeElement === node && look(node) === without;
  });
  before?.focus({ preventScroll: true });
  still.remove();
  return [controls.length, bare.map(node => node.cloneNode(false).outerHTML)];
}"""


def unseen(page: Page, selector: str) -> list[str]:
    """Return the controls in the parts that a CSS selector matches whose focus cannot be seen."""
    # A script's focus looks like that of the mouse or of the keyboard, whichever was used last.
    page.keyboard.press("Shift")
    count, bare = page.evaluate(_RUN, selector)
    assert count, f"no control in {selector}"
    return bare  # type: ignore[no-any-return]
