"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_at", "audit", ["at"], unique=False)
    op.create_table(
        "setting",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "task",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("shell", sa.String(), nullable=False),
        sa.Column("working_dir", sa.String(), nullable=True),
        sa.Column("command", sa.JSON(), nullable=False),
        sa.Column("env", sa.JSON(), nullable=False),
        sa.Column("env_file", sa.String(), nullable=True),
        sa.Column("user", sa.String(), nullable=True),
        sa.Column("schedule", sa.JSON(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("overlap", sa.String(), nullable=False),
        sa.Column("missed", sa.String(), nullable=False),
        sa.Column("missed_limit", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=True),
        sa.Column("spread", sa.BigInteger(), nullable=False),
        sa.Column("timeout", sa.BigInteger(), nullable=True),
        sa.Column("stop_grace", sa.BigInteger(), nullable=False),
        sa.Column("max_retries", sa.Integer(), nullable=False),
        sa.Column("retry_delay", sa.BigInteger(), nullable=False),
        sa.Column("retry_backoff", sa.Float(), nullable=False),
        sa.Column("retry_max_delay", sa.BigInteger(), nullable=True),
        sa.Column("success_codes", sa.JSON(), nullable=False),
        sa.Column("on_lost", sa.String(), nullable=False),
        sa.Column("pool", sa.String(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("notify", sa.String(), nullable=False),
        sa.Column("log_limit", sa.Integer(), nullable=False),
        sa.Column("keep", sa.Integer(), nullable=True),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("next_run_at", sa.BigInteger(), nullable=True),
        sa.Column("resolved", sa.String(), nullable=False),
        sa.Column("zone_key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("entry_file", sa.String(), nullable=True),
        sa.Column("entry_name", sa.String(), nullable=True),
        sa.Column("entry_hash", sa.String(), nullable=True),
        sa.Column("spec_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.Column("paused_until", sa.BigInteger(), nullable=True),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("tombstone", sa.Boolean(), nullable=False),
        sa.Column("last_run_id", sa.Integer(), nullable=True),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("successes", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("last_verdicts", sa.JSON(), nullable=False),
        sa.CheckConstraint("missed IN ('skip', 'once', 'all')", name="task_missed_known"),
        sa.CheckConstraint(
            "notify IN ('failure', 'success', 'always', 'never')", name="task_notify_known"
        ),
        sa.CheckConstraint("on_lost IN ('mark', 'rerun')", name="task_on_lost_known"),
        sa.CheckConstraint("origin IN ('file', 'screen', 'api')", name="task_origin_known"),
        sa.CheckConstraint(
            "overlap IN ('skip', 'queue', 'replace', 'allow')", name="task_overlap_known"
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "task_due",
        "task",
        ["next_run_at"],
        unique=False,
        sqlite_where=sa.text(
            "next_run_at IS NOT NULL AND paused_at IS NULL AND archived_at IS NULL"
        ),
    )
    op.create_index(
        "task_pause_end",
        "task",
        ["paused_until"],
        unique=False,
        sqlite_where=sa.text("paused_until IS NOT NULL"),
    )
    op.create_index(
        "task_name", "task", ["name"], unique=True, sqlite_where=sa.text("archived_at IS NULL")
    )
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["task.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("revision_task", "revision", ["task_id", "id"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("task_version", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("scheduled_for", sa.BigInteger(), nullable=True),
        sa.Column("folded_until", sa.BigInteger(), nullable=True),
        sa.Column("folded_count", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("pool", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("launches", sa.Integer(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("retry_at", sa.BigInteger(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("signal", sa.Integer(), nullable=True),
        sa.Column("cpu_ms", sa.Integer(), nullable=True),
        sa.Column("max_rss", sa.Integer(), nullable=True),
        sa.Column("log_size", sa.Integer(), nullable=True),
        sa.Column("log_removed", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("beside", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=True),
        sa.Column("environment", sa.JSON(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('already_running', 'queue_full', 'deadline', 'down', 'paused', 'replaced', 'user', 'setup', 'host_restart', 'engine_restart', 'log_limit', 'restored')",
            name="run_reason_known",
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'starting', 'running', 'retrying', 'success', 'failed', 'timeout', 'stopped', 'skipped', 'missed', 'lost', 'error')",
            name="run_status_known",
        ),
        sa.CheckConstraint(
            "\"trigger\" IN ('schedule', 'manual', 'catch_up', 'test')", name="run_trigger_known"
        ),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["task.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("request_id", name="run_request"),
        sa.UniqueConstraint("task_id", "scheduled_for", name="run_slot"),
        sqlite_autoincrement=True,
    )
    op.create_index("run_finished", "run", ["finished_at", "id"], unique=False)
    op.create_index(
        "run_open",
        "run",
        ["task_id", "id"],
        unique=False,
        sqlite_where=sa.text("status IN ('queued', 'starting', 'running', 'retrying')"),
    )
    op.create_index("run_status", "run", ["status", "id"], unique=False)
    op.create_index("run_task", "run", ["task_id", "id"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("launch", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("boot_id", sa.String(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("signal", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["run.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id", "launch", name="attempt_launch"),
    )
    op.create_index(
        "run_queue", "run", [sa.text("priority DESC"), "id"],
        sqlite_where=sa.text("status = 'queued'"),
    )  # fmt: skip
