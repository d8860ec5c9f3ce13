"""A Jupyter server with the extension in this process, shared by tests of a module that only read from it."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jupyter_core.paths
import pytest
from jupyter_server.serverapp import ServerApp
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from traitlets.config import Config

from tests.ptyhost.hosting import end_starters

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator
    from pathlib import Path

#: The same as pytest-jupyter's, to catch addresses that were put together wrong.
BASE_URL = "/a%40b/"
TOKEN = "token-of-the-shared-server"


@dataclass(frozen=True)
class Served:
    """Where a server of this process is, and what it takes to be let in."""

    port: int
    base_url: str
    headers: dict[str, str]
    data_dir: Path
    root_dir: Path


def config(options: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the settings of the tests' servers, with those of `options`, by class, in place of the usual ones."""
    usual: dict[str, dict[str, Any]] = {
        "ServerApp": {
            "jpserver_extensions": {"jupyter_ptytasks": True, "jupyter_server_terminals": True},
            "allow_unauthenticated_access": False,
            # The stock mixin's defaults make tornado warn (its interval is in seconds).
            "tornado_settings": {"ws_ping_interval": 0},
        },
        "PtyTasksApp": {"shell_command": ["/bin/sh"], "stop_grace": 0.5},
    }
    return {name: {**settings, **options.get(name, {})} for name, settings in usual.items()}


@contextlib.contextmanager
def serve(home: Path, loop: asyncio.AbstractEventLoop, options: dict[str, dict[str, Any]]) -> Iterator[Served]:
    """Run a server with everything it reads and writes below `home`.

    It is not `ServerApp.instance()`: a test may start that beside it.
    """
    directories = {name: home / name for name in ("home", "root", "config", "data", "runtime", "share", "etc")}
    for directory in directories.values():
        directory.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(directories["home"]))
        for name in ("config", "data", "runtime"):
            patch.setenv(f"JUPYTER_{name.upper()}_DIR", str(directories[name]))
        # Those around the tests must not reach tasks, and the tokens in it must not.
        patch.delenv("COLUMNS", raising=False)
        for kind in ("SYSTEM", "ENV"):
            patch.setattr(jupyter_core.paths, f"{kind}_JUPYTER_PATH", [str(directories["share"])])
            patch.setattr(jupyter_core.paths, f"{kind}_CONFIG_PATH", [str(directories["etc"])])
        socket, port = bind_unused_port()
        app = ServerApp(
            config=Config({**config(options), "IdentityProvider": {"token": TOKEN}}),
            log_level=logging.DEBUG,
            port=port,
            port_retries=0,
            open_browser=False,
            base_url=BASE_URL,
            allow_root=True,
            root_dir=str(directories["root"]),
        )
        app.init_signal = lambda: None  # type: ignore[method-assign]
        http = loop.run_until_complete(_start(app, socket))
        try:
            headers = {"Authorization": f"token {TOKEN}"}
            yield Served(port, BASE_URL, headers, directories["data"], directories["root"])
        finally:
            loop.run_until_complete(_stop(app, http))
            end_starters(str(home))


async def _start(app: ServerApp, socket: Any) -> HTTPServer:
    app.initialize(argv=[], new_httpserver=False)
    # pytest reads what is logged at the root; the streams that it puts in place of stderr come and go.
    app.log.handlers = []
    app.log.propagate = True
    app.start_app()
    http = HTTPServer(app.web_app)
    http.add_socket(socket)
    await app.extension_manager.start_all_extensions()  # type: ignore[no-untyped-call]
    return http


async def _stop(app: ServerApp, http: HTTPServer) -> None:
    http.stop()
    await http.close_all_connections()
    await app._cleanup()
    app.kernel_manager.context.destroy()
