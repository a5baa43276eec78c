"""The second schema: users, messages and incidents, quiet times."""

from __future__ import annotations

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    pass
