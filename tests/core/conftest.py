"""What the tests of the core share: the oracle, and a hypothesis profile that finds the same cases every time."""

from __future__ import annotations

import os
import sys

from hypothesis import HealthCheck, settings

# Tests are found one by one, without a package around them: the oracle is imported from the root of the project.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.oracle.client import xterm

__all__ = ["xterm"]

settings.register_profile(
    "oracle",
    derandomize=True,
    deadline=None,
    max_examples=int(os.environ.get("PTYTASKS_EXAMPLES", "150")),
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
settings.register_profile("oracle-random", settings.get_profile("oracle"), derandomize=False)
settings.load_profile(os.environ.get("PTYTASKS_PROFILE", "oracle"))
