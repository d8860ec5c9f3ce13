"""Pictures of tasks in the panel, their tabs and dialogs, for screenshots_lab.py."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from playwright.sync_api import Route, expect
from screenshots_camera import SIZE

from tests.browser import notebook, panel
from tests.client.live import until

if TYPE_CHECKING:
    from screenshots_camera import Camera

    from tests.client.live import LiveServer

#: Where the panel asks for the tasks.
LIST = re.compile(r"/ptytasks/api/tasks\?")
TRAIN = "python train.py --epochs 400 --seconds 100"


def empty(camera: Camera, _: LiveServer) -> None:
    """Nothing was ever started; then the dialog, and what the server says of it."""
    page = camera.open()
    page.get_by_role("heading", name="No tasks yet").wait_for()
    camera.take("empty")
    camera.run("ptytasks:new-task", {"command": "python train.py --lr 1e-3", "name": "train"})
    page.locator(".jp-Dialog").wait_for()
    camera.take("dialog")
    page.get_by_label("Working directory").fill("no/such/place")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("no such directory").wait_for()
    camera.take("dialog-error")
    page.keyboard.press("Escape")


def working(camera: Camera, lab: LiveServer) -> None:
    """Tasks in several states, the terminal of one of them, and how one ends."""
    with lab.client() as client:
        ids = [
            client.create("echo collecting; sleep 0.1; echo '2 failed, 41 passed'; exit 1", name="tests")["id"],
            client.create("echo done", name="download data", group="data")["id"],
            client.create("sleep 1000", name="evaluate on the whole test set, every metric 📊", tags=["gpu"])["id"],
            # Narrower than its tab will be: a bar that was drawn wider would be broken in two.
            client.create(TRAIN, name="train", tags=["gpu"], cols=100)["id"],
        ]
        client.pause(ids[2])
        for task in ids[:2]:
            client.wait(task, 30)
        until(lambda: client.output(ids[3])["total_lines"] > 25)
        page = camera.open()
        panel.in_state(panel.row(panel.show(page), ids[2]), "Paused").wait_for()
        expect(panel.row(panel.show(page), ids[0])).to_contain_text("exit 1")
        camera.take("panel")
        panel.row(panel.show(page), ids[3]).click()
        page.locator(".jp-PtyTasks-terminal .xterm-screen").wait_for()
        until(lambda: client.get(ids[3])["viewers"] == 1)
        page.wait_for_function("document.querySelector('.jp-PtyTasks-terminal').innerText.includes('Running')")
        page.locator(".jp-PtyTasks-terminal .jp-PtyTasks-sparkline").wait_for()
        page.wait_for_timeout(1000)  # for the canvas, of which nothing can be asked
        camera.take("tab")
        panel.row(panel.show(page), ids[0]).click()
        page.locator(".jp-PtyTasks-banner").get_by_role("button", name="Run Again", exact=True).wait_for()
        page.wait_for_timeout(1000)
        camera.take("ended")
        short = client.create("sleep 1; echo 'CUDA out of memory'; exit 137", name="finetune")["id"]
        client.wait(short, 30)
        page.locator(".Toastify__toast").first.wait_for()
        page.wait_for_timeout(500)
        camera.take("notification")


def progress(camera: Camera, lab: LiveServer) -> None:
    """The panel, with tasks that tell how far they are; and the dialog that runs a notebook."""
    with lab.client() as client:
        for task in list(client.all()):
            client.delete(task["id"], stop=True)
        client.create("printf '\\033]9;4;3\\033\\\\'; echo compiling…; exec sleep 1000", name="build")
        failed = client.create("python finetune.py", name="finetune", cwd="work")["id"]
        train = client.create(TRAIN, name="train", tags=["gpu"])["id"]
        client.wait(failed)
        until(lambda: client.output(train)["total_lines"] > 25)
        page = camera.open()
        panel.row(panel.show(page), train).get_by_role("progressbar").wait_for()
        panel.row(panel.show(page), failed).get_by_text("CUDA out of memory").wait_for()
        page.wait_for_timeout(1000)
        camera.take("progress")
        page.set_viewport_size({**SIZE, "height": 320})
        camera.take("panel-progress", panel.show(page))
        page.set_viewport_size(SIZE)
    knobs = notebook.cell("lr: float = 1e-3\nepochs = 10\ndata = 'train.csv'", tags=("parameters",))
    notebook.write(lab, "report.ipynb", knobs)
    camera.run("ptytasks:run-notebook", {"path": "work/report.ipynb"})
    expect(page.get_by_label("Executed copy")).to_be_focused()
    page.get_by_label("Value of epochs").fill("50")
    camera.take("run-notebook", page.locator(".jp-Dialog-content"))
    page.keyboard.press("Escape")


def queue(camera: Camera, lab: LiveServer) -> None:
    """Groups with tasks that run, wait and have failed; two hundred that wait; and the dialog that queues."""
    with lab.client() as client:
        for task in list(client.all()):
            client.delete(task["id"], stop=True)
        client.set_group("gpu", slots=2)
        for lr in ("1e-2", "1e-3", "1e-4", "1e-5"):
            last = client.create(TRAIN, name=f"train lr={lr}", group="gpu")["id"]
        client.create("python report.py", name="report", after=[last], group="gpu")
        client.set_group("night", slots=1, paused=True, reason="driver update")
        failed = client.create("python finetune.py", name="finetune", cwd="work")["id"]
        client.create("sleep 60", name="evaluate on the whole test set, every metric 📊", group="night")
        client.create("sleep 60", name="backup", group="night", hold=True)
        client.wait(failed)
        page = camera.open()
        tasks = panel.show(page)
        expect(tasks).to_contain_text("2 of 2 running · 3 queued")
        tasks.get_by_role("progressbar").nth(1).wait_for()
        # Away from the rows, where nothing is highlighted.
        page.locator(".jp-Launcher").click(position={"x": 5, "y": 5})
        camera.take("queue", tasks)
        camera.run(
            "ptytasks:new-task", {"command": "python train.py --lr 1e-6", "name": "train lr=1e-6", "group": "gpu"}
        )
        page.get_by_text("More options").click()
        camera.take("queue-dialog", page.locator(".jp-Dialog-content"))
        page.keyboard.press("Escape")
        tasks.locator('[data-group="gpu"]').click(button="right")
        page.get_by_role("menuitem", name="Set Slots…").wait_for()
        camera.take("queue-menu")
        page.keyboard.press("Escape")
        client.set_group("sweep", slots=0)
        for number in range(200):
            client.create("true", name=f"trial {number}", group="sweep")
        page.get_by_label("Search tasks").fill("trial")
        expect(tasks).to_contain_text("200 queued")
        tasks.locator(".jp-PtyTasks-list").focus()
        page.keyboard.press("End")
        tasks.get_by_text("trial 199", exact=True).wait_for()
        camera.take("queue-many")
        for task in list(client.all()):
            client.delete(task["id"], stop=True)
        for group in client.groups():
            client.delete_group(group["name"])


def lost(camera: Camera, lab: LiveServer) -> None:
    """The server is killed."""
    page = camera.page
    page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text="train").click()
    lab.kill9()
    page.get_by_text("The connection to the server was lost").first.wait_for()
    panel.show(page).get_by_role("alert").wait_for()
    # Lab's own dialog is about the same.
    page.wait_for_timeout(1000)
    camera.take("lost")
    lab.start()


def many(camera: Camera, lab: LiveServer) -> None:
    """A thousand tasks, in groups."""
    with lab.client() as client:
        sample = client.create("echo done", name="sample")

    def answer(route: Route) -> None:
        states = ("running", "succeeded", "failed", "cancelled", "paused")
        tasks = [
            {**sample, "id": f"made{number:08}", "name": f"experiment {number}", "state": states[number % 5]}
            for number in range(1000)
        ]
        route.fulfill(body=json.dumps({"tasks": tasks, "next_cursor": None}), content_type="application/json")

    camera.page.route(LIST, answer)
    page = camera.open()
    panel.show(page).get_by_text("experiment 0", exact=True).wait_for()
    camera.take("many")
    camera.page.unroute(LIST)


def switched_off(camera: Camera, _: LiveServer) -> None:
    """The server knows nothing of tasks."""
    camera.page.route(LIST, lambda route: route.fulfill(status=404, body="{}"))
    page = camera.open()
    panel.show(page).get_by_text("jupyter server extension enable").wait_for()
    camera.take("switched-off")
    camera.page.unroute(LIST)
