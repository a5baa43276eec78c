"""user: who may come in over the network; the password is never a word of the command line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from cronpilot.client import remote
from cronpilot.domain.access import Role

from .conftest import Cronpilot, Running


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What somebody types when asked for a password."""
    words: list[str] = []
    monkeypatch.setattr(remote.sys, "stdin", type("Terminal", (), {"isatty": lambda _: True})())
    monkeypatch.setattr(remote, "_getpass", lambda: lambda _: words.pop(0))
    return words


def test_a_user_is_added_changed_listed_and_removed(
    cronpilot: Cronpilot, engine: Running, typed: list[str], tmp_path: Path
) -> None:
    typed += ["correct horse", "correct horse"]
    assert cronpilot("user", "add", "anna", "--role", "admin").out == "anna may log in, as admin.\n"

    (tmp_path / "password").write_text("battery staple\n")
    from_file = cronpilot("user", "add", "bob", "--new-password-file", "password")
    assert from_file.out == "bob may log in, as viewer.\n"
    assert cronpilot("user", "role", "bob", "operator").out == "bob is operator now.\n"
    listed = cronpilot("user", "list").out.splitlines()
    assert [line.split()[:2] for line in listed] == [["anna", "admin"], ["bob", "operator"]]
    assert cronpilot("user", "remove", "bob").out == "bob may not log in any more.\n"
    refused = cronpilot("user", "remove", "anna")
    assert (refused.code, refused.err) == (
        4, "cronpilot: anna is the only admin. Make somebody else an admin first.\n",
    )  # fmt: skip
    assert [user.role for user in engine.ask(lambda fake: fake.users())] == [Role.ADMIN]


def test_two_different_passwords_change_nothing(
    cronpilot: Cronpilot, engine: Running, typed: list[str]
) -> None:
    typed += ["correct horse", "correct hose"]

    said = cronpilot("user", "add", "anna")

    assert (said.code, said.out) == (2, "")
    assert "The two passwords differ." in said.err
    assert engine.ask(lambda fake: fake.users()) == []


def test_a_password_comes_from_standard_input(
    cronpilot: Cronpilot, engine: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\r\nmore\n"))

    assert cronpilot("user", "add", "anna", "--password-stdin", "--json").json["name"] == "anna"


def test_without_a_terminal_nobody_is_asked(cronpilot: Cronpilot, engine: Running) -> None:
    said = cronpilot("user", "passwd", "anna")

    assert said.code == 2
    assert "no terminal to ask for it. Use --new-password-file FILE, or --password" in said.err
