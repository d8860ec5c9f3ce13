"""The configuration of the hub: the simplest authenticator and spawner, on one machine and with one account."""

from __future__ import annotations

import os
import sys

from traitlets.config import get_config

#: Where it all lives; the rest is chosen by hub.py, which starts the hub.
HOME = os.getcwd()

c = get_config()

c.JupyterHub.bind_url = f"http://127.0.0.1:{os.environ['HUB_TEST_PORT']}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{os.environ['HUB_TEST_HUB_PORT']}"
c.JupyterHub.db_url = f"sqlite:///{HOME}/hub.sqlite"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ['HUB_TEST_PROXY_PORT']}"
c.ConfigurableHTTPProxy.command = [os.environ["HUB_TEST_PROXY"]]

c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = f"{HOME}/users/{{username}}"
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root", "--ServerApp.jpserver_extensions=jupyter_ptytasks=True"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 120

# Activity is told every second and believed at once, so that a culler need not wait for minutes.
c.Spawner.environment = {"JUPYTERHUB_ACTIVITY_INTERVAL": "1"}
c.JupyterHub.activity_resolution = 0

# The tests themselves, and the culler that some of them start (with the scopes that its README asks for).
c.JupyterHub.services = [
    {"name": "tests", "api_token": os.environ["HUB_TEST_TOKEN"]},
    {"name": "culler", "api_token": os.environ["HUB_TEST_CULLER_TOKEN"]},
]
c.JupyterHub.load_roles = [
    {
        "name": "tests",
        "scopes": ["admin:users", "admin:servers", "admin:server_state", "tokens"],
        "services": ["tests"],
    },
    {
        "name": "culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["culler"],
    },
]
