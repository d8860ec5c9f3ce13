"""Shared by the tests of the core: the oracle."""

from __future__ import annotations

import os
import sys

# Tests are found one by one, without a package around them: the oracle is imported from the root of the project.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.oracle.client import xterm

__all__ = ["xterm"]
