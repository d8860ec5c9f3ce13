"""Answers questions about jobs, one line of JSON after the other, until its input ends.

The environment of a provider's programs becomes that of the jobs, and may be shown to others. So this is a process with
a small one, and not the server.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from .provider import Provider, Refused


def main() -> None:
    """Answer what comes from standard input. The first question says which provider it is about."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a provider prints is no answer
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
    os._exit(0)  # without what Parsl does at an exit: whoever has closed the input waits for it


main()
