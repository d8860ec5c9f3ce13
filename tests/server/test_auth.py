"""Nobody gets in without a token, nor past the authorizer; no route and no verb is left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_server.auth.authorizer import Authorizer
from tornado.httpclient import HTTPClientError

from jupyter_ptytasks.server.rest import ROUTES, SOCKET_ROUTE

if TYPE_CHECKING:
    from tests.server.conftest import Rest

VERBS = ("GET", "POST", "PATCH", "PUT", "DELETE")


def offered() -> list[tuple[str, tuple[str, ...], bool]]:
    """Give every verb that a handler of ours implements, with a path that leads to it, and whether it only reads."""
    found = []
    for route, handler in ROUTES:
        path = route.replace("([^/]+)", "nap").replace("(stop|pause|resume|restart)", "stop")
        parts = tuple(path.removeprefix("/ptytasks/api/").split("/"))
        own = [verb for verb in VERBS if verb.lower() in vars(handler)]
        assert own, handler
        found += [(verb, parts, verb == "GET") for verb in own]
    return found


OFFERED = offered()


@pytest.mark.parametrize(("method", "parts", "_reads"), OFFERED)
async def test_no_route_without_a_token(rest: Rest, method: str, parts: tuple[str, ...], _reads: bool) -> None:
    answer = await rest(method, *parts, headers={"Authorization": "token wrong"})
    assert answer.code == 403
    assert b"nap" not in answer.body


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


@pytest.mark.parametrize(("method", "parts", "reads"), OFFERED)
async def test_no_route_past_the_authorizer(
    rest: Rest, allow: Any, method: str, parts: tuple[str, ...], reads: bool
) -> None:
    allow(*({"write", "execute"} if reads else {"read"}))
    answer = await rest(method, *parts)
    assert answer.code == 403
    assert set(answer.json) == {"code", "message"}


async def test_who_may_only_read_looks_on(rest: Rest, allow: Any, attach: Any) -> None:
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
