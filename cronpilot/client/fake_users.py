"""Users, pools and the audit of a fake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cronpilot.client.actor import WHO, actor
from cronpilot.client.users import AuditEntry, AuditQuery, Me, PoolView, UserView
from cronpilot.domain.access import Role
from cronpilot.domain.run import HOLDS_SLOT, Status
from cronpilot.errors import Conflict, NotFound, Refused


class FakeUsers:
    """The users of a fake, each with the password it was given; what is done to them is audited."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._users: dict[str, UserView] = {}
        self._entries: list[AuditEntry] = []
        self.asker: Me | None = None  # who asks; None: the owner

    async def me(self) -> Me:
        return self.asker or Me(name=WHO.get(), role=Role.ADMIN)

    async def users(self) -> list[UserView]:
        return sorted(self._users.values(), key=lambda user: user.name)

    async def add_user(self, name: str, *, role: Role, password: str) -> UserView:
        if name in self._users:
            raise Conflict(f"There is a user {name} already.", "Choose another name.")
        now = self._clock()
        self._users[name] = UserView(name=name, role=role, created_at=now, password_set_at=now)
        self._note("user add", f"{name}, {role}")
        return self._users[name]

    async def change_user(
        self, name: str, *, role: Role | None = None, password: str | None = None
    ) -> UserView:
        changes: dict[str, Any] = {}
        if role is not None:
            changes["role"] = role
        if password is not None:
            changes["password_set_at"] = self._clock()
        self._users[name] = self._user(name).model_copy(update=changes)
        self._note("user change", name)
        return self._users[name]

    async def remove_user(self, name: str) -> UserView:
        gone = self._user(name)
        admins = [user.name for user in self._users.values() if user.role is Role.ADMIN]
        if admins == [name]:
            raise Refused(f"{name} is the only admin.", "Make somebody else an admin first.")
        del self._users[name]
        self._note("user remove", name)
        return gone

    async def audit(self, query: AuditQuery) -> list[AuditEntry]:
        found = [
            entry
            for entry in reversed(self._entries)
            if (query.before is None or entry.id < query.before)
            and (query.actor is None or entry.actor == query.actor)
            and (query.action is None or entry.action == query.action)
        ]
        return found[: query.limit]

    def _user(self, name: str) -> UserView:
        if name not in self._users:
            raise NotFound("user", name)
        return self._users[name]

    def _note(self, action: str, detail: str) -> None:
        number = len(self._entries) + 1
        entry = {"id": number, "at": self._clock(), "actor": actor(), "action": action}
        self._entries.append(AuditEntry(**entry, detail=detail))


def pool_views(
    runs: Mapping[int, Any], max_workers: int, pools: Mapping[str, int]
) -> list[PoolView]:
    """All worker slots as the pool without a name, then the pools by name."""

    def count(name: str | None, slots: int) -> PoolView:
        here = [run for run in runs.values() if name is None or run.pool == name]
        return PoolView(
            name=name or "", slots=slots,
            busy=sum(run.status in HOLDS_SLOT for run in here),
            waiting=sum(run.status is Status.QUEUED for run in here),
        )  # fmt: skip

    return [count(None, max_workers), *(count(name, n) for name, n in sorted(pools.items()))]
