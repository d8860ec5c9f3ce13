"""Read rings ahead: `python -I -S __main__.py DATA_DIR RUNTIME_DIR`.

The first line of its standard input is a JSON array of [directory, rows, columns]. It ends with that input.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # Started by path, isolated from site-packages: import the package, not the modules next to this file.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path = [path for path in sys.path if os.path.abspath(path) != here]
    sys.path.append(os.path.dirname(os.path.dirname(here)))
    from jupyter_ptytasks.readahead.process import main

    main(*sys.argv[1:])
