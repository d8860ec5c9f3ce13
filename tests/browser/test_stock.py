"""Compared with JupyterLab's own terminal: the same program draws the same text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import terminal
from tests.client.live import until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.client.live import LiveServer

pytestmark = pytest.mark.slow

#: Clears what a shell has written before it; then all kinds of text, and two ways to draw over it.
PROGRAM = r"""
import sys, time
say = lambda text: (sys.stdout.write(text), sys.stdout.flush())
say("\x1b[2J\x1b[3J\x1b[Hplain, \x1b[1;31mred\x1b[0m, \x1b[7minverse\x1b[m, wide 漢字, e\u0301 and \U0001f680\r\n")
say("wrapped " + "0123456789" * 40 + "\r\n")
say("tab\there\r\n\x1b(0lqqk\x1b(B\r\n")
for percent in range(0, 101, 5):
    say(f"\r{percent:3}% " + "█" * (percent // 5))
say("\r\nfirst\r\nsecond\r\nthird\x1b[2A\roverwritten\x1b[K\x1b[2B\r\n")
for number in range(200):
    say(f"scrolled {number}\r\n")
say("wide " + "0123456789" * 40 + "\r\n")
say("\x1b[?1049h\x1b[2Jalternate\x1b[?1049lthe end")
time.sleep(1000)
"""

_STOCK = """() => {
  for (const tab of window.jupyterapp.shell.widgets('main')) {
    if (!tab.node.dataset.ptytask && tab.content?._term) {
      const buffer = tab.content._term.buffer.active;
      return Array.from({ length: buffer.length }, (_, at) => buffer.getLine(at).translateToString(true));
    }
  }
  return [];
}"""

#: By how many pixels the widest row in sight ends beside the last column; 0 where a GPU draws, which has no rows.
_BESIDE = """() => {
  const { node } = window.jupyterapp.shell.currentWidget;
  const ends = [...node.querySelectorAll('.xterm-rows > div')].map(row => {
    const range = document.createRange();
    range.selectNodeContents(row);
    return range.getBoundingClientRect().right;
  });
  return ends.length && Math.max(...ends) - node.querySelector('.xterm-screen').getBoundingClientRect().right;
}"""


def test_the_same_program_leaves_the_same_text(page: Page, lab: LiveServer, client: Client) -> None:
    program = lab.home / "draw.py"
    program.write_text(PROGRAM)

    def stock() -> list[str]:
        page.wait_for_timeout(50)  # the page has its turn
        return [line for line in page.evaluate(_STOCK) if line]

    page.evaluate("void window.jupyterapp.commands.execute('terminal:create-new')")
    page.locator(".jp-Terminal .xterm-screen").wait_for()
    page.locator(".jp-Terminal textarea").focus()
    page.keyboard.type(f"exec python3 {program}\n")
    until(lambda: "the end" in stock()[-1:], "the end in the stock terminal")

    task = client.create(["python3", str(program)], name="draw")["id"]
    terminal.show(page, task)
    terminal.until_line(page, task, "the end")
    live = terminal.lines(page, task)
    assert live == stock()
    # Without a GPU the DOM renderer draws it, exactly in its cells.
    assert abs(page.evaluate(_BESIDE)) < 0.5
    # And once more from history.
    page.evaluate("window.jupyterapp.shell.currentWidget.close()")
    terminal.show(page, task)
    terminal.until_line(page, task, "the end")
    assert terminal.lines(page, task) == live
    page.keyboard.press("Escape")
    page.evaluate("window.jupyterapp.serviceManager.terminals.shutdownAll()")
