"""Finds the Jupyter server from a terminal, task, kernel or script, by environment variables and runtime files.

In this order: the caller's arguments; `JUPYTER_PTYTASKS_URL` and `JUPYTER_PTYTASKS_TOKEN`; the server that started this
kernel; JupyterHub's variables; all running servers of this user: first the one that this task or terminal belongs to,
then those that serve this directory, then the most recently started. Nothing is cached: a restarted server may have
moved.
"""

from __future__ import annotations

import glob
import json
import os
import re
import socket
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from ..core.local_token import LocalToken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

URL = "JUPYTER_PTYTASKS_URL"
TOKEN = "JUPYTER_PTYTASKS_TOKEN"  # noqa: S105  the name of a variable

#: Paths of pages below the base URL: people paste what the browser shows.
_PAGE = re.compile(r"/(lab|tree|notebooks|doc)(/.*)?$")
#: Addresses that servers listen on, but that not every system can connect to.
_WILDCARDS = ("0.0.0.0", "::", "*")  # noqa: S104  taken out, not listened on


@dataclass(frozen=True)
class Server:
    """The location of a Jupyter server: `url` ends with a slash, `token` may be empty, `sock` is its unix socket."""

    url: str
    token: str = ""
    sock: str = ""

    @classmethod
    def parse(cls, url: str, token: str = "") -> Server:
        """Parse a URL, which may have a page, `?token=` or the scheme `http+unix`. Raises ValueError."""
        parts = urlsplit(url)
        token = token or parse_qs(parts.query).get("token", [""])[0]
        path = _PAGE.sub("", parts.path).rstrip("/") + "/"
        if parts.scheme == "http+unix":
            return cls("http://localhost" + path, token, unquote(parts.netloc))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not a valid server URL; use something like http://localhost:8888/")
        netloc = parts.netloc
        if parts.hostname in _WILDCARDS:
            netloc = "127.0.0.1" if parts.port is None else f"127.0.0.1:{parts.port}"
        return cls(urlunsplit((parts.scheme, netloc, path, "", "")), token)

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, so that paths on this machine are valid for it."""
        host = urlsplit(self.url).hostname or ""
        return bool(self.sock) or host in ("localhost", "::1", socket.gethostname()) or host.startswith("127.")


def find(url: str = "", token: str = "") -> list[Server]:
    """Return candidate servers, the most likely first. Whether they respond is not checked.

    Args:
        url: address of the server, by default from the environment. With one, the server is the only candidate.
        token: takes precedence over tokens that are found; by default from the environment.

    Raises:
        ValueError: `url` is not valid.
    """
    env = os.environ
    token = token or env.get(TOKEN, "")
    running = sorted(_running(), key=lambda record: record.likeliness(env), reverse=True)
    if url := url or env.get(URL, ""):
        server = Server.parse(url, token)
        known = (record.server.token for record in running if _same_address(record.server, server))
        return [server if server.token else replace(server, token=next(known, ""))]
    found = [record.server for record in running if str(record.pid) == env.get("JPY_PARENT_PID")]
    found += _hub(env)
    found += [record.server for record in running]
    return list(dict.fromkeys(replace(server, token=token) if token else server for server in found))


@dataclass(frozen=True)
class _Running:
    """A running server, as described by its file in the runtime directory."""

    server: Server
    pid: int
    root: str
    since: float

    def likeliness(self, env: Mapping[str, str]) -> tuple[bool, bool, int, float]:
        """Return a sort key: the greater, the more likely this server belongs to the current process."""
        # In a task, these variables name its server. A restart may change the address, but not the directory.
        is_ours = _is_at(self.server, env.get("JUPYTER_SERVER_URL", ""))
        is_root = self.root == env.get("JUPYTER_SERVER_ROOT")
        root, here = os.path.realpath(self.root), _here()
        depth = len(root) if here == root or here.startswith(root.rstrip(os.sep) + os.sep) else 0
        return is_ours, is_root, depth, self.since


def _running() -> Iterator[_Running]:
    # Imported here: it takes a tenth of the time of a short command.
    from jupyter_core.paths import jupyter_runtime_dir  # noqa: PLC0415

    for path in glob.glob(os.path.join(glob.escape(jupyter_runtime_dir()), "jpserver-*.json")):
        try:
            with open(path, encoding="utf-8") as file:
                record = json.load(file)
            pid, sock, url = int(record["pid"]), str(record.get("sock") or ""), str(record["url"])
            # A server with a password provides a local token; one behind a hub accepts only the hub's.
            token = str(record.get("token") or LocalToken(os.path.dirname(path), pid).read())
            token = token or os.environ.get("JUPYTERHUB_API_TOKEN", "")
            server = replace(Server.parse(url, token), sock=sock)
            since = os.stat(path).st_mtime
        except (OSError, ValueError, KeyError, TypeError):
            continue  # it has just ended, or the file is not a server's
        if _is_alive(pid):
            yield _Running(server, pid, str(record.get("root_dir", "")), since)


def _hub(env: Mapping[str, str]) -> list[Server]:
    """Return the server described by JupyterHub's variables, if they are set."""
    url, token = env.get("JUPYTERHUB_SERVICE_URL") or env.get("JUPYTERHUB_PUBLIC_URL"), env.get("JUPYTERHUB_API_TOKEN")
    if not url or not token:
        return []
    try:
        server = Server.parse(url, token)
    except ValueError:
        return []
    prefix = env.get("JUPYTERHUB_SERVICE_PREFIX") or urlsplit(server.url).path
    return [replace(server, url=urlunsplit(urlsplit(server.url)._replace(path=prefix.rstrip("/") + "/")))]


def _is_at(server: Server, url: str) -> bool:
    try:
        return _same_address(server, Server.parse(url))
    except ValueError:
        return False


def _same_address(server: Server, other: Server) -> bool:
    return (server.url, server.sock) == (other.url, other.sock)


def _here() -> str:
    try:
        return os.path.realpath(os.getcwd())
    except OSError:
        return ""  # the directory was removed


def _is_alive(pid: int) -> bool:
    if os.name == "nt":
        return True  # `os.kill` would end the process there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return pid > 0
