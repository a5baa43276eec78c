"""Users: who may come in over the network, and as what. One engine, so memory knows them all."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cronpilot.client.actor import actor
from cronpilot.client.users import UserView
from cronpilot.domain.access import Role
from cronpilot.engine.following import Write
from cronpilot.engine.passwords import Passwords, random_password
from cronpilot.engine.sessions import KeptSessions
from cronpilot.errors import ConfigError, Conflict, NotFound, Refused
from cronpilot.storage import meta, sessions, users
from cronpilot.storage.database import Connection

FIRST_ADMIN = "admin"
PASSWORD_FILE = "admin-password"
Read = Callable[[Callable[[Connection], Any]], Awaitable[Any]]
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._@-]{0,63}")


class Accounts:
    """The users, and whether a password is theirs. `changed` is told a name whose log-ins end."""

    def __init__(self, *, read: Read, write: Write, now: Callable[[], datetime]) -> None:
        self._read, self._write, self._now = read, write, now
        self.sessions = KeptSessions(read=read, write=write)
        self._passwords = Passwords()
        self._hashes: dict[str, str] = {}
        self._users: dict[str, UserView] = {}
        self._watchers: list[Callable[[str, bool], None]] = []
        self._password_file: Path | None = None

    def watch(self, changed: Callable[[str, bool], None]) -> None:
        """Be told the name of everyone who is changed, and whether what was logged in stays so: by
        a new role it does, by a new password or a removal it does not."""
        self._watchers.append(changed)

    def role_of(self, name: str) -> Role | None:
        """None: there is no such user."""
        user = self._users.get(name)
        return None if user is None else user.role

    async def check(self, name: str, password: str) -> bool:
        """Whether that is the password of that user; takes as long for unknown ones."""
        return await self._passwords.verify(password, self._hashes.get(name))

    async def note(self, actor: str, action: str, detail: str = "") -> None:
        """A line of the audit about a log-in."""
        now = self._now()
        await self._write(lambda c: meta.note(c, at=now, actor=actor, action=action, detail=detail))

    # --- what an admin asks for ------------------------------------------------------------------

    async def users(self) -> list[UserView]:
        return list(self._users.values())

    async def add_user(self, name: str, *, role: Role, password: str) -> UserView:
        _refuse_bad_name(name)
        password_hash = await self._passwords.hash(password)

        def add(connection: Connection, now: datetime) -> None:
            if any(row["name"] == name for row in users.every(connection)):
                raise Conflict(f"There is a user {name} already.", "Choose another name.")
            users.add(connection, name, role, password_hash, now)

        await self._change(add, "user add", f"{name}, {role}")
        return self._users[name]

    async def change_user(
        self, name: str, *, role: Role | None = None, password: str | None = None
    ) -> UserView:
        self._known(name)
        password_hash = None if password is None else await self._passwords.hash(password)

        def change(connection: Connection, now: datetime) -> None:
            if role is not None:
                if role is not Role.ADMIN:
                    _refuse_last_admin(connection, name)
                _found(users.set_role(connection, name, role), name)
            if password_hash is not None:
                _found(users.set_password(connection, name, password_hash, now), name)
                sessions.remove_of(connection, name)

        what = [*([f"role {role}"] if role else []), *(["password"] if password else [])]
        await self._change(change, "user change", f"{name}: {', '.join(what) or 'nothing'}")
        if password_hash is not None:
            self._forget_first_password(name)
        self._tell(name, password_hash is None)
        return self._users[name]

    async def remove_user(self, name: str) -> UserView:
        gone = self._known(name)

        def remove(connection: Connection, now: datetime) -> None:
            _refuse_last_admin(connection, name)
            _found(users.remove(connection, name), name)
            sessions.remove_of(connection, name)

        await self._change(remove, "user remove", name)
        self._tell(name, False)
        return gone

    # --- life ------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Read all of them; done before anybody is let in."""
        await self.sessions.load()
        self._take(await self._read(users.every))

    async def open(self, password_file: Path, admin_password: str | None) -> str | None:
        """See to it that an admin can log in: by the password given, else by one in a new file.

        Returns a sentence for whoever started the engine, or None.
        """
        self._password_file = password_file
        await self.load()
        if admin_password is not None:
            await self._set_admin(admin_password)
            return None
        if self._users:
            return None
        password = random_password()
        await asyncio.to_thread(_write_secret, password_file, password)
        await self.add_user(FIRST_ADMIN, role=Role.ADMIN, password=password)
        return f"User {FIRST_ADMIN} was made; the password is in {password_file}."

    async def _set_admin(self, password: str) -> None:
        if FIRST_ADMIN not in self._users:
            await self.add_user(FIRST_ADMIN, role=Role.ADMIN, password=password)
        elif not await self.check(FIRST_ADMIN, password):
            await self.change_user(FIRST_ADMIN, password=password)

    async def _change(
        self, change: Callable[[Connection, datetime], None], action: str, detail: str
    ) -> None:
        now = self._now()

        def write(connection: Connection) -> Sequence[Mapping[Any, Any]]:
            change(connection, now)
            meta.note(connection, at=now, actor=actor(), action=action, detail=detail)
            return users.every(connection)

        self._take(await self._write(write))

    def _take(self, rows: Sequence[Mapping[Any, Any]]) -> None:
        self._hashes = {row["name"]: row["password_hash"] for row in rows}
        self._users = {user.name: user for user in user_views(rows)}

    def _known(self, name: str) -> UserView:
        if name not in self._users:
            raise NotFound("user", name)
        return self._users[name]

    def _forget_first_password(self, name: str) -> None:
        if name == FIRST_ADMIN and self._password_file is not None:
            self._password_file.unlink(missing_ok=True)

    def _tell(self, name: str, stays: bool) -> None:
        for changed in self._watchers:
            changed(name, stays)


def user_views(rows: Sequence[Mapping[Any, Any]]) -> list[UserView]:
    """Rows of `storage.users.every` as front ends see them: without the hashes."""
    return [UserView.model_validate(dict(row)) for row in rows]


def _found(there: bool, name: str) -> None:
    if not there:
        raise NotFound("user", name)


def _refuse_bad_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        error = ConfigError(
            f"{name!r} cannot be the name of a user.",
            "A letter, then at most 63 letters, digits and any of . _ @ -",
        )
        error.field = "name"
        raise error


def _refuse_last_admin(connection: Connection, name: str) -> None:
    admins = [row["name"] for row in users.every(connection) if row["role"] is Role.ADMIN]
    if admins == [name]:
        raise Refused(f"{name} is the only admin.", "Make somebody else an admin first.")


def _write_secret(path: Path, secret: str) -> None:
    """A file that only its owner can read, whatever was there before."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
