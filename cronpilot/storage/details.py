"""What is kept of a run and shown of one run alone: its variables, its attempts."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, RowMapping, select, update

from cronpilot.storage.runs import ATTEMPT, RUN


def keep_environment(
    connection: Connection, run_id: int, environment: Mapping[str, str]
) -> None:  # fmt: skip
    """Write down the variables of a claimed run, secrets masked."""
    connection.execute(update(RUN).where(RUN.c.id == run_id).values(environment=environment))


def environment(connection: Connection, run_id: int) -> dict[str, str] | None:
    """The variables that its newest attempt got, secrets masked; None: it had none yet."""
    return connection.execute(
        select(RUN.c.environment).where(RUN.c.id == run_id)
    ).scalar_one_or_none()  # fmt: skip


def what_ran(connection: Connection, run_id: int) -> RowMapping:
    """The version of its task that a run ran, and the definition where it was not the task's."""
    return (
        connection.execute(select(RUN.c.task_version, RUN.c.spec).where(RUN.c.id == run_id))
        .mappings()
        .one()
    )


def attempts(connection: Connection, run_id: int) -> list[RowMapping]:
    """Every launch of a run, oldest first."""
    return list(
        connection.execute(
            select(ATTEMPT).where(ATTEMPT.c.run_id == run_id).order_by(ATTEMPT.c.launch)
        ).mappings()
    )
