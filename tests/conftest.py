"""What all tests share: pytest-jupyter's real server in directories of its own."""

from __future__ import annotations

pytest_plugins = ["pytest_jupyter.jupyter_server", "jupyter_events.pytest_plugin"]
