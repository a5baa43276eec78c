"""A database is brought to today's schema, or refused in words."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from cronpilot.errors import StorageProblem
from cronpilot.storage import migrate, ready_made
from cronpilot.storage.migrate import HEAD, KNOWN, prepare, version_of
from cronpilot.storage.tables import Task
from tests.data.schema import migrated


def test_a_new_database_is_for_its_owner_alone_and_has_todays_schema(tmp_path: Path):
    path = tmp_path / "new.db"

    assert prepare(path) is None

    assert path.stat().st_mode & 0o777 == 0o600
    assert sqlite3.connect(path).execute("SELECT version_num FROM alembic_version").fetchone() == (
        HEAD,
    )
    assert KNOWN[-1] == HEAD


def test_the_script_of_a_new_database_is_what_the_migrations_make(tmp_path: Path):
    said = ready_made.script_of(migrated(tmp_path))

    assert ready_made.SCRIPT.read_text() == said, "make it anew: python -m tests.data.schema"


def test_the_script_of_other_migrations_is_not_used(tmp_path: Path, monkeypatch):
    script = tmp_path / "newest.sql"
    script.write_text("-- another\nCREATE TABLE nonsense (id);\n")
    monkeypatch.setattr(ready_made, "SCRIPT", script)
    path = tmp_path / "new.db"

    prepare(path)

    assert version_of(path) == HEAD


@pytest.mark.filterwarnings("ignore:autogenerate skipping")
def test_the_migrations_make_the_tables_that_the_models_describe(path: Path):
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Task.metadata)
    engine.dispose()

    # Alembic cannot compare an index over an expression (priority DESC): see the next test.
    assert [d for d in differences if getattr(d[1], "name", "") != "run_queue"] == []


def test_every_index_and_check_of_the_models_is_in_the_file(path: Path):
    fresh = sqlite3.connect(path)
    names = {row[0] for row in fresh.execute("SELECT name FROM sqlite_master WHERE type='index'")}
    sql = " ".join(row[0] for row in fresh.execute("SELECT sql FROM sqlite_master WHERE sql > ''"))
    for table in Task.metadata.tables.values():
        assert {str(index.name) for index in table.indexes} <= names
        for constraint in table.constraints:
            if constraint.name:
                assert str(constraint.name) in sql


def test_preparing_again_changes_nothing(path: Path):
    before = path.read_bytes()

    assert prepare(path) is None

    assert path.read_bytes() == before


def test_a_migration_tells_before_it_takes_long(path: Path, monkeypatch: pytest.MonkeyPatch):
    """The next schema is made up, and its migration does nothing."""
    monkeypatch.setattr(migrate, "HEAD", "9998")
    monkeypatch.setattr(migrate, "migrate", lambda path: None)
    told: list[str] = []

    note = prepare(path, say=told.append)

    assert told == ["Migrating the database (0 MB), with a copy first ..."]
    assert note == f"The database was migrated to schema 9998; copy: {path}.schema-{HEAD}"


def test_a_newer_schema_is_refused(path: Path):
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()

    with pytest.raises(StorageProblem, match="newer CronPilot"):
        prepare(path)


def test_another_programs_database_is_left_alone(tmp_path: Path):
    path = tmp_path / "theirs.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()

    with pytest.raises(StorageProblem, match="another program"):
        prepare(path)


def test_a_damaged_file_is_refused_and_kept(tmp_path: Path):
    path = tmp_path / "broken.db"
    path.write_bytes(b"no database at all" * 100)

    with pytest.raises(StorageProblem, match="not a database"):
        prepare(path)
    assert path.read_bytes() == b"no database at all" * 100
