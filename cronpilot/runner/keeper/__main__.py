"""Entry: `python -I -S -B -X utf8 .../runner/keeper STATE_DIR`.

Run as a folder, so that neither site-packages nor the rest of cronpilot is ever imported: start-up
takes 30 ms, and an upgrade of either cannot break a keeper that holds tasks.
"""

from __future__ import annotations

import importlib
import os
import sys

if __name__ == "__main__":
    # As the package `keeper`, found last: nothing beside it can shadow the standard library.
    sys.path.append(os.path.dirname(sys.path.pop(0)))
    importlib.import_module("keeper.process").main(sys.argv[1:])
