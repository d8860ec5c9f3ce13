"""Handles requests about jobs, one line of JSON each, until its input ends.

The environment of a provider's programs becomes that of the jobs, and may be visible to others. So this is a separate
process with a small environment, not the server.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from .provider import Provider, Refused


def main() -> None:
    """Handle requests from standard input. The first one names the provider."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # output of a provider must not be taken for a response
    os.umask(0o077)
    provider: Provider | None = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if provider is None:
                provider = Provider(**asked)
                answer: dict[str, Any] = {"limit": provider.limit}
            else:
                answer = getattr(provider, asked.pop("do"))(**asked)
        except Refused as error:
            answer = {"error": str(error)}
        except Exception as error:  # noqa: BLE001  a provider may raise anything
            answer = {"error": f"{type(error).__name__}: {error}", "unknown": True}
        answers.write(json.dumps(answer) + "\n")
    os._exit(0)  # skip Parsl's exit handlers: the process that has closed the input waits for the exit


main()
