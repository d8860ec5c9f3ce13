"""JupyterLab's own client on a real server: all of its terminal methods, with any name of a task.

It takes what the list says for the name of a terminal, and puts that into addresses as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.client.live import LiveServer, ended, until
from tests.stock.client import StockClient, StockError, stock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_ptytasks.client import Client

__all__ = ["stock"]  # a fixture

#: Two shells that say who they are.
SAYING = 'stty -echo; while read -r line; do echo "<$line of $PTYTASK_ID>"; done'
#: What is a part of an address, or leads out of it, where it is not encoded.
NAMES = ["train", "train#2", "train?x=1", "train/2", "train.2", "...", "100%", "%2e%2e", "a b", "日本 語", "train"]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path_factory.mktemp("stock").resolve() / "home", "--PtyTasksApp.stop_grace=0.5").start()
    yield server
    server.stop()


@pytest.fixture
def client(live: LiveServer) -> Iterator[Client]:
    """A client of ours: it sees what the stock one does. Nothing is left to the next test."""
    live.revive()
    with live.client() as client:
        yield client
        for task in client.list()["tasks"]:
            client.delete(task["id"], stop=True)


@pytest.fixture
def lab(stock: StockClient, live: LiveServer, client: Client) -> StockClient:
    """The stock client, at our server."""
    opened = stock("open", f"{live.url}ptytasks/", live.token)
    assert opened == {"isReady": True, "isAvailable": True, "running": []}
    return stock


def alive(client: Client) -> set[str]:
    return {task["id"] for task in client.list()["tasks"] if task["alive"]}


def test_start_list_type_and_shut_down(lab: StockClient, client: Client) -> None:
    one = lab("start", {})
    assert one["model"] == {"name": one["name"]}
    assert lab("running") == [{"name": one["name"]}]
    listed = lab("list")
    assert listed["running"] == [{"name": one["name"]}]
    assert [set(model) for model in listed["api"]] == [{"name", "last_activity"}]
    lab.type(one["number"], "echo $((6 * 7)).\r")
    look = lab.shows(one["number"], "42.")
    assert (look["status"], look["statuses"]) == ("connected", ["connecting", "connected"])
    # What else came would be written on the screen by some clients, and break others.
    assert set(look["types"]) == {"stdout"}
    lab("send", one["number"], "set_size", 31, 97, 500, 700)
    lab.type(one["number"], "stty size\r")
    lab.shows(one["number"], "31 97")
    lab("shutdown", one["name"])
    assert ended(client, one["name"])["state"] == "cancelled"
    assert lab.until(one["number"], lambda look: look["disposed"])["status"] == "disconnected"
    assert lab("list") == {"running": [], "api": []}


def test_start_with_a_name_and_a_directory(lab: StockClient, live: LiveServer, client: Client) -> None:
    (live.home / "sub").mkdir(exist_ok=True)
    same = [lab("start", {"name": "mine", "cwd": "sub"}) for _ in range(2)]
    assert [client.get(one["name"])["name"] for one in same] == ["mine", "mine"]
    assert same[0]["name"] != same[1]["name"]
    lab.type(same[0]["number"], "pwd\r")
    lab.shows(same[0]["number"], str(live.home / "sub"))
    model = lab("apiStart", "by the api", "no/such/place")
    assert client.get(model["name"])["cwd"] == str(live.home)
    assert len(lab("list")["running"]) == 3


def test_clones_and_second_connections_are_of_the_same_terminal(lab: StockClient, client: Client) -> None:
    one = lab("start", {})
    lab.type(one["number"], "echo before $((1 + 1))\r")
    lab.shows(one["number"], "before 2")
    others = [lab("clone", one["number"]), lab("connect", one["name"])]
    for other in others:
        assert other["name"] == one["name"]
        lab.shows(other["number"], "before 2")
    lab.type(others[0]["number"], "echo after $((2 + 2))\r")
    for other in (one, *others):
        assert set(lab.shows(other["number"], "after 4")["types"]) == {"stdout"}
    lab("dispose", others[0]["number"])
    lab.type(others[1]["number"], "echo still $((3 + 3))\r")
    lab.shows(one["number"], "still 6")
    assert alive(client) == {one["name"]}


def test_the_end_is_a_disconnect(lab: StockClient, client: Client) -> None:
    one, other = lab("start", {}), lab("start", {})
    lab.type(one["number"], "exit\r")
    look = lab.until(one["number"], lambda look: look["disposed"])
    assert (look["isDisposed"], look["statuses"][-1]) == (True, "disconnected")
    assert [model["name"] for model in lab("list")["running"]] == [other["name"]]
    lab("close", other["number"])
    assert ended(client, other["name"])["state"] == "cancelled"
    assert lab("look", other["number"])["isDisposed"]


def test_a_missing_terminal_is_not_an_error_and_a_wrong_token_is(lab: StockClient, live: LiveServer) -> None:
    lab("shutdown", "nobody")
    lab("apiShutdown", "nobody")
    with pytest.raises(StockError, match=r"Can only be used for terminal requests"):
        lab("shutdown", "../tasks/nobody")
    lab("open", f"{live.url}ptytasks/", "wrong")
    with pytest.raises(StockError) as refused:
        lab("list")
    assert refused.value.status == 403


def test_shutting_one_down_leaves_the_others_whatever_they_are_called(lab: StockClient, client: Client) -> None:
    tasks = {client.create(SAYING, name=name)["id"]: name for name in NAMES}
    assert {model["name"] for model in lab("list")["running"]} == set(tasks)
    connections = {task: lab("connect", task)["number"] for task in tasks}
    for task, number in connections.items():
        lab.type(number, "hello\r")
        lab.shows(number, f"<hello of {task}>")
    left = set(tasks)
    for task in sorted(tasks, key=lambda task: tasks[task]):
        lab("shutdown", task)
        left.discard(task)
        assert ended(client, task)["state"] == "cancelled"
        assert alive(client) == left, tasks[task]
    for task, number in connections.items():
        other = tasks.keys() - {task}
        text = lab.until(number, lambda look: look["disposed"])["text"]
        assert not [one for one in other if one in text]


def test_shutting_all_down(lab: StockClient, client: Client) -> None:
    tasks = [client.create(SAYING, name=name)["id"] for name in NAMES]
    lab("shutdownAll")
    for task in tasks:
        assert ended(client, task)["state"] == "cancelled"
    assert lab("list") == {"running": [], "api": []}


def test_a_connection_stays_with_its_task_when_another_takes_its_name(lab: StockClient, client: Client) -> None:
    first = client.create(SAYING, name="train")["id"]
    number = lab("connect", first)["number"]
    lab.type(number, "one\r")
    lab.shows(number, f"<one of {first}>")
    second = client.create(SAYING, name="train")["id"]
    lab("reconnect", number)
    assert lab("look", number)["statuses"] == ["connecting", "connected", "connecting", "connected"]
    lab.type(number, "two\r")
    assert second not in lab.shows(number, f"<two of {first}>")["text"]
    lab("close", number)
    assert ended(client, first)["state"] == "cancelled"
    assert alive(client) == {second}


def test_a_connection_by_name_alone_does_no_harm(lab: StockClient, client: Client) -> None:
    """The list has ids: the client drops terminals that are not in it, and cannot stop anything by name."""
    tasks = [client.create(SAYING, name=name)["id"] for name in ("train", "train#2")]
    number = lab("connect", "train#2")["number"]
    lab.until(number, lambda look: look["disposed"])
    lab("shutdown", "train#2")
    assert alive(client) == set(tasks)


def test_connections_come_back_when_the_server_does(lab: StockClient, live: LiveServer, client: Client) -> None:
    task = client.create(SAYING, name="train")["id"]
    number = lab("connect", task)["number"]
    lab.type(number, "before\r")
    lab.shows(number, f"<before of {task}>")
    live.kill9()
    lab.until(number, lambda look: look["status"] == "connecting")
    live.start()
    client.create(SAYING, name="train")
    lab.until(number, lambda look: look["status"] == "connected")
    lab.type(number, "after\r")
    look = lab.shows(number, f"<after of {task}>")
    assert set(look["types"]) == {"stdout"}
    until(lambda: {"name": task} in lab("list")["running"])
