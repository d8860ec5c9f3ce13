"""Clients that know only Jupyter's terminals: the stock REST API and websocket messages on top of tasks.

What is not ours on purpose: terminals are not culled (a running task is what the user wants to keep), and their number
is limited by `max_live_tasks`.
"""

from __future__ import annotations

import functools
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from tornado.httpclient import HTTPClientError

if TYPE_CHECKING:
    from tests.server.conftest import Rest
    from tests.server.serving import Served

STOCK = ("setup", "stdout", "disconnect")
PID = r"pid=(\d+)\."


@pytest.fixture
def attach(attach: Any) -> Any:
    """Attach as a stock client does."""
    return functools.partial(attach, stock=True)


async def start(rest: Rest, **about: Any) -> str:
    """Start a terminal and return its name."""
    answer = await rest("POST", "terminals", body=about)
    assert answer.code == 200, answer.body
    assert set(answer.json) == {"name", "last_activity"}
    assert datetime.fromisoformat(answer.json["last_activity"].replace("Z", "+00:00")).tzinfo
    name: str = answer.json["name"]
    return name


async def names(rest: Rest) -> list[str]:
    return [model["name"] for model in (await rest("GET", "terminals")).json]


async def gone(rest: Rest, name: str) -> None:
    """Wait until a stock client learns that the terminal does not exist."""
    assert (await rest("GET", "tasks", name, "wait", timeout=55)).code in (200, 404)
    assert (await rest("GET", "terminals", name)).code == 404


# -- REST --------------------------------------------------------------------------------------------------------------


async def test_none_to_begin_with(rest: Rest) -> None:
    answer = await rest("GET", "terminals")
    assert (answer.code, answer.json) == (200, [])
    assert answer.headers["Content-Type"].startswith("application/json")


async def test_create_list_get_delete(rest: Rest) -> None:
    name = await start(rest)
    (listed,) = (await rest("GET", "terminals")).json
    assert listed["name"] == name
    answer = await rest("GET", "terminals", name)
    assert (answer.code, answer.json["name"]) == (200, name)
    answer = await rest("DELETE", "terminals", name)
    assert (answer.code, answer.body) == (204, b"")
    await gone(rest, name)
    assert await names(rest) == []
    assert (await rest("DELETE", "terminals", name)).code == 404


async def test_names_are_ids(rest: Rest) -> None:
    """Names of tasks are free text, and another task may have the same one."""
    found = [await start(rest) for _ in range(2)] + [await start(rest, name="same") for _ in range(2)]
    assert all(re.fullmatch("[a-z0-9]{8,16}", name) for name in found)
    assert sorted(await names(rest)) == sorted(found) == sorted(set(found))
    for name in found:
        assert (await rest("GET", "terminals", name)).json["name"] == name
    assert [(await rest.get(name))["name"] for name in found] == ["shell-1", "shell-2", "same", "same"]


async def test_a_name_finds_a_terminal_and_stops_none(rest: Rest) -> None:
    """Stock clients do not quote it: `train#2` would stop `train`."""
    name = await start(rest, name="train")
    assert (await rest("GET", "terminals", "train")).json["name"] == name
    assert (await rest("DELETE", "terminals", "train")).code == 404
    assert await names(rest) == [name]


async def test_a_body_with_more_in_it_than_we_know(rest: Rest) -> None:
    await start(rest, name="mine", type="terminal", later=[1])


@pytest.mark.parametrize("relative", [True, False])
async def test_create_with_a_directory(rest: Rest, attach: Any, served: Served, relative: bool) -> None:
    inner = served.root_dir / "in ner"
    inner.mkdir(exist_ok=True)
    name = await start(rest, cwd="in ner" if relative else str(inner))
    viewer = await (await attach(name)).attached()
    await viewer.type("pwd\r")
    await viewer.shows(f"{inner}\r\n")


async def test_a_path_that_is_not_a_directory_means_the_root_directory(rest: Rest, attach: Any, served: Served) -> None:
    """As in the stock server: a file browser may show a path that is not a directory on this machine."""
    viewer = await (await attach(await start(rest, cwd="no/such/place"))).attached()
    await viewer.type("pwd\r")
    await viewer.shows(f"{served.root_dir}\r\n")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_no_such_terminal(rest: Rest, method: str) -> None:
    answer = await rest(method, "terminals", "nobody")
    assert answer.code == 404
    assert answer.json["message"]


async def test_every_task_is_a_terminal_until_it_has_ended(rest: Rest) -> None:
    task = await rest.create("sleep 1000", name="nap")
    await rest.create("true", name="done")
    await rest.wait("done")
    assert await names(rest) == [task["id"]]
    assert (await rest("GET", "terminals", "done")).code == 404


