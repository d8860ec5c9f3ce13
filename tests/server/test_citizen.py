"""Integration with Jupyter Server: running tasks keep it up for a limited time, and its settings apply."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from tornado.httpclient import HTTPClientError

from jupyter_ptytasks.client import Client, ServerNotFound
from jupyter_ptytasks.core.platform import detach
from tests.client.live import LiveServer, ended, until
from tests.ptyhost.hosting import is_alive

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_ptytasks.server.extension import PtyTasksApp
    from jupyter_ptytasks.server.parts import Parts
    from tests.server.conftest import Rest


@pytest.fixture
def app(jp_serverapp: Any) -> PtyTasksApp:
    """The extension."""
    (found,) = jp_serverapp.extension_manager.extension_apps["jupyter_ptytasks"]
    app: PtyTasksApp = found
    return app


async def test_a_running_task_is_activity(rest: Rest, app: PtyTasksApp, parts: Parts, jp_serverapp: Any) -> None:
    times = jp_serverapp.web_app.settings["last_activity_times"]
    parts.activity.report()
    assert app.current_activity() is None
    assert "ptytasks" not in times
    task = await rest.create("sleep 1000", name="nap")
    assert app.current_activity() == {task["id"]: "running"}
    assert jp_serverapp.extension_manager.any_activity()
    parts.activity.report()
    first = times["ptytasks"]
    parts.activity.report()
    assert first < times["ptytasks"] <= jp_serverapp.web_app.last_activity()
    await rest("POST", "tasks", "nap", "stop", body={"signals": ["KILL"]})
    await rest.wait("nap")
    last = times["ptytasks"]
    parts.activity.report()
    assert (app.current_activity(), times["ptytasks"]) == (None, last)


@pytest.mark.parametrize("server_options", [{"PtyTasksApp": {"keep_alive_days": days}} for days in (0.0, 1e-9)])
async def test_the_activity_of_a_task_has_a_cap(
    rest: Rest, app: PtyTasksApp, parts: Parts, jp_serverapp: Any, server_options: Any
) -> None:
    await rest.create("sleep 1000", name="nap")
    await rest.until("nap", lambda _: app.current_activity() is None)
    parts.activity.report()
    assert "ptytasks" not in jp_serverapp.web_app.settings["last_activity_times"]


async def test_polling_is_not_activity_if_it_says_so(rest: Rest, jp_serverapp: Any) -> None:
    await rest("GET", "tasks")
    settings = jp_serverapp.web_app.settings
    before = settings["api_last_activity"]
    assert (await rest("GET", "tasks", no_track_activity=1)).code == 200
    assert settings["api_last_activity"] == before
    await rest("GET", "tasks")
    assert settings["api_last_activity"] > before


async def test_lab_cache_busters_are_not_parameters(rest: Rest) -> None:
    appended: dict[str, Any] = {"1795251397613": ""}
    assert (await rest("GET", "tasks", **appended)).code == 200
    assert (await rest("GET", "tasks", colour="red")).code == 400


@pytest.mark.parametrize("server_options", [{"ServerApp": {"terminals_enabled": False}}])
async def test_no_terminals_means_no_tasks_and_the_server_says_so(
    rest: Rest, app: PtyTasksApp, attach: Any, server_options: Any, jp_serverapp: Any
) -> None:
    for method, path in (
        ("GET", "status"),
        ("GET", "tasks"),
        ("POST", "tasks"),
        ("DELETE", "terminals/a"),
        ("GET", "x"),
    ):
        answer = await rest.at(method, path)
        assert (answer.code, answer.json["code"]) == (503, "disabled")
        assert "ServerApp.terminals_enabled" in answer.json["message"]
        assert (await rest.at(method, path, headers={"Authorization": "token wrong"})).code == 403
    with pytest.raises(HTTPClientError, match="503"):
        await attach("anything")
    assert app.current_activity() is None
    with Client(jp_serverapp.connection_url, jp_serverapp.identity_provider.token) as client:
        with pytest.raises(ServerNotFound, match="terminals are disabled") as failed:
            await asyncio.to_thread(client.status)
        assert "terminals_enabled" in failed.value.hint


async def test_the_shell_and_the_lifetime_are_reported(
    rest: Rest, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages get the language of the shell, and clients whether tasks outlive the server."""
    assert jp_serverapp.web_app.settings["page_config_data"]["ptytasksShell"] == "sh"
    assert (await rest("GET", "status")).json["tasks_outlive_server"] is True
    monkeypatch.setattr(detach, "can_leave", lambda: False)
    assert (await rest("GET", "status")).json["tasks_outlive_server"] is False


async def test_no_secret_of_the_server_reaches_a_task(
    rest: Rest, jp_serverapp: Any, jp_data_dir: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = ("JUPYTER_TOKEN", "JUPYTERHUB_API_TOKEN", "JUPYTERHUB_COOKIE_SECRET", "JPY_API_TOKEN", "JPY_PARENT_PID")
    for name in (*secrets, "CONFIGPROXY_AUTH_TOKEN"):
        monkeypatch.setenv(name, "hush")
    task = await rest.create("env; tr '\\0' '\\n' < /proc/$PPID/environ", name="env")
    await rest.wait("env")
    told = (await rest.output("env"))["output"]
    assert "PTYTASK_ID" in told
    assert "hush" not in told
    assert jp_serverapp.identity_provider.token not in told
    spec = jp_data_dir / "ptytasks" / "tasks" / task["id"] / "spec.json"
    assert "hush" not in spec.read_text()
    assert spec.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("policy", ["keep", "stop"])
def test_what_the_end_of_the_server_means(start_server: Callable[..., LiveServer], policy: str) -> None:
    live = start_server(f"--PtyTasksApp.shutdown_policy={policy}")
    with live.client() as client:
        task = client.create("echo hello; exec sleep 1000", name="nap")
        os.kill(live.pid, signal.SIGTERM)
        until(lambda: not is_alive(live.pid))
        live.kill9()  # a zombie by now
        if policy == "stop":
            until(lambda: not is_alive(task["pid"] or 0))
        else:
            assert is_alive(task["pid"] or 0)
        live.start()
        if policy == "stop":
            task = ended(client, "nap")
            assert (task["state"], task["exit"]) == ("cancelled", {"code": None, "signal": "SIGINT"})
        else:
            until(lambda: client.get("nap")["connected"])
            assert client.get("nap")["state"] == "running"
