"""Run the scheduler of a data directory: `python -I -S __main__.py DATA_DIR RUNTIME_DIR`.

It detaches, and exits immediately if another scheduler is running.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # Started by path, isolated from site-packages: import the package, not the modules next to this file.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path = [path for path in sys.path if os.path.abspath(path) != here]
    sys.path.append(os.path.dirname(os.path.dirname(here)))
    from jupyter_ptytasks.core.platform import detach

    detach.leave()
    from jupyter_ptytasks.scheduler.process import main

    main(*sys.argv[1:])
