"""Makes the script of today's schema anew, when a migration has changed.

python -m tests.data.schema
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from cronpilot.storage import ready_made
from cronpilot.storage.migrate import migrate


def migrated(folder: Path) -> Path:
    """A new database that the migrations have made."""
    path = folder / "migrated.db"
    path.touch()
    migrate(path)
    return path


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ready_made.SCRIPT.write_text(ready_made.script_of(migrated(Path(folder))))
    print(ready_made.SCRIPT)


if __name__ == "__main__":
    main()
