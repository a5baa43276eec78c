"""Makes the database of tests/data/0.1: `python -m tests.data.make`.

Until 0.1 is released its schema may change, and the database is made anew with it; from then on the
file stays as it is, and this script makes that of the next release.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from cronpilot.engine.engine import Engine, EngineConfig
from cronpilot.storage.migrate import prepare

HERE = Path(__file__).parent / "0.1"
THEN = "/srv/cronpilot/tasks.yaml"  # where its tasks file was


async def live(folder: Path) -> None:
    """A short life: a task by hand, runs that ended well and badly, an edit, a deletion."""
    tasks_file = folder / "tasks.yaml"
    tasks_file.write_text((HERE / "tasks.yaml").read_text())
    prepare(folder / "cronpilot.db")
    engine = Engine(
        EngineConfig(
            state_dir=folder, database=folder / "cronpilot.db", tasks_file=tasks_file,
            timezone="UTC", pools={"db": 1}, watch=False,
        )
    )  # fmt: skip
    await engine.start()
    await engine.create_task({"name": "by hand", "command": "exit 3", "schedule": "every 1d"})
    for name in ("manual", "by hand"):
        task = await engine.find_task(name)
        run = await engine.run_now(task.id, request_id=os.urandom(8).hex())
        while not (await engine.run(run.id)).status.is_final:
            await asyncio.sleep(0.05)
    await engine.change_task((await engine.find_task("edited")).id, {"timeout": "5m"})
    await engine.delete_task((await engine.find_task("deleted")).id)
    await engine.pause_task((await engine.find_task("weekly")).id)
    await engine.shutdown()
    await engine.stop()


def main() -> None:
    """Live that life in a temporary directory and keep its database, without that directory."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(live(Path(folder)))
        target = HERE / "cronpilot.db"
        target.unlink(missing_ok=True)
        with closing(sqlite3.connect(Path(folder) / "cronpilot.db")) as database:
            database.execute("UPDATE task SET entry_file = ? WHERE entry_file IS NOT NULL", (THEN,))
            database.execute("UPDATE setting SET value = ? WHERE key = 'tasks_file'", (THEN,))
            database.commit()
            database.execute("VACUUM INTO ?", (str(target),))
        print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
