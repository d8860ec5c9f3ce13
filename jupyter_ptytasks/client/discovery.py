"""Finding the Jupyter server: from a terminal, a task, a kernel or a script, by the environment and the servers' files.

In this order: what the caller says; `JUPYTER_PTYTASKS_URL` and `JUPYTER_PTYTASKS_TOKEN`; the server that started this
kernel; JupyterHub's variables; all servers of this user that run, first the one whose task or terminal this is, then
the one that serves this directory, then the newest. Nothing is remembered: a restarted server may be elsewhere.
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

#: What a browser shows behind the base URL: people paste the address that the server prints.
_PAGE = re.compile(r"/(lab|tree|notebooks|doc)(/.*)?$")
#: Addresses to listen on that cannot be connected to everywhere.
_WILDCARDS = ("0.0.0.0", "::", "*")  # noqa: S104  taken out, not listened on


@dataclass(frozen=True)
class Server:
    """Where a Jupyter server answers: `url` ends with a slash, `token` may be empty, `sock` is its unix socket."""

    url: str
    token: str = ""
    sock: str = ""

    @classmethod
    def parse(cls, url: str, token: str = "") -> Server:
        """Read an address as people have it: with a page and `?token=`, or as `http+unix://`. Raises ValueError."""
        parts = urlsplit(url)
        token = token or parse_qs(parts.query).get("token", [""])[0]
        path = _PAGE.sub("", parts.path).rstrip("/") + "/"
        if parts.scheme == "http+unix":
            return cls("http://localhost" + path, token, unquote(parts.netloc))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a server; one looks like http://localhost:8888/")
        netloc = parts.netloc
        if parts.hostname in _WILDCARDS:
            netloc = "127.0.0.1" if parts.port is None else f"127.0.0.1:{parts.port}"
        return cls(urlunsplit((parts.scheme, netloc, path, "", "")), token)

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine: then our directories and programs mean something to it."""
        host = urlsplit(self.url).hostname or ""
        return bool(self.sock) or host in ("localhost", "::1", socket.gethostname()) or host.startswith("127.")


def find(url: str = "", token: str = "") -> list[Server]:
    """Give the servers that may be meant, the likeliest first; whether one answers is for the caller to see.

    With a `url` (or that of the environment) it is the only one. A `token` (or that of the environment) goes before
    what is found. Raises ValueError for a `url` that is none.
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
    """What a server tells of itself in the runtime directory."""

    server: Server
    pid: int
    root: str
    since: float

    def likeliness(self, env: Mapping[str, str]) -> tuple[bool, bool, int, float]:
        """Give what is the greater, the likelier this server is meant by somebody who works here."""
        # In a task: the address is that of its server, unless it has come back elsewhere since; the directory stays.
        is_ours = _is_at(self.server, env.get("JUPYTER_SERVER_URL", ""))
        is_root = self.root == env.get("JUPYTER_SERVER_ROOT")
        root, here = os.path.realpath(self.root), _here()
        depth = len(root) if here == root or here.startswith(root.rstrip(os.sep) + os.sep) else 0
        return is_ours, is_root, depth, self.since


def _running() -> Iterator[_Running]:
    # Not at the top: a tenth of a short command's time.
    from jupyter_core.paths import jupyter_runtime_dir  # noqa: PLC0415

    for path in glob.glob(os.path.join(glob.escape(jupyter_runtime_dir()), "jpserver-*.json")):
        try:
            with open(path, encoding="utf-8") as file:
                record = json.load(file)
            pid, sock, url = int(record["pid"]), str(record.get("sock") or ""), str(record["url"])
            # A server with a password has left us a token of ours; one behind a hub knows none but the hub's.
            token = str(record.get("token") or LocalToken(os.path.dirname(path), pid).read())
            token = token or os.environ.get("JUPYTERHUB_API_TOKEN", "")
            server = replace(Server.parse(url, token), sock=sock)
            since = os.stat(path).st_mtime
        except (OSError, ValueError, KeyError, TypeError):
            continue  # it has just ended, or another program's file
        if _is_alive(pid):
            yield _Running(server, pid, str(record.get("root_dir", "")), since)


def _hub(env: Mapping[str, str]) -> list[Server]:
    """Give the server that JupyterHub's variables tell of, if they do."""
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
        return ""  # somebody has removed it under us


def _is_alive(pid: int) -> bool:
    if os.name == "nt":
        return True  # there `os.kill` would end it; whether it answers will be seen
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return pid > 0
