"""The example server of the README's pictures can still be made."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_example_server_gets_its_history(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "screenshots")
    import make
    import past
    import shop

    settings = make.prepare(tmp_path)
    past.write(settings, tmp_path / "shop", datetime.now(UTC), span=timedelta(hours=6))

    with sqlite3.connect(settings.database) as connection:
        named = {name for (name,) in connection.execute("SELECT name FROM task")}
        verdicts = {word for (word,) in connection.execute("SELECT status FROM run")}
        detail = connection.execute("SELECT detail FROM incident WHERE closed_at IS NULL")
        assert ("failed with exit code 65",) in detail.fetchall()
    connection.close()
    assert named - {"start-sale"} == set(shop.PLAYS)
    assert {"success", "failed", "missed"} <= verdicts
