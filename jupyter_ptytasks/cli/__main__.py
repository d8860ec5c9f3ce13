"""`python -m jupyter_ptytasks.cli`: the same as `jupyter ptytasks`."""

from __future__ import annotations

from . import main

main()
