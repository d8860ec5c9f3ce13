"""The Jupyter Server extension: its settings and routes, and what it does when the server starts and stops."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from jupyter_core.paths import jupyter_runtime_dir
from jupyter_server.extension.application import ExtensionApp
from traitlets import default

from ..core import shell_line
from ..core.local_token import LocalToken
from ..core.platform import detach, files
from . import auth
from .parts import Parts
from .rest import MCP_ROUTE, OFF_ROUTE, ROUTES, SOCKET_ROUTE, UNKNOWN_ROUTE
from .settings import Settings, shell_of
from .terminals.websocket import TaskSocket

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


class PtyTasksApp(Settings, ExtensionApp):
    """Named background tasks in a pseudo-terminal: they outlive the browser, the kernel and the server."""

    name = "jupyter_ptytasks"
    description = "Named background tasks in a pseudo-terminal"

    @default("shell_command")
    def _default_shell_command(self) -> list[str]:
        return shell_of(self._server.terminado_settings.get("shell_command"))

    @property
    def _server(self) -> ServerApp:
        server = self.serverapp
        assert server is not None
        return server

    def initialize_settings(self) -> None:
        """Assemble the parts; nothing runs yet."""
        #: None if the extension is disabled.
        self.parts: Parts | None = None
        self.local_token = LocalToken(jupyter_runtime_dir(), os.getpid())
        self.settings[auth.SETTING] = self.local_token
        if not self._server.terminals_enabled:
            self.log.info("jupyter_ptytasks is disabled because ServerApp.terminals_enabled is False")
            return
        if not detach.can_leave():
            self.log.warning("tasks end with the job object of this server, which does not let processes leave it")
        self._tell_front_end()
        self.parts = Parts(self, self._server, self.log)
        self.settings.update(self.parts.for_routes)

    def _tell_front_end(self) -> None:
        """Put the shell syntax of command lines into JupyterLab's page config."""
        shell = shell_line.language(self.shell_command[0]) if self.shell_command else "sh"
        self._server.web_app.settings.setdefault("page_config_data", {})["ptytasksShell"] = shell

    def initialize_handlers(self) -> None:
        """Add the routes."""
        if self.parts is None:
            self.handlers.append(OFF_ROUTE)
            return
        self.handlers.extend(ROUTES)
        self.handlers.append(MCP_ROUTE)
        self.handlers.append((SOCKET_ROUTE, TaskSocket, {"term_manager": self.parts.terminals}))
        self.handlers.append(UNKNOWN_ROUTE)

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:  # noqa: ARG002
        """Find existing tasks, once the loop runs."""
        if self.parts is None:
            return
        try:
            files.private_dir(self.runtime_dir)
            if auth.takes_local_token(self._server.identity_provider):
                self.local_token.write()
        except OSError as error:
            # The server itself must start anyway.
            self.log.warning("the directory for the ptyhosts' sockets cannot be used: %s", error)
        await self.parts.begin()

    def current_activity(self) -> dict[str, str] | None:
        """Return the tasks that keep the server from shutting down when idle, with their states; None without any."""
        if self.parts is None:
            return None
        return {task.id: task.state.value for task in self.parts.activity.busy()} or None

    async def stop_extension(self) -> None:
        """Disconnect from the tasks; they keep running, unless `shutdown_policy` says otherwise."""
        if self.parts is None:
            return
        self.local_token.remove()
        await self.parts.close(stop_tasks=self.shutdown_policy == "stop")
