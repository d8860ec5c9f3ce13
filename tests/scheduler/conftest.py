"""The servers of tests/server."""

from __future__ import annotations

import os
import sys

# As in tests/client.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.server.conftest import start_server

__all__ = ["start_server"]
