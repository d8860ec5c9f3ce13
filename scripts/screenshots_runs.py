"""Pictures of runs, for screenshots_lab.py: the story of docs/runs.md, and each state of the tabs that it goes through.

Each picture of a state is also searched for what keeps people from using it.
"""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil
from playwright.sync_api import expect

from tests import night
from tests.browser import axe, focus, terminal
from tests.browser.details import details
from tests.browser.runs import show
from tests.client.live import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator, Page, Route
    from screenshots_camera import Camera

    from jupyter_ptytasks.client import Client
    from tests.client.live import LiveServer

LIST = re.compile(r"/ptytasks/api/(tasks|changes)\?")
METRICS = re.compile(r"/ptytasks/api/tasks/\w+/metrics")
RUNS, WHOLE = ".jp-PtyTasks-runs", ".jp-PtyTasks-whole"
#: Of several tabs of a kind, the one in front.
CHARTS, DETAILS = (f".jp-MainAreaWidget:not(.lm-mod-hidden) .jp-PtyTasks-{name}" for name in ("metrics", "details"))
NARROW, USUAL = ({"width": width, "height": 760} for width in (600, 1280))
LOG = f"{sys.executable} -c 'import jupyter_ptytasks as tasks; {{}}; input()'"
EIGHT = "for i in 1 2 3 4 5 6; do for m in a b c d e f g h; do echo step $i loss_$m $((20 / i)).5; done; done"
LONG = "python -m experiments.train " + " ".join(f"--option-{number} value-{number}" for number in range(120))
PRINTS = "seq -f 'line %g' 0 1999; echo 'ValueError: negative rate'; sleep 1; seq -f 'line %g' 2001 5999"


def checked(camera: Camera, name: str, selector: str, part: Locator | None = None) -> None:
    """Take a picture of the page, or of a part of it, and say what axe finds."""
    camera.page.wait_for_timeout(500)  # for canvases, of which nothing can be asked
    camera.take(name, part)
    for violation in (*axe.serious(camera.page, selector), *focus.unseen(camera.page, selector)):
        print(f"{name}: {violation}")


def narrow(camera: Camera, name: str, selector: str) -> None:
    """The same in a narrow window."""
    camera.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    checked(camera, f"{name}-narrow", selector)
    camera.page.set_viewport_size(USUAL)  # type: ignore[arg-type]


@contextmanager
def answered(page: Page, pattern: re.Pattern[str], answer: Callable[[Route], Any]) -> Iterator[None]:
    """Answer requests for a while."""
    page.route(pattern, answer)
    yield
    page.unroute(pattern, answer)


