"""The server and the client of tests/client."""

from __future__ import annotations

import os
import sys

# As in tests/client.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.client.conftest import client, live

__all__ = ["client", "live"]
