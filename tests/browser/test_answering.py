"""Questions of programs are answered from a notification, a cell and a terminal's header; no password is stored."""

from __future__ import annotations

import hashlib
import re
import shlex
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, notebook, panel, terminal
from tests.client.live import until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import Console
    from tests.client.live import LiveServer

pytestmark = pytest.mark.slow

SECRET = "correct horse battery"
HASH = hashlib.sha256(SECRET.encode()).hexdigest()[:12]
_GETPASS = "import getpass, hashlib; print('hash', hashlib.sha256(getpass.getpass().encode()).hexdigest()[:12])"
#: Asks for a line, then for a password, of which only a hash is printed; and goes on.
ASKS = [
    "bash",
    "-c",
    f"read -p 'Proceed? [y/N] ' x; echo \"said <$x>\"; {sys.executable} -c {shlex.quote(_GETPASS)}; exec sleep 1000",
]
PROCEED = "Proceed? [y/N]"
PASSWORD = "Password:"

#: All that the page has in it, and all that it stores in the browser.
_KEPT_BY_PAGE = """() => JSON.stringify({
  page: document.documentElement.outerHTML,
  fields: [...document.querySelectorAll('input, textarea')].map(field => field.value),
  local: { ...localStorage },
  session: { ...sessionStorage },
  address: location.href
})"""


def field(part: Locator, label: str) -> Locator:
    """Return the field for the answer to a question."""
    return part.get_by_label(label, exact=True)


def toast(page: Page, text: str) -> Locator:
    """Return the notification with this text."""
    return page.locator(".Toastify__toast", has_text=text)


def kept(page: Page, lab: LiveServer, text: str) -> set[str]:
    """Return where a text is kept: the names of files of the server and its user, and `page` for the browser."""
    files = (path for path in lab.home.rglob("*") if path.is_file() and not path.is_symlink())
    places = {path.name for path in files if text.encode() in path.read_bytes()}
    if text in page.evaluate(_KEPT_BY_PAGE):
        places.add("page")
    return places


def assert_secret(page: Page, lab: LiveServer, client: Client) -> None:
    """The password is not kept anywhere: not where the name of the task is, nor where the program's output is."""
    panel.row(panel.show(page), client.get("train")["id"]).wait_for()
    assert kept(page, lab, "train") >= {"page", "spec.json"}
    assert any(name.endswith(".log") for name in kept(page, lab, HASH))
    assert kept(page, lab, SECRET) == set()


def test_from_a_cell(page: Page, lab: LiveServer, client: Client) -> None:
    task = client.create(ASKS, name="train")
    file = notebook.write(lab, "ask.ipynb", notebook.cell("", notebook.bundle(task)))
    opened = notebook.show(page, "ask.ipynb")
    view = notebook.view(opened, "train")
    question = field(view, PROCEED)
    question.click()
    # They are shortcuts of notebooks, the last of which would delete the cell.
    page.keyboard.type("axdd")
    expect(question).to_have_value("axdd")
    expect(opened.locator(".jp-Cell")).to_have_count(1)
    question.fill("y")
    question.press("Enter")
    expect(view.locator(".jp-PtyTasks-tail")).to_contain_text("said <y>")
    secret = field(view, PASSWORD)
    expect(secret).to_have_attribute("type", "password")
    secret.fill(SECRET)
    view.get_by_role("button", name="Send", exact=True).click()
    expect(view.locator(".jp-PtyTasks-tail")).to_contain_text(f"hash {HASH}")
    expect(secret).to_have_count(0)
    # A cell in sight is not notified of.
    expect(toast(page, "“train”")).to_have_count(0)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:insert-cell-below')")
    before = file.stat().st_mtime_ns
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    until(lambda: file.stat().st_mtime_ns != before, "the notebook to be saved")
    assert_secret(page, lab, client)


def test_from_the_header_of_its_terminal(page: Page, lab: LiveServer, client: Client) -> None:
    task = client.create(ASKS, name="train")["id"]
    tab = terminal.show(page, task)
    header = tab.get_by_role("group", name="Task", exact=True)
    field(header, PROCEED).fill("y")
    size = tab.locator(".jp-Terminal").bounding_box()
    field(header, PROCEED).press("Enter")
    terminal.until_line(page, task, "said <y>")
    # It is the terminal that is typed in next.
    expect(tab.locator(".xterm-helper-textarea")).to_be_focused()
    secret = field(header, PASSWORD)
    expect(secret).to_have_attribute("type", "password")
    secret.fill(SECRET)
    header.get_by_role("button", name="Send", exact=True).click()
    terminal.until_line(page, task, f"hash {HASH}")
    expect(secret).to_have_count(0)
    expect(toast(page, "“train”")).to_have_count(0)
    # Programs are told of another size; questions are not a reason.
    assert tab.locator(".jp-Terminal").bounding_box() == size
    assert_secret(page, lab, client)


