"""`python -m cronpilot`."""

from __future__ import annotations

import sys

from cronpilot.cli import main

if __name__ == "__main__":
    sys.exit(main())
