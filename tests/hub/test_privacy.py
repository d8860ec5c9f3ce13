"""A user's tasks are private: a hub's tokens and logins give no access to the tasks of another user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websocket import WebSocketBadStatusException

from jupyter_ptytasks.client import Client, TaskNotFound, Unauthorized
from jupyter_ptytasks.client.transport import API
from tests.client.live import PATIENCE, ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_ptytasks.client import Task
    from tests.hub.hub import Hub, User

#: Servers behind a hub take their time to start, and some tests start several.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def secret(user: User) -> Iterator[Task]:
    """A task that repeats what is typed, and after all of that says what it was."""
    with user.client() as client:
        task = client.create("read -r line; echo it was $line", name="secret")
        yield task
        client.send_input(task["id"], "its owner", newline=True)
        ended(client, task["id"])
        assert client.output(task["id"])["output"].endswith("it was its owner\n")


def test_no_token_of_another_lets_one_in(user: User, secret: Task, stranger: User) -> None:
    of_the_server = stranger.server_process.environ()["JUPYTERHUB_API_TOKEN"]
    for token in (stranger.token, of_the_server, "wrong", ""):
        with visitor(token) as http:
            assert_shut(http, user, secret)
        with pytest.raises(WebSocketBadStatusException, match="403"):
            user.socket(f"ptytasks/terminals/websocket/{secret['id']}", token)
    with Client(user.url, stranger.token) as client, pytest.raises(Unauthorized):
        client.status()
    with stranger.client() as client, pytest.raises(TaskNotFound):
        client.get(secret["id"])


def test_no_login_of_another_lets_one_in(hub: Hub, user: User, secret: Task, stranger: User) -> None:
    with visitor() as http:
        page = http.get(f"{hub.url}hub/login")
        form = {"username": stranger.name, "password": "any", "_xsrf": http.cookies["_xsrf"]}
        assert http.post(page.url, data=form).is_success
        # What a browser does: to the hub and back, for a cookie of the server.
        assert http.get(f"{stranger.url}lab").is_success
        assert http.get(f"{stranger.url}{API}tasks").is_success
        assert http.get(f"{user.url}lab").status_code == 403
        assert_shut(http, user, secret)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in http.cookies.jar)
    with pytest.raises(WebSocketBadStatusException, match="403"):
        user.socket(f"ptytasks/terminals/websocket/{secret['id']}", "", cookie=cookies)
    stranger.socket("api/events/subscribe", "", cookie=cookies).close()


def visitor(token: str = "") -> httpx.Client:
    """Return a client that makes requests as a browser or a program does; the caller closes it."""
    headers = {"Authorization": f"token {token}"} if token else {}
    return httpx.Client(headers=headers, trust_env=False, timeout=PATIENCE, follow_redirects=True)


def assert_shut(http: httpx.Client, user: User, task: Task) -> None:
    """Check that everything one might do with another user's task is refused, without a word about it."""
    ref = f"tasks/{task['id']}"
    tries: list[tuple[str, str, Any]] = [
        ("GET", "tasks", None),
        ("GET", ref, None),
        ("GET", f"{ref}/output", None),
        ("GET", f"{ref}/output/raw", None),
        ("GET", "terminals", None),
        ("POST", f"{ref}/input", {"data": "a stranger", "newline": True}),
        ("POST", f"{ref}/stop", {}),
        ("POST", "tasks", {"command": "true"}),
        ("DELETE", f"{ref}?stop=1", None),
    ]
    for method, path, body in tries:
        answer = http.request(method, f"{user.url}{API}{path}", json=body)
        assert answer.status_code == 403, (method, path, answer.text)
        assert task["name"] not in answer.text
