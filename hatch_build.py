"""Builds the front end for hatchling, or says in one sentence why that cannot be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

#: The versions of Node.js that the front end's bundler runs on; the same are in scripts/frontend.
_NODE = "Node.js 20.19 or 22.12 or later"
_OTHERWISE = "or install a wheel or an sdist, which contain it"


def build(target: str, version: str, **options: Any) -> None:
    """Build the front end into the package; called where it is not built yet, and for every editable installation.

    Exits with a message if it is needed and cannot be built.
    """
    skipped = os.environ.get("HATCH_JUPYTER_BUILDER_SKIP_NPM") == "1"
    if skipped and version != "editable":
        sys.exit(
            f"error: this {target} needs the front end, which is not built, and HATCH_JUPYTER_BUILDER_SKIP_NPM=1 "
            f"forbids to build it: unset that, run scripts/frontend first, {_OTHERWISE}."
        )
    if not skipped and not _has_node():
        sys.exit(f"error: the front end is not built, and building it needs {_NODE}: install that, {_OTHERWISE}.")
    from hatch_jupyter_builder.utils import npm_builder  # noqa: PLC0415  only an environment for builds has it

    npm_builder(target, version, **options)


def _has_node() -> bool:
    """Whether there is a version of Node.js that can build the front end."""
    try:
        told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    found = re.match(r"v(\d+)\.(\d+)", told)
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    return major > 22 or (major, minor) >= (22, 12) or (major == 20 and minor >= 19)
