"""The second schema: users, their sessions, messages and incidents, quiet times."""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "user",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("password_set_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('viewer', 'operator', 'admin')", name="user_role_known"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "session",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    _rules_of_telling()
    _quiet_times()
    _words_without_lists()
    _incidents_and_messages()


def _rules_of_telling() -> None:
    """`notify` held a word and now holds JSON. SQLite cannot change a CHECK; its manual names this
    way (lang_altertable, section 7) where nothing about the stored rows changes."""
    op.execute("PRAGMA writable_schema=ON")
    op.execute(
        "UPDATE sqlite_master SET sql = replace(sql,"
        " 'notify IN (''failure'', ''success'', ''always'', ''never'')', 'json_valid(notify)')"
        " WHERE type = 'table' AND name = 'task'"
    )
    op.execute("PRAGMA writable_schema=RESET")
    op.execute("UPDATE task SET notify = json_quote(notify) WHERE NOT json_valid(notify)")
    op.add_column(
        "task", sa.Column("alarms", sa.JSON(), nullable=False, server_default=sa.text("'\"auto\"'"))
    )
    op.create_index(
        "task_silent", "task", ["id"], sqlite_where=sa.text("instr(alarms, 'silent') > 0")
    )


def _quiet_times() -> None:
    op.add_column(
        "task", sa.Column("quiet", sa.JSON(), nullable=False, server_default=sa.text("'[]'"))
    )
    op.add_column(
        "task", sa.Column("quiet_key", sa.String(), nullable=False, server_default=sa.text("''"))
    )
    op.add_column(
        "task",
        sa.Column("run_after_pause", sa.Boolean(), nullable=False, server_default=sa.text("0")),
    )
    op.execute("PRAGMA writable_schema=ON")
    op.execute(
        "UPDATE sqlite_master SET sql = replace(sql, '''restored'')',"
        " '''restored'', ''quiet'', ''archived'')') WHERE type = 'table' AND name = 'run'"
    )
    op.execute("PRAGMA writable_schema=RESET")


def _words_without_lists() -> None:
    """SQLite makes a table of the words of an IN each time that a row is written: half of what it
    cost to record a run. The same conditions, written with OR."""
    connection = op.get_bind()
    op.execute("PRAGMA writable_schema=ON")
    (table,) = connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE name = 'run'")).one()
    connection.execute(
        sa.text("UPDATE sqlite_master SET sql = :sql WHERE name = 'run' AND type = 'table'"),
        {"sql": re.sub(r'("?[a-z]+"?) IN \(([^)]+)\)', _with_or, table)},
    )
    op.execute("PRAGMA writable_schema=RESET")
    op.drop_index("run_open", "run")
    op.create_index(
        "run_open",
        "run",
        ["task_id", "id"],
        unique=False,
        sqlite_where=sa.text(_OPEN.format("status")),
    )


def _with_or(match: re.Match[str]) -> str:
    column, words = match.groups()
    return "(" + " OR ".join(f"{column} = {word.strip()}" for word in words.split(",")) + ")"


_OPEN = "({0} = 'queued' OR {0} = 'starting' OR {0} = 'running' OR {0} = 'retrying')"


def _incidents_and_messages() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("first_run_id", sa.Integer(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=False),
        sa.Column("snoozed_until", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "fault IN ('failure', 'late', 'long', 'skipped', 'silent')",
            name="incident_fault_known",
        ),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "incident_standing", "incident", ["task_id", "fault"], unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
    )  # fmt: skip
    op.create_index("incident_task", "incident", ["task_id", "id"])
    op.create_index("incident_closed", "incident", ["closed_at", "id"])
    op.create_table(
        "incident_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("incident_event_of", "incident_event", ["incident_id", "id"])
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("alike", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("incident_id", sa.Integer(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "status IN ('waiting', 'sending', 'sent', 'gave_up')", name="outbox_status_known"
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "outbox_due", "outbox", ["due_at"],
        sqlite_where=sa.text("status IN ('waiting', 'sending')"),
    )  # fmt: skip
    op.create_index("outbox_status", "outbox", ["status", "id"])
    op.create_table(
        "news",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("news_task", "news", ["task_id"])
    for when, old in (("INSERT ON run", "'queued'"), ("UPDATE OF status ON run", "OLD.status")):
        name = when.split()[0].lower()
        op.execute(
            f"CREATE TRIGGER news_of_end_{name} AFTER {when}"
            f" WHEN NOT {_OPEN.format('NEW.status')} AND {_OPEN.format(old)} AND {_WANTED}"
            " BEGIN INSERT INTO news (task_id, run_id, what)"
            " VALUES (NEW.task_id, NEW.id, 'end'); END"
        )
    # A short run goes from starting to its end in one step. BEFORE: its start stands before its end.
    op.execute(
        "CREATE TRIGGER news_of_start BEFORE UPDATE OF status ON run"
        " WHEN OLD.started_at IS NULL AND NEW.started_at IS NOT NULL"
        " AND NEW.\"trigger\" <> 'test' AND (SELECT instr(notify, '\"ping\"') FROM task"
        " WHERE id = NEW.task_id) + EXISTS (SELECT 1 FROM setting WHERE key = 'ping_all') > 0"
        " BEGIN INSERT INTO news (task_id, run_id, what)"
        " VALUES (NEW.task_id, NEW.id, 'start'); END"
    )


# A good end is of interest only where something was wrong, or somebody wants to hear of it. What
# is cheap to look at comes first.
_WANTED = """\
NEW."trigger" <> 'test' AND (
    NEW.status = 'failed' OR NEW.status = 'timeout' OR NEW.status = 'error'
    OR NEW.status = 'lost' OR NEW.status = 'skipped' OR NEW.status = 'missed'
    OR NEW.reason = 'replaced'
    OR (SELECT notify NOT IN ('"failure"', '"never"') FROM task WHERE id = NEW.task_id)
    OR EXISTS (SELECT 1 FROM incident WHERE task_id = NEW.task_id AND closed_at IS NULL)
    OR EXISTS (SELECT 1 FROM news WHERE task_id = NEW.task_id)
    OR EXISTS (SELECT 1 FROM setting WHERE key = 'ping_all')
)"""
