"""The API as strangers meet it: the app behind its guard, and the users it knows."""

from __future__ import annotations

import base64
from collections.abc import Callable

import httpx
from starlette.types import ASGIApp

from cronpilot.domain.access import Role

PASSWORD = "admin123"


class FakeAccounts:
    """Users whose passwords are kept as they are; `checked` counts the costly looks at one."""

    def __init__(self, **roles: Role) -> None:
        self.roles = roles or {"admin": Role.ADMIN, "olga": Role.OPERATOR, "vera": Role.VIEWER}
        self.passwords = dict.fromkeys(self.roles, PASSWORD)
        self.checked = 0
        self.notes: list[tuple[str, str, str]] = []
        self._watchers: list[Callable[[str, bool], None]] = []

    def role_of(self, name: str) -> Role | None:
        return self.roles.get(name)

    async def check(self, name: str, password: str) -> bool:
        self.checked += 1
        return self.passwords.get(name) == password

    def watch(self, changed: Callable[[str, bool], None]) -> None:
        self._watchers.append(changed)

    async def note(self, actor: str, action: str, detail: str = "") -> None:
        self.notes.append((actor, action, detail))

    def set_password(self, name: str, password: str) -> None:
        self.passwords[name] = password
        for changed in self._watchers:
            changed(name, False)

    def set_role(self, name: str, role: Role) -> None:
        self.roles[name] = role
        for changed in self._watchers:
            changed(name, True)


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def basic(name: str, password: str = PASSWORD) -> dict[str, str]:
    """The header of HTTP basic auth."""
    said = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {said}"}


def asking(app: ASGIApp, *, address: str = "127.0.0.1", **options: object) -> httpx.AsyncClient:
    """Somebody at that address who speaks HTTP with the app, in this process."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 40_000))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:7000", **options)  # type: ignore[arg-type]
