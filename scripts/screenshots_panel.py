"""Pictures of the panel, the dialogs and the notices in each of their states, for screenshots_lab.py.

Many are also taken as people see them who have a narrow panel, have enlarged the page to twice its size, or read from
right to left. Each is searched for what keeps people from using it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from screenshots_runs import (
    CHARTS,
    DETAILS,
    LIST,
    LOG,
    PRINTS,
    RUNS,
    STATES,
    USUAL,
    WHOLE,
    answered,
    chart,
    checked,
    finish,
    of_tasks,
    opened,
)

from tests.browser import notebook, terminal
from tests.browser.details import details
from tests.browser.runs import show
from tests.client.live import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Page
    from screenshots_camera import Camera

    from tests.client.live import LiveServer

PANEL, DIALOG, TOASTS = "#jp-ptytasks-panel", ".jp-PtyTasks-dialog", ".Toastify__toast"
HEADER = ".jp-PtyTasks-terminal .jp-PtyTasks-header, .jp-PtyTasks-terminal .jp-PtyTasks-banner"
#: A page of the usual size, enlarged to twice that.
ENLARGED = {"width": USUAL["width"] // 2, "height": USUAL["height"] // 2}
TASK_STATES = (
    *("running", "paused", "stopping", "queued", "held", "starting"),
    *("succeeded", "failed", "cancelled", "timed_out", "lost"),
)
WIDEN = """width => {
  const split = window.jupyterapp.shell._hsplitPanel;
  split.setRelativeSizes([width, split.node.clientWidth - width, 0]);
}"""
#: Output that comes faster than metrics are read, and that the ring does not keep.
FLOOD = (
    "for i in $(seq 20); do echo step $i loss 0.$((90 - 2 * i)); done; read go; yes noise | head -n 700000; "
    "for i in $(seq 30 50); do echo step $i loss 0.$((90 - i)); done; read go"
)


def varied(sample: Mapping[str, Any], count: int, name: str) -> list[dict[str, Any]]:
    """Return tasks like one, each in another state."""
    return [
        {
            **sample,
            "id": f"made{number:08}",
            "name": f"{number} {name} {number}",
            "state": TASK_STATES[number % len(TASK_STATES)],
        }
        for number in range(count)
    ]


def panel_states(camera: Camera, lab: LiveServer) -> None:
    """The panel: empty, loading, failed, with one task, two hundred, long names, and a filter that leaves nothing."""
    long = "a very long name of a task that does not fit into the panel at all"
    with lab.client() as client:
        sample: dict[str, Any] = {**client.create("echo one", name="one", tags=["baseline", "gpu"])}
    page = camera.page
    for name, answer in (
        *STATES,
        ("hundreds", of_tasks(lambda _: varied(sample, 200, "trial"))),
        ("long", of_tasks(lambda _: varied({**sample, "tags": ["a-long-tag", "another"]}, 11, long))),
    ):
        with answered(page, LIST, answer):
            camera.open()
            page.wait_for_timeout(1000)
            checked(camera, f"panel-{name}", PANEL)
            if name in ("long", "empty"):
                page.evaluate(WIDEN, 200)
                checked(camera, f"panel-{name}-narrow", PANEL, page.locator(PANEL))
    camera.open()
    page.get_by_label("Search tasks").fill("nothing like this")
    page.get_by_text("No tasks match").wait_for()
    checked(camera, "panel-nothing", PANEL)


def dialogs(camera: Camera, lab: LiveServer) -> None:
    """The dialogs: New Task with all options and a mistake, Clean Up, a notebook, a name; and the notices."""
    with lab.client() as client:
        for number in range(12):
            client.wait(client.create(f"echo epoch 1 loss {number}.5; exit {number % 2}", name=f"old {number}")["id"])
    page = camera.open()
    camera.run("ptytasks:new-task", {"command": "python train.py --lr 1e-3", "name": "train"})
    page.get_by_text("More options").click()
    page.get_by_label("Working directory").fill("no/such/place")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("no such directory").wait_for()
    for name in turned(camera, "dialog-options"):
        checked(camera, name, DIALOG)
    page.keyboard.press("Escape")
    camera.run("ptytasks:clean-up")
    page.get_by_role("dialog").get_by_label("Ended").select_option("At any time")
    page.get_by_text("cannot be undone").wait_for()
    for name in turned(camera, "dialog-clean-up"):
        checked(camera, name, DIALOG)
    page.keyboard.press("Escape")
    notebook.write(lab, "report.ipynb", notebook.cell("lr: float = 1e-3\nepochs = 10", tags=("parameters",)))
    camera.run("ptytasks:run-notebook", {"path": "work/report.ipynb"})
    page.get_by_label("Value of epochs").wait_for()
    checked(camera, "dialog-notebook", DIALOG)
    page.keyboard.press("Escape")
    with lab.client() as client:
        for command, name in (("sleep 1", "evaluate"), ("sleep 1; exit 3", "train on the whole training set")):
            client.wait(client.create(command, name=name)["id"])
        page.locator(TOASTS).first.wait_for()
        client.create("read -p 'Delete all checkpoints? [y/N] ' answer", name="clean up")
        page.locator(TOASTS).get_by_role("button", name="Answer…").wait_for()
    page.wait_for_timeout(1000)
    checked(camera, "notices", TOASTS)
    finish(lab)


def missing_output(camera: Camera, lab: LiveServer) -> None:
    """Output that was discarded: charts, the whole output, the slider and the details of its task tell of it."""
    with lab.client() as client:
        ref = client.create(FLOOD, name="flood")["id"]
        until(lambda: (loss := client.get(ref)["metrics"].get("loss")) is not None and loss["step"] == 20)
        client.send_input(ref, "", newline=True)
        until(lambda: client.get(ref)["metrics"]["loss"]["step"] == 50)
        page = opened(camera)
        tab = chart(camera, ref)
        tab.locator("canvas").first.wait_for()
        checked(camera, "missing-chart", CHARTS)
        tab.get_by_role("region", name="loss").get_by_role("img").focus()
        for _ in range(22):
            page.keyboard.press("ArrowLeft")
        tab.get_by_text("Output is missing here.").wait_for()
        checked(camera, "missing-chart-cursor", CHARTS)
        client.send_input(ref, "", newline=True)
        client.wait(ref)
        seen = terminal.show(page, ref)
        camera.run("ptytasks:show-output", {"id": ref, "line": 0})
        view = seen.locator(WHOLE)
        view.get_by_text("no longer kept").wait_for()
        checked(camera, "missing-output", WHOLE)
        camera.run("ptytasks:show-moments", {"id": ref})
        seen.get_by_role("slider", name="Time").fill("0")
        seen.get_by_text("no longer kept").wait_for()
        checked(camera, "missing-moment", ".jp-PtyTasks-moment .jp-PtyTasks-whole-bar")
        camera.run("ptytasks:details", {"id": ref})
        details(page, ref).get_by_role("heading", name="Previous Run").wait_for()
        checked(camera, "missing-details", DETAILS)


def turned_round(camera: Camera, lab: LiveServer) -> None:
    """The panel and the tabs from right to left, and enlarged."""
    with lab.client() as client:
        made = client.create(LOG.format("[tasks.log(loss=3 / i, step=i) for i in range(1, 60)]"), name="trains")["id"]
        printed = client.create(PRINTS, name="prints", tags=["gpu"])["id"]
        until(lambda: client.get(made)["metrics"])
        client.wait(printed)
    page = camera.open()
    for name in turned(camera, "panel"):
        checked(camera, name, PANEL)
    page = opened(camera)
    tab = show(page)
    tab.get_by_label("Search the output of these runs").fill("line 12")
    tab.get_by_label("Search the output of these runs").press("Enter")
    tab.locator("mark").first.wait_for()
    checked(camera, "runs-found", RUNS)
    for name in turned(camera, "runs-found"):
        checked(camera, name, RUNS)
    page.keyboard.press("Escape")
    tab.locator(".jp-PtyTasks-runs-row").first.click()
    for name in turned(camera, "runs"):
        checked(camera, name, RUNS)
    chart(camera, made).locator("canvas").first.wait_for()
    for name in turned(camera, "metrics"):
        checked(camera, name, CHARTS)
    camera.run("ptytasks:details", {"id": made})
    details(page, made).get_by_role("heading", name="Previous Run").wait_for()
    for name in turned(camera, "details"):
        checked(camera, name, DETAILS)
    terminal.show(page, made)
    for name in turned(camera, "header"):
        checked(camera, name, HEADER)
    terminal.show(page, printed)
    camera.run("ptytasks:show-output", {"id": printed})
    page.locator(WHOLE).locator("[data-line]").first.wait_for()
    for name in turned(camera, "output"):
        checked(camera, name, WHOLE)
    finish(lab)


def turned(camera: Camera, name: str) -> Iterator[str]:
    """Show the page from right to left, and enlarged, each while the caller has its picture's name."""
    for suffix, change in (("rtl", from_right(camera.page)), ("enlarged", enlarged(camera.page))):
        with change:
            camera.page.wait_for_timeout(500)
            yield f"{name}-{suffix}"


@contextmanager
def from_right(page: Page) -> Iterator[None]:
    """Have the page as languages have it that are written from right to left."""
    page.evaluate("document.documentElement.dir = 'rtl'")
    yield
    page.evaluate("document.documentElement.dir = ''")


@contextmanager
def enlarged(page: Page) -> Iterator[None]:
    """Have the page at twice its size: half of it fits."""
    page.set_viewport_size(ENLARGED)  # type: ignore[arg-type]
    yield
    page.set_viewport_size(USUAL)  # type: ignore[arg-type]


PARTS = (panel_states, dialogs, missing_output, turned_round)
