"""How long a test waits for what has to happen: only a broken one waits that long.

Not less anywhere: a machine on which others work, too, is ten times slower than a quiet one.
"""

from __future__ import annotations

PATIENCE_S = 60.0
