"""Authentication and authorization on every route, method and socket: none works without a token or permission."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_server.auth.authorizer import Authorizer
from tornado.httpclient import HTTPClientError

from jupyter_ptytasks.server.rest import ROUTES, SOCKET_ROUTE
from jupyter_ptytasks.server.rest.base import METHODS, TaskHandler

if TYPE_CHECKING:
    from tests.server.conftest import Rest

ACTIONS = ("read", "write", "execute")
#: What every method of every route needs: `execute` to run or type something, `write` for other changes, `read`.
NEEDS = {
    "GET status": "read",
    "GET tasks": "read",
    "POST tasks": "execute",
    "PATCH tasks": "write",
    "GET tasks/{ref}": "read",
    "PATCH tasks/{ref}": "write",
    "DELETE tasks/{ref}": "write",
    "POST tasks/{ref}/start": "execute",
    "POST tasks/{ref}/hold": "write",
    "POST tasks/{ref}/move": "write",
    "POST tasks/{ref}/stop": "write",
    "DELETE tasks/{ref}/leftover": "write",
    "POST tasks/{ref}/pause": "write",
    "POST tasks/{ref}/resume": "write",
    "POST tasks/{ref}/restart": "execute",
    "POST tasks/{ref}/again": "execute",
    "POST tasks/{ref}/signal": "execute",
    "POST tasks/{ref}/input": "execute",
    "POST tasks/{ref}/resize": "execute",
    "GET tasks/{ref}/wait": "read",
    "GET tasks/{ref}/why": "read",
    "GET tasks/{ref}/details": "read",
    "GET tasks/{ref}/diff": "read",
    "GET tasks/{ref}/notes": "read",
    "PUT tasks/{ref}/notes": "write",
    "GET tasks/{ref}/commands": "read",
    "POST tasks/{ref}/exec": "execute",
    "GET tasks/{ref}/stats": "read",
    "GET tasks/{ref}/metrics": "read",
    "GET tasks/{ref}/screen": "read",
    "GET tasks/{ref}/output": "read",
    "GET tasks/{ref}/output/raw": "read",
    "GET tasks/{ref}/record": "read",
    "GET tasks/{ref}/replay": "read",
    "GET tasks/{ref}/result": "read",
    "GET tasks/{ref}/export": "read",
    "POST import": "write",
    "GET search": "read",
    "GET cleanup": "read",
    "POST cleanup": "write",
    "GET places": "read",
    "GET places/{ref}/options": "read",
    "GET changes": "read",
    "GET groups": "read",
    "GET groups/{ref}": "read",
    "PUT groups/{ref}": "execute",
    "DELETE groups/{ref}": "write",
    "POST groups/{ref}/pause": "write",
    "POST groups/{ref}/resume": "execute",
    "POST groups/{ref}/retry": "execute",
    "GET sweeps": "read",
    "POST sweeps": "execute",
    "GET sweeps/{ref}": "read",
    "DELETE sweeps/{ref}": "write",
    "POST sweeps/{ref}/start": "execute",
    "POST sweeps/{ref}/retry": "execute",
    "POST sweeps/{ref}/cancel": "write",
    "GET terminals": "read",
    "POST terminals": "execute",
    "GET terminals/{ref}": "read",
    "DELETE terminals/{ref}": "write",
}


def offered() -> set[str]:
    """Every method that a handler of ours implements, with its path."""
    found = set()
    for route, handler in ROUTES:
        path = route.replace("([^/]+)", "{ref}").removeprefix("/ptytasks/api/")
        own = [name for name in METHODS if hasattr(getattr(handler, name), "needs")]
        assert own, handler
        found |= {f"{name.upper()} {path}" for name in own}
    return found


def parts(path: str) -> tuple[str, ...]:
    """A path to a task that is not there."""
    return tuple(path.replace("{ref}", "nap").split("/"))


def test_nothing_is_offered_that_has_no_entry() -> None:
    assert offered() == set(NEEDS)


def test_a_method_that_does_not_say_what_it_needs_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="Careless"):

        class Careless(TaskHandler):
            async def post(self) -> None:
                """Do anything."""


async def test_no_route_without_a_token(rest: Rest) -> None:
    let_in = []
    for method, path in [about.split(" ") for about in NEEDS] + [["HEAD", "tasks"], ["GET", "nothing"]]:
        answer = await rest(method, *parts(path), headers={"Authorization": "token wrong"})
        assert b"nap" not in answer.body
        if answer.code != 403:
            let_in.append((method, path, answer.code))
    assert not let_in


async def test_no_socket_without_a_token(attach: Any) -> None:
    with pytest.raises(HTTPClientError, match="403"):
        await attach("nap", headers={})


async def test_no_socket_from_another_origin(attach: Any, rest: Rest) -> None:
    await rest.create("sleep 100", name="nap")
    with pytest.raises(HTTPClientError, match="403"):
        await attach("nap", headers={"Origin": "http://elsewhere.example"})


class Chosen(Authorizer):
    """Allows what a test says, for terminals and nothing else."""

    allowed: frozenset[str] = frozenset()

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return resource != "terminals" or action in self.allowed


@pytest.fixture
def allow(jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    def choose(*actions: str) -> None:
        monkeypatch.setattr(Chosen, "allowed", frozenset(actions))
        monkeypatch.setitem(jp_serverapp.web_app.settings, "authorizer", Chosen(parent=jp_serverapp))

    return choose


@pytest.mark.parametrize("denied", ACTIONS)
async def test_a_route_is_open_only_to_users_with_its_permission(rest: Rest, allow: Any, denied: str) -> None:
    allow(*(set(ACTIONS) - {denied}))
    wrong = []
    for (method, path), needed in [(about.split(" "), needed) for about, needed in NEEDS.items()]:
        for asked in (method, "HEAD") if method == "GET" else (method,):
            # Of what would start something, the body makes no sense: that is found out behind the door.
            answer = await rest(asked, *parts(path), body={"name": ""})
            if (answer.code == 403) != (needed == denied):
                wrong.append((asked, path, answer.code))
            if answer.code == 403 and asked != "HEAD":
                assert set(answer.json) == {"code", "message"}
    assert not wrong


@pytest.mark.parametrize(
    "allowed", [allowed for size in range(4) for allowed in itertools.combinations(ACTIONS, size)], ids="+".join
)
async def test_a_socket_shows_with_read_and_types_with_execute_permission(
    rest: Rest, allow: Any, attach: Any, allowed: tuple[str, ...]
) -> None:
    await rest.create(["sh", "-c", "stty -echo; echo ready; while read -r line; do echo said $line; done"], name="sh")
    await rest.until_output("sh", "ready")
    allow(*allowed)
    if "read" not in allowed:
        with pytest.raises(HTTPClientError, match="403"):
            await attach("sh")
        return
    viewer = await (await attach("sh")).attached()
    await viewer.type("in the socket\r")
    assert viewer.task["rows"] == 40
    await viewer.send("set_size", 10, 10)
    may_type = "execute" in allowed
    assert viewer.event("task")["readonly"] is not may_type
    if may_type:
        await viewer.shows("said in the socket")
        await viewer.until(lambda viewer: viewer.task["rows"] == 10)
        return
    allow(*ACTIONS)
    await rest("POST", "tasks", "sh", "input", body={"data": "by REST", "newline": True})
    assert "socket" not in (await viewer.shows("said by REST")).text
    assert (await rest.get("sh"))["rows"] == 40


async def test_users_with_only_read_permission_watch(rest: Rest, allow: Any, attach: Any) -> None:
    await rest.create("echo ready; cat", name="cat")
    await rest.until_output("cat", "ready")
    allow("read")
    viewer = await (await attach("cat")).attached()
    assert viewer.event("task")["readonly"] is True
    await viewer.type("not mine\r")
    allow("read", "write", "execute")
    await (await attach("cat")).type("mine\r")
    assert "not" not in (await viewer.shows("mine")).text
    allow()
    with pytest.raises(HTTPClientError, match="403"):
        await attach("cat")


def test_every_path_is_below_our_prefix() -> None:
    for route in [*(route for route, _ in ROUTES), SOCKET_ROUTE]:
        assert re.match(r"/ptytasks/(api|terminals)/", route)


async def test_the_environment_is_in_no_answer_and_no_log(
    rest: Rest, attach: Any, caplog: pytest.LogCaptureFixture
) -> None:
    task = await rest.create("sleep 100", name="nap", env={"API_KEY": "s3cr3t-value"})
    viewer = await (await attach("nap")).attached()
    answers = [
        (await rest("GET", "tasks")).body,
        (await rest("GET", "tasks", "nap")).body,
        (await rest("GET", "status")).body,
        str(viewer.events).encode(),
        str(task).encode(),
    ]
    assert not [answer for answer in answers if b"s3cr3t" in answer]
    assert "s3cr3t" not in caplog.text
