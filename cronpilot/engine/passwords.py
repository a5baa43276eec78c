"""Passwords as argon2id, 19 MB each: what OWASP asks for at least, and what a small machine has."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import secrets
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from cronpilot.errors import ConfigError

if TYPE_CHECKING:
    from pwdlib import PasswordHash

T = TypeVar("T")

SHORTEST, LONGEST = 8, 1024  # characters
_M_MMAP_THRESHOLD = -3  # malloc.h
_AT_ONCE = 2  # each takes 19 MB and a core for some 30 ms


@cache
def _hasher() -> PasswordHash:
    # Here, because an engine that nobody logs in to needs none of it.
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    _give_memory_back()
    return PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))


def _give_memory_back() -> None:
    """Let what a hash took go back to the machine: glibc would keep the 19 MB after the second."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 4 << 20)


@cache
def _of_nobody() -> str:
    """What the password of an unknown user is held against, so that it takes as long."""
    return _hasher().hash(secrets.token_urlsafe(24))


def refuse_bad(password: str) -> None:
    """Raises ConfigError for a password that is too short, too long or cannot be typed."""
    problem = ""
    if len(password) < SHORTEST:
        problem = f"A password has at least {SHORTEST} characters."
    elif len(password) > LONGEST:
        problem = f"A password has at most {LONGEST} characters."
    elif not password.isprintable():
        problem = "A password has no control characters in it."
    if problem:
        error = ConfigError(problem, "Choose another one.")
        error.field = "password"
        raise error


def random_password() -> str:
    """One that nobody guesses: 24 characters."""
    return secrets.token_urlsafe(18)


class Passwords:
    """Hashes and verifies on threads, a few at a time."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        refuse_bad(password)
        return await self._work(lambda: _hasher().hash(_normal(password)))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether they belong together; None takes as long and is False."""
        return await self._work(lambda: _verified(password, password_hash))

    async def _work(self, work: Callable[[], T]) -> T:
        async with self._slots:
            return await asyncio.to_thread(work)


def _verified(password: str, password_hash: str | None) -> bool:
    right = _hasher().verify(_normal(password), password_hash or _of_nobody())
    return right and password_hash is not None


def _normal(password: str) -> str:
    """One form of what two keyboards may send in two."""
    return unicodedata.normalize("NFC", password)
