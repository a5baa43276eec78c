"""Users, pools and the audit over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from cronpilot.client.http_connection import HttpConnection, given

if TYPE_CHECKING:
    from cronpilot.client.users import AuditEntry, AuditQuery, Me, PoolView, UserView
    from cronpilot.domain.access import Role


class HttpUsers(HttpConnection):
    """The part of `HttpClient` that asks for people. Most commands need none of its messages."""

    async def me(self) -> Me:
        from cronpilot.client.users import Me

        return await self._read(Me, "/api/me")

    async def users(self) -> list[UserView]:
        from cronpilot.client.users import UserView

        rows, _ = await self._rows(UserView, "/api/users/", {})
        return rows

    async def add_user(self, name: str, *, role: Role, password: str) -> UserView:
        from cronpilot.client.users import UserView

        body = {"name": name, "role": role, "password": password}
        return await self._change(UserView, "/api/users/", body)

    async def change_user(
        self, name: str, *, role: Role | None = None, password: str | None = None
    ) -> UserView:
        from cronpilot.client.users import UserView

        body = {"role": role, "password": password}
        return await self._change(UserView, f"/api/users/{_word(name)}", body, method="PATCH")

    async def remove_user(self, name: str) -> UserView:
        from cronpilot.client.users import UserView

        return await self._change(UserView, f"/api/users/{_word(name)}", method="DELETE")

    async def audit(self, query: AuditQuery) -> list[AuditEntry]:
        from cronpilot.client.users import AuditEntry

        rows, _ = await self._rows(AuditEntry, "/api/audit", given(query))
        return rows

    async def pool_slots(self) -> list[PoolView]:
        from cronpilot.client.users import PoolView

        rows, _ = await self._rows(PoolView, "/api/pools", {})
        return rows


def _word(name: str) -> str:
    """A name as one word of a path, whatever is in it: a lone dot would be taken out of it."""
    return quote(name, safe="").replace(".", "%2E") or "%20"