def of_tasks(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Callable[[Route], Any]:
    """Return an answer that is the server's, but for its tasks."""

    def answer(route: Route) -> None:
        told = route.fetch().json()
        route.fulfill(json={**told, "tasks": change(told["tasks"])})

    return answer


#: Answers for the list of tasks, by the state that they put what shows it in: it has none, waits, fails, and has one.
STATES = (
    ("empty", of_tasks(lambda _: [])),
    ("loading", lambda _: None),
    ("error", lambda route: route.fulfill(status=500, json={"code": "internal", "message": "disk I/O error"})),
    ("one", of_tasks(lambda tasks: tasks[:1])),
)


def opened(camera: Camera) -> Page:
    """Open JupyterLab with the main area alone."""
    page = camera.open()
    camera.run("application:toggle-left-area")
    return page


def runs_story(camera: Camera, lab: LiveServer) -> None:
    """The story of docs/runs.md."""
    night.pass_in(lab, lab.home / "work")
    page = opened(camera)
    tab = show(page)
    rows = tab.locator(".jp-PtyTasks-runs-row")
    tab.get_by_role("button", name="val_loss (lowest)").click()
    expect(rows.first).to_contain_text("0.00439")
    checked(camera, "runs-best", RUNS)
    narrow(camera, "runs-best", RUNS)
    tab.get_by_role("combobox", name="State").select_option("Went wrong")
    tab.get_by_text("12 runs").click()  # so that no control has the focus
    page.set_viewport_size({**USUAL, "height": 570})  # type: ignore[typeddict-item]
    checked(camera, "runs-failed", RUNS)
    page.set_viewport_size(USUAL)  # type: ignore[arg-type]
    tab.get_by_role("button", name="Remove All").click()
    expect(rows.first).to_contain_text("0.00439")
    rows.first.click()
    rows.nth(1).click(modifiers=["Control"])
    checked(camera, "runs-selected", RUNS)
    tab.get_by_role("button", name="Show Differences").click()
    page.get_by_role("dialog").get_by_text("params.lr").wait_for()
    checked(camera, "runs-differences", ".jp-Dialog")
    page.keyboard.press("Escape")
    tab.get_by_role("button", name="Compare Metrics").click()
    page.locator(f"{CHARTS} canvas").nth(1).wait_for()
    page.set_viewport_size({**USUAL, "height": 500})  # type: ignore[typeddict-item]
    checked(camera, "runs-compared", CHARTS)
    page.set_viewport_size(USUAL)  # type: ignore[arg-type]
    narrow(camera, "runs-compared", CHARTS)
    show(page)
    rows.first.click()
    tab.get_by_role("button", name="Edit and Run Again…").click()
    form = page.locator(".jp-PtyTasks-dialog")
    form.locator('[name="command"]').press("End")
    form.locator('[name="command"]').press_sequentially(" --epochs 10")
    form.get_by_label("Name", exact=True).fill("longer")
    form.get_by_label("Open terminal").uncheck()
    form.locator('[name="command"]').press("Control+Enter")
    expect(rows.first).to_contain_text("longer")
    expect(rows.first).to_contain_text("Succeeded")
    with lab.client() as client:
        camera.run("ptytasks:details", {"id": client.get("longer")["id"]})
        details(page, client.get("longer")["id"]).locator("ins").first.wait_for()
        before = page.locator(DETAILS).get_by_role("region", name="Previous Run")
        checked(camera, "runs-again", DETAILS, before)
        best = [task["id"] for task in client.list(sort="min.val_loss", limit=20)["tasks"]]
    camera.run("ptytasks:show-metrics", {"ids": best})
    page.locator(f"{CHARTS} canvas").last.wait_for()
    checked(camera, "metrics-many", CHARTS)


def runs_states(camera: Camera, lab: LiveServer) -> None:
    """The table of runs: empty, loading, failed, with one run, with long names, with filters."""
    with lab.client() as client:
        client.create("true", name="tagged", tags=["baseline", "gpu"], group="night")
    long = "a-very-long-name-of-a-run-that-does-not-fit-into-its-column-at-all-"
    page = camera.page
    for name, answer in (
        *STATES,
        ("long", of_tasks(lambda tasks: [{**task, "name": f"{long}{task['id']}"} for task in tasks])),
    ):
        with answered(page, LIST, answer):
            opened(camera)
            show(page)
            page.wait_for_timeout(1000)
            checked(camera, f"runs-{name}", RUNS)
    opened(camera)
    tab = show(page)
    tab.get_by_role("combobox", name="Tag").select_option("gpu")
    tab.get_by_role("combobox", name="Time").select_option("Last 24 hours")
    tab.get_by_label("Search runs").fill("tag")
    tab.locator("summary").click()
    checked(camera, "runs-filters", RUNS)
    narrow(camera, "runs-filters", RUNS)


def metrics_states(camera: Camera, lab: LiveServer) -> None:
    """The tab of metrics: loading, failed, with nothing, a point, a curve, eight, gaps, and a logarithmic axis."""
    page = opened(camera)
    with lab.client() as client:
        made = {
            "none": client.create("echo nothing; read go", name="silent"),
            "point": client.create(LOG.format("tasks.log(loss=0.5, step=1)"), name="begun"),
            "series": client.create(LOG.format("[tasks.log(loss=3 / i, step=i) for i in range(1, 60)]"), name="one"),
            "eight": client.create(f"{EIGHT}; read go", name="eight"),
            "nan": client.create(
                LOG.format(
                    '[tasks.log(loss=float("nan") if 9 < i < 14 or i > 24 else 3 / i, step=i) for i in range(1, 30)]'
                ),
                name="diverges",
            ),
        }
        for name, task in made.items():
            if name != "none":
                until(lambda ref=task["id"]: client.get(ref)["metrics"])  # type: ignore[misc]
    for name, answer in (
        ("loading", lambda _: None),
        ("error", lambda route: route.fulfill(status=500, json={"code": "internal", "message": "disk I/O error"})),
    ):
        with answered(page, METRICS, answer):
            chart(camera, made["series"]["id"])
            checked(camera, f"metrics-{name}", CHARTS)
        page.locator(".lm-mod-current .lm-TabBar-tabCloseIcon").last.click()
    for name, task in made.items():
        tab = chart(camera, task["id"])
        if name != "none":
            tab.locator("canvas").first.wait_for()
        checked(camera, f"metrics-{name}", CHARTS)
    tab.get_by_label("Logarithmic").check()
    tab.get_by_role("region", name="loss").get_by_role("img").focus()
    page.keyboard.press("ArrowLeft")
    checked(camera, "metrics-log", CHARTS)
    finish(lab)


def chart(camera: Camera, task: str) -> Locator:
    """Open the tab of the metrics of a task."""
    camera.run("ptytasks:show-metrics", {"id": task})
    tab = camera.page.locator(CHARTS)
    tab.get_by_role("group", name="Charts").wait_for()
    return tab


def details_states(camera: Camera, lab: LiveServer) -> None:
    """The tab of details: of tasks that run, have ended, failed, are lost or wait; notes that others have changed."""
    with lab.client() as client:
        made = {
            "running": client.create("sleep 1000", name="running", env={"SEED": "1"}, tags=["gpu"], timeout=5000),
            "ended": client.create("echo done", name="ended"),
            "failed": client.create(["python", "-c", "raise ValueError('negative rate')"], name="failed"),
            "lost": client.create("sleep 1000", name="lost"),
            "queued": client.create("sleep 1", name="waits", hold=True),
            "long": client.create(LONG, name="long command"),
        }
        lose(client, made["lost"]["id"])
        page = opened(camera)
        for name, task in made.items():
            camera.run("ptytasks:details", {"id": task["id"]})
            details(page, task["id"]).get_by_role("heading", name="Previous Run").wait_for()
            checked(camera, f"details-{name}", DETAILS)
        narrow(camera, "details-long", DETAILS)
        ref = made["ended"]["id"]
        camera.run("ptytasks:details", {"id": ref})
        tab = details(page, ref)
        tab.get_by_role("button", name="Add Notes").click()
        tab.get_by_label("Notes (Markdown)").fill("Mine")
        client.write_notes(ref, "Theirs")
        page.keyboard.press("Control+Enter")
        tab.get_by_role("alert").wait_for()
        checked(camera, "details-conflict", DETAILS)
    finish(lab)


def lose(client: Client, ref: str) -> None:
    """Kill the ptyhost of a task, as a machine does that has no memory left."""
    pid = until(lambda: client.get(ref)["pid"])
    host = psutil.Process(pid).parent()
    assert host is not None
    host.kill()
    until(lambda: client.get(ref)["state"] == "lost")


def output_states(camera: Camera, lab: LiveServer) -> None:
    """The whole output of a task, a search in it, and its screen as it was."""
    page = opened(camera)
    with lab.client() as client:
        ref = client.create(PRINTS, name="long")["id"]
        client.wait(ref)
    tab = terminal.show(page, ref)
    terminal.until_line(page, ref, "line 5999")
    checked(camera, "terminal-ended", ".jp-PtyTasks-terminal .jp-PtyTasks-header")
    camera.run("ptytasks:show-output", {"id": ref})
    view = tab.locator(WHOLE)
    view.get_by_role("searchbox").fill("line 123")
    page.keyboard.press("Enter")
    view.locator("[aria-current]").wait_for()
    checked(camera, "output-search", WHOLE)
    narrow(camera, "output-search", WHOLE)
    view.get_by_role("searchbox").fill("nothing like this")
    page.keyboard.press("Enter")
    page.wait_for_timeout(1000)
    checked(camera, "output-nothing", WHOLE)
    page.keyboard.press("Escape")
    camera.run("ptytasks:show-moments", {"id": ref})
    tab.get_by_role("slider", name="Time").fill("500")
    page.wait_for_timeout(1000)
    checked(camera, "output-moment", ".jp-PtyTasks-moment .jp-PtyTasks-whole-bar")
    narrow(camera, "output-moment", ".jp-PtyTasks-moment .jp-PtyTasks-whole-bar")


def finish(lab: LiveServer) -> None:
    """End what still runs."""
    with lab.client() as client:
        for task in list(client.all(state=["running", "held"])):
            client.delete(task["id"], stop=True)


PARTS = (runs_story, runs_states, metrics_states, details_states, output_states)