async def test_a_terminal_without_viewers_is_kept(rest: Rest, attach: Any, jp_serverapp: Any) -> None:
    """The stock server's culling settings have no effect."""
    name = await start(rest)
    viewer = await (await attach(name)).attached()
    viewer.socket.close()
    task = await rest.until(name, lambda task: task["viewers"] == 0)
    assert (task["state"], task["running_in_background"]) == ("running", True)
    assert not hasattr(jp_serverapp.web_app.settings["ptytasks_terminals"], "cull_inactive_timeout")


# -- the websocket -----------------------------------------------------------------------------------------------------


async def test_setup_comes_first_and_says_nothing(rest: Rest, attach: Any) -> None:
    viewer = await attach(await start(rest))
    assert await viewer.read() == ["setup", {}]
    await viewer.until(lambda viewer: "stdout" in viewer.kinds)


async def test_what_is_typed_is_run(rest: Rest, attach: Any) -> None:
    viewer = await (await attach(await start(rest))).attached()
    await viewer.type("who")
    await viewer.type("ami\r")
    await viewer.shows("whoami")
    await viewer.type("echo $((6 * 7))\r")
    await viewer.shows("42\r\n")


async def test_set_size_takes_four_numbers(rest: Rest, attach: Any) -> None:
    """Lab sends the size in pixels as well."""
    viewer = await (await attach(await start(rest))).attached()
    await viewer.send("set_size", 31, 97, 512.5, 800.25)
    await viewer.type("stty size\r")
    await viewer.shows("31 97\r\n")


async def test_the_end_is_a_disconnect(rest: Rest, attach: Any) -> None:
    viewer = await (await attach(await start(rest))).attached()
    await viewer.type("exit\r")
    await viewer.ended()
    assert viewer.kinds[-1] == "disconnect"
    assert viewer.socket.close_code in (None, 1000, 1005)


async def test_a_deleted_terminal_disconnects_its_clients(rest: Rest, attach: Any) -> None:
    name = await start(rest)
    viewers = [await (await attach(name)).attached() for _ in range(2)]
    await rest("DELETE", "terminals", name)
    for viewer in viewers:
        await viewer.ended()
        assert viewer.kinds[-1] == "disconnect"


async def test_clients_that_do_not_request_our_messages_get_none(rest: Rest, attach: Any) -> None:
    viewer = await (await attach(await start(rest))).attached()
    await viewer.type("echo live\r")
    await viewer.shows("live")
    await viewer.type("exit\r")
    messages = [message async for message in viewer]
    assert viewer.kinds[:2] == ["setup", "stdout"]
    assert set(viewer.kinds) == set(STOCK)
    assert {len(message) for message in messages} == {2}


@pytest.mark.parametrize("query", [{"events": 1}, {"flow": "ack"}, {"offset": 0}])
async def test_clients_that_request_them_get_them(rest: Rest, attach: Any, query: dict[str, Any]) -> None:
    viewer = await attach(await start(rest), **query)
    await viewer.until(lambda viewer: viewer.event("task") and (viewer.event("replayed") or viewer.event("resumed")))
    await viewer.type("exit\r")
    await viewer.ended()
    assert set(viewer.kinds) == {*STOCK, "ptytask"}


async def test_a_name_is_a_process_and_another_name_is_another(rest: Rest, attach: Any) -> None:
    one, other = await start(rest), await start(rest)
    said = []
    for name in (one, one, other, other):
        viewer = await (await attach(name)).attached()
        await viewer.type("echo pid=$$.\r")
        await viewer.until(lambda viewer: re.search(PID, viewer.text))
        said.append(re.findall(PID, viewer.text)[-1])
    assert said[0] == said[1]
    assert said[2] == said[3]
    assert said[0] != said[2]
    assert said[0] == str((await rest.get(one))["pid"])


async def test_no_socket_to_nothing(attach: Any) -> None:
    with pytest.raises(HTTPClientError, match="404"):
        await attach("nobody")


@pytest.mark.parametrize("server_options", [{"PtyTasksApp": {"max_live_tasks": 2}}])
async def test_there_is_a_limit(rest: Rest, server_options: Any) -> None:
    first = await start(rest)
    await start(rest)
    assert (await rest("POST", "terminals", body={})).code == 429
    await rest("DELETE", "terminals", first)
    await gone(rest, first)
    await start(rest)


async def test_much_in_and_much_out_at_once(rest: Rest, attach: Any) -> None:
    """All input is echoed during a lot of output, and there is no deadlock."""
    viewer = await (await attach(await start(rest))).attached()
    for number in range(200):
        await viewer.type(f"echo {'x' * 100} {number} $((1 + 1))\r")
    await viewer.shows("199 2\r\n")