def test_from_a_notification(page: Page, lab: LiveServer, client: Client) -> None:
    task = client.create(ASKS, name="train")["id"]
    asks = toast(page, f"“train” asks: {PROCEED}")
    asks.get_by_role("button", name="Answer…").click()
    dialog = page.get_by_role("dialog", name="“train” Asks")
    expect(field(dialog, PROCEED)).to_be_focused()
    # It may be left, and the question is still there.
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    asks.get_by_role("button", name="Answer…").click()
    expect(field(dialog, PROCEED)).to_be_focused()
    page.keyboard.type("y")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(asks).to_have_count(0)
    wants = toast(page, f"“train” asks: {PASSWORD}")
    wants.get_by_role("button", name="Answer…").click()
    expect(field(dialog, PASSWORD)).to_have_attribute("type", "password")
    expect(field(dialog, PASSWORD)).to_be_focused()
    page.keyboard.type(SECRET)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    until(lambda: f"hash {HASH}" in client.output(task)["output"], "the program to have the password")
    assert "said <y>" in client.output(task)["output"]
    expect(wants).to_have_count(0)
    assert_secret(page, lab, client)


def test_a_notification_is_over_when_the_question_is(page: Page, client: Client) -> None:
    answered, ended, opened = (client.create(ASKS, name=name)["id"] for name in ("answered", "ended", "opened"))
    for name in ("answered", "ended", "opened"):
        expect(toast(page, f"“{name}” asks")).to_be_visible()
    client.send_input(answered, "n", only_if_waiting=True)
    expect(toast(page, f"“answered” asks: {PROCEED}")).to_have_count(0)
    client.stop(ended, signals=["SIGKILL"])
    expect(toast(page, "“ended” asks")).to_have_count(0)
    toast(page, "“opened” asks").get_by_role("button", name="Open", exact=True).click()
    expect(terminal.find(page, opened)).to_be_visible()
    expect(toast(page, "“opened” asks")).to_have_count(0)


def test_an_answer_that_comes_too_late_is_not_typed(
    page: Page, lab: LiveServer, client: Client, console: Console
) -> None:
    console.expect(r"/input\S*: .* 409 ")
    task = client.create(
        ["bash", "-c", "read -p 'Proceed? [y/N] ' x; echo \"said <$x>\"; exec sleep 1000"], name="train"
    )
    notebook.write(lab, "late.ipynb", notebook.cell("", notebook.bundle(task)))
    view = notebook.view(notebook.show(page, "late.ipynb"), "train")

    def be_first(route: Route) -> None:
        client.send_input(task["id"], "first", only_if_waiting=True)
        route.continue_()

    page.route(re.compile("/ptytasks/api/tasks/.*/input"), be_first)
    field(view, PROCEED).fill("second")
    field(view, PROCEED).press("Enter")
    expect(view.get_by_text("Not sent: the program no longer waits for input.")).to_be_visible()
    expect(view.locator(".jp-PtyTasks-tail")).to_contain_text("said <first>")
    assert "second" not in client.output(task["id"])["output"]


def test_single_keys_are_buttons(page: Page, lab: LiveServer, client: Client) -> None:
    task = client.create(["bash", "-c", "read -n 1 -p 'Sure? [y/N] ' x; echo \"; said <$x>\""], name="train")
    notebook.write(lab, "keys.ipynb", notebook.cell("", notebook.bundle(task)))
    view = notebook.view(notebook.show(page, "keys.ipynb"), "train")
    view.get_by_role("button", name="Press y").click()
    expect(view.locator(".jp-PtyTasks-tail")).to_contain_text("said <y>")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_axe_finds_nothing_serious_in_them(page: Page, lab: LiveServer, client: Client, theme: str) -> None:
    axe.show_in(page, theme)
    page.locator(f'body[data-jp-theme-name="{theme}"]').wait_for(state="attached")
    task = client.create(ASKS, name="train")
    toast(page, "“train” asks").get_by_role("button", name="Answer…").click()
    field(page.get_by_role("dialog"), PROCEED).wait_for()
    assert axe.serious(page, ".jp-Dialog .jp-PtyTasks-answer") == []
    page.keyboard.press("Escape")
    tab = terminal.show(page, task["id"])
    field(tab, PROCEED).wait_for()
    assert axe.serious(page, ".jp-PtyTasks-header") == []
    notebook.write(lab, "axe.ipynb", notebook.cell("", notebook.bundle(task)))
    field(notebook.view(notebook.show(page, "axe.ipynb"), "train"), PROCEED).wait_for()
    assert axe.serious(page, ".jp-PtyTasks-view") == []
