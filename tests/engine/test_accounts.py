"""Users of an engine: the first admin, passwords that are kept as hashes, what ends with them."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta

import pytest

from cronpilot.client.users import AuditQuery
from cronpilot.domain.access import Role, Stay
from cronpilot.engine.engine import Engine
from cronpilot.errors import ConfigError

from .conftest import Bench

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
async def engine(bench: Bench):
    async with bench.engine() as running:
        yield running


async def test_the_first_start_makes_an_admin_whose_password_only_the_owner_reads(
    engine: Engine, bench: Bench
) -> None:
    path = bench.state_dir / "admin-password"
    before = os.umask(0)
    try:
        said = await engine.accounts.open(path, None)
    finally:
        os.umask(before)

    assert said == f"User admin was made; the password is in {path}."
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    password = path.read_text().strip()
    assert len(password) >= 20
    assert password not in said
    assert await engine.accounts.check("admin", password)
    assert await engine.accounts.open(path, None) is None  # said once
    assert [user.role for user in await engine.users()] == [Role.ADMIN]

    await engine.change_user("admin", password="one of my own")
    assert not path.exists()


async def test_a_given_password_is_set_at_every_start(bench: Bench) -> None:
    path = bench.state_dir / "admin-password"
    for password in ("admin123", "admin124"):
        async with bench.engine() as engine:
            assert await engine.accounts.open(path, password) is None
            assert await engine.accounts.check("admin", password)
    async with bench.engine() as engine:
        await engine.accounts.open(path, None)
        assert await engine.accounts.check("admin", "admin124")
        assert not await engine.accounts.check("admin", "admin123")
    assert not path.exists()


async def test_a_link_in_place_of_the_password_file_is_not_followed(
    engine: Engine, bench: Bench
) -> None:
    target = bench.state_dir / "elsewhere"
    target.write_text("kept\n")
    path = bench.state_dir / "admin-password"
    path.symlink_to(target)

    await engine.accounts.open(path, None)

    assert target.read_text() == "kept\n"
    assert not path.is_symlink()


async def test_only_hashes_are_kept_and_shown(engine: Engine, bench: Bench) -> None:
    anna = await engine.add_user("anna", role=Role.VIEWER, password="correct horse")

    assert "hash" not in anna.model_dump_json()
    files = [path.read_bytes() for path in bench.state_dir.glob("cronpilot.db*")]
    assert not any(b"correct horse" in data for data in files)
    assert any(b"$argon2id$v=19$m=19456,t=2,p=1$" in data for data in files)
    assert "correct horse" not in str(await engine.audit(AuditQuery()))


async def test_who_hears_of_a_password_that_is_no_more(engine: Engine) -> None:
    ended: list[tuple[str, bool]] = []
    engine.accounts.watch(lambda *told: ended.append(told))
    await engine.add_user("anna", role=Role.ADMIN, password="correct horse")
    await engine.add_user("bob", role=Role.VIEWER, password="correct horse")

    await engine.change_user("bob", role=Role.OPERATOR)
    assert ended == [("bob", True)]
    await engine.change_user("bob", password="battery staple")
    await engine.remove_user("bob")

    assert ended[1:] == [("bob", False), ("bob", False)]
    assert engine.accounts.role_of("bob") is None
    assert not await engine.accounts.check("bob", "battery staple")


async def test_sessions_outlive_the_engine_but_no_password_and_no_user(bench: Bench) -> None:
    async with bench.engine() as engine:
        for name in ("anna", "ben", "carl"):
            await engine.add_user(name, role=Role.ADMIN, password="a password")
            engine.accounts.sessions.keep(Stay(f"hash of {name}", name, NOON, NOON))
        engine.accounts.sessions.keep(Stay("ended", "carl", NOON, NOON))
        engine.accounts.sessions.use("hash of carl", NOON + timedelta(hours=1))
        engine.accounts.sessions.drop(["ended"])
        await engine.change_user("anna", password="another one")
        await engine.remove_user("ben")
    async with bench.engine() as engine:
        await engine.accounts.load()
        found = engine.accounts.sessions.every()

    assert found == [Stay("hash of carl", "carl", NOON, NOON + timedelta(hours=1))]


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("anna", "short", "A password has at least 8 characters."),
        ("anna", "x" * 1025, "A password has at most 1024 characters."),
        ("anna", "tab\tinside", "A password has no control characters in it."),
        ("1000", "correct horse", "'1000' cannot be the name of a user."),
        ("a:b", "correct horse", "'a:b' cannot be the name of a user."),
        ("", "correct horse", "'' cannot be the name of a user."),
    ],
)
async def test_what_cannot_be_a_user_is_said_in_words(
    engine: Engine, name: str, password: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        await engine.add_user(name, role=Role.VIEWER, password=password)

    assert await engine.users() == []


async def test_two_ways_to_type_one_letter_are_one_password(engine: Engine) -> None:
    await engine.add_user("anna", role=Role.VIEWER, password="caf\u00e9 caf\u00e9")

    assert await engine.accounts.check("anna", "cafe\u0301 cafe\u0301")
