"""A training on Slurm, local and behind ssh, in JupyterLab: start, pending, and a terminal that outlives the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests import elsewhere
from tests.browser import axe, labs, notebook, panel, terminal
from tests.browser.pictures import picture
from tests.client.live import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import Console
    from tests.client.live import LiveServer
    from tests.slurm.cluster import Cluster
    from tests.ssh.sshd import Sshd

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Yield a cluster where jobs can run."""
    with elsewhere.slurm(tmp_path_factory) as found:
        yield found


@pytest.fixture(scope="module")
def sshd(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Yield an sshd on a host of the cluster."""
    with elsewhere.host(tmp_path_factory, SLURM_CONF=str(cluster.config)) as found:
        yield found


@pytest.fixture(scope="module")
def running_lab(cluster: Cluster, sshd: Sshd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Yield a JupyterLab that has the place `slurm`, and the same cluster over ssh as the place `cluster`."""
    home = tmp_path_factory.mktemp("near").resolve()
    places = "{'cluster': {'engine': 'slurm', 'site': 'ssh:box'}}"
    options = (f"--PtyTasksApp.places={places}", "--PtyTasksApp.slurm_interval=0.5")
    lab = labs.beside(sshd, home, "Host gpu1\n", *options)
    (home / "work" / "train.py").write_text("print('trained')\n")
    with elsewhere.at_cluster(cluster):
        try:
            yield lab.start()
        finally:
            lab.stop()


def test_a_job_waits_for_a_reason_becomes_a_terminal_and_outlives_the_server(
    page: Page, client: Client, lab: LiveServer, cluster: Cluster, console: Console
) -> None:
    console.expect("ERR_CONNECTION_REFUSED|WebSocket|Failed to fetch|/api/")
    line = {"command": "for i in $(seq 1000); do echo step $i; sleep 0.2; done", "name": "train", "place": "slurm"}
    page.evaluate("line => void window.jupyterapp.commands.execute('ptytasks:new-task', line)", line)
    dialog = page.locator(".jp-PtyTasks-dialog")
    where = dialog.get_by_role("combobox", name="Where")
    expect(where).to_have_value("slurm")
    expect(where.get_by_role("option")).to_have_text(["This server", "slurm", "cluster", "gpu1"])
    dialog.get_by_text("Resources", exact=True).click()
    dialog.get_by_label("CPUs").fill("2")
    dialog.get_by_label("Earliest start").fill("now+1hour")
    assert axe.serious(page, ".jp-PtyTasks-dialog .jp-Dialog-content") == []
    picture(page, "slurm-dialog")
    dialog.get_by_role("button", name="Start", exact=True).click()
    dialog.wait_for(state="detached")
    task = client.get("train")
    tab = terminal.find(page, task["id"])
    waiting = tab.get_by_role("group", name="Waiting")
    expect(waiting).to_contain_text("waits for its time", timeout=30_000)
    tasks = panel.show(page)
    row = panel.row(tasks, task["id"])
    expect(row.locator(".jp-PtyTasks-place")).to_have_text("slurm")
    picture(page, "slurm-waiting")
    # Held by its user, and released: the reason changes with it.
    page.evaluate("id => window.jupyterapp.commands.execute('ptytasks:hold', { id })", task["id"])
    expect(waiting).to_contain_text("Held")
    page.evaluate("id => window.jupyterapp.commands.execute('ptytasks:release', { id })", task["id"])
    assert task["job"]
    job = task["job"]["id"]
    until(lambda: client.get("train")["state"] == "queued")
    cluster.run("scontrol", "update", f"jobid={job}", "StartTime=now")
    expect(waiting).to_be_hidden(timeout=30_000)
    terminal.until_line(page, task["id"], "step 5")
    picture(page, "slurm-running")
    lab.kill9()
    lab.revive()
    until(lambda: client.get("train")["state"] == "running")
    number = client.get("train")["output"]["lines"]
    terminal.until_line(page, task["id"], f"step {number + 5}")
    # A file runs where it is: not at a host that does not have it.
    page.evaluate("() => void window.jupyterapp.commands.execute('ptytasks:run-file-with', { path: 'train.py' })")
    expect(where.get_by_role("option")).to_have_text(["This server", "slurm"])
    expect(where).to_have_value("slurm")
    dialog.get_by_label("Earliest start").fill("")
    picture(page, "slurm-file")
    dialog.get_by_role("button", name="Start", exact=True).click()
    dialog.wait_for(state="detached")
    ran = until(lambda: next((one for one in client.list()["tasks"] if one["name"] == "train.py"), None))
    until(lambda: "trained" in client.output(ran["id"])["output"])


def test_a_cluster_behind_ssh_is_asked_in_the_dialog_and_in_a_cell(page: Page, client: Client, lab: LiveServer) -> None:
    line = {"command": "pwd; echo step $((40+2)); exec cat", "name": "far", "place": "cluster"}
    page.evaluate("line => void window.jupyterapp.commands.execute('ptytasks:new-task', line)", line)
    dialog = page.locator(".jp-PtyTasks-dialog")
    expect(dialog.get_by_role("combobox", name="Where")).to_have_value("cluster")
    dialog.get_by_text("Resources", exact=True).click()
    dialog.get_by_label("CPUs").fill("2")
    dialog.get_by_role("combobox", name="Start").select_option(label="When I release it")
    picture(page, "far-dialog")
    dialog.get_by_role("button", name="Start", exact=True).click()
    dialog.wait_for(state="detached")
    task = client.get("far")
    assert (task["state"], task["place"], task["resources"]) == ("held", "cluster", {"cpus": 2})
    tab = terminal.find(page, task["id"])
    waiting = tab.get_by_role("group", name="Waiting")
    expect(waiting).to_contain_text("Held")
    expect(tab.locator(".jp-PtyTasks-header .jp-PtyTasks-place")).to_have_text("cluster")
    page.evaluate("id => window.jupyterapp.commands.execute('ptytasks:release', { id })", task["id"])
    terminal.until_line(page, task["id"], "step 42")
    picture(page, "far-running")
    client.stop(task["id"])
    source = "%%task far-cell --place cluster --cpus 2 --wait\necho from $SLURM_CPUS_PER_TASK; sleep 1; exit 3"
    notebook.write(lab, "far.ipynb", notebook.cell("%load_ext jupyter_ptytasks"), notebook.cell(source))
    view = notebook.view(notebook.show(page, "far.ipynb"), "far-cell")
    notebook.run_all(page)
    expect(view).to_contain_text("cluster")
    expect(view).to_contain_text("Failed · exit 3", timeout=60_000)
    expect(view).to_contain_text("from 2")
    picture(page, "far-cell")
