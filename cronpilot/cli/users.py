"""user: who may come in over the network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cronpilot.cli.document import show_row, show_rows
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.domain.access import Role
from cronpilot.domain.text import clean
from cronpilot.errors import UsageProblem

if TYPE_CHECKING:
    from cronpilot.client.users import UserView

_EPILOG = """\
\b
A viewer sees everything but users, the audit and what looks like a secret.
An operator also decides when: start, stop, pause and test tasks, change their
schedules. An admin also decides what: commands and all else.
"""

_Name = Annotated[str, typer.Argument(metavar="NAME", help="The user.")]
_Stdin = Annotated[
    bool, typer.Option("--password-stdin", help="The password is the first line of stdin.")
]
_File = Annotated[
    Path | None,
    typer.Option("--new-password-file", metavar="FILE", help="The password is its first line."),
]


def register(app: typer.Typer) -> None:
    """Add these commands, below `user`."""
    group = typer.Typer(
        rich_markup_mode=None, epilog=_EPILOG, no_args_is_help=True,
        help="Who may come in over the network: by the API and in a browser.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip
    command(group, "add")(add)
    command(group, "passwd")(passwd)
    command(group, "role")(role)
    command(group, "list")(list_users)
    command(group, "remove")(remove)
    app.add_typer(group, name="user")


def add(
    session: Session,
    name: _Name,
    role: Annotated[Role, typer.Option("--role", help="What the user may.")] = Role.VIEWER,
    password_stdin: _Stdin = False,
    new_password_file: _File = None,
) -> None:
    """Let somebody in. The password is asked for, twice."""
    password = _new_password(name, password_stdin, new_password_file)
    user = session.ask(
        lambda client: client.add_user(name, role=role, password=password), need_engine=True
    )
    _tell(session, user, f"{clean(user.name)} may log in, as {user.role}.")


def passwd(
    session: Session,
    name: _Name,
    password_stdin: _Stdin = False,
    new_password_file: _File = None,
) -> None:
    """Give a user another password; whoever is logged in by the old one is logged out."""
    password = _new_password(name, password_stdin, new_password_file)
    user = session.ask(lambda client: client.change_user(name, password=password), need_engine=True)
    _tell(session, user, f"{clean(user.name)} has another password.")


def role(
    session: Session,
    name: _Name,
    role: Annotated[Role, typer.Argument(help="What the user may from now on.")],
) -> None:
    """Give a user another role, from now on."""
    user = session.ask(lambda client: client.change_user(name, role=role), need_engine=True)
    _tell(session, user, f"{clean(user.name)} is {user.role} now.")


def list_users(session: Session) -> None:
    """Everybody who may log in, and as what."""
    found = session.ask(lambda client: client.users())
    if session.options.as_json:
        show_rows(found)
        return
    from cronpilot.cli.words import when

    for user in found:
        set_at = when(user.password_set_at)
        print(f"{clean(user.name):20}  {user.role:8}  password of {set_at}")
    if not found:
        print("There are no users. Add one: cronpilot user add NAME --role admin")


def remove(session: Session, name: _Name) -> None:
    """Let somebody in no more."""
    user = session.ask(lambda client: client.remove_user(name), need_engine=True)
    _tell(session, user, f"{clean(user.name)} may not log in any more.")


def _tell(session: Session, user: UserView, sentence: str) -> None:
    if session.options.as_json:
        show_row(user)
    else:
        print(sentence)


def _new_password(name: str, from_stdin: bool, file: Path | None) -> str:
    """Never from the command line, which everybody on this machine can read."""
    from cronpilot.client.remote import ask_password, read_password

    if from_stdin and file is not None:
        raise UsageProblem("--password-stdin and --new-password-file are two sources.", "Drop one.")
    if file is not None:
        return read_password(file)
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    first = ask_password(
        f"New password of {clean(name)}: ", "Use --new-password-file FILE, or --password-stdin."
    )
    if ask_password("The same again: ") != first:
        raise UsageProblem("The two passwords differ.", "Nothing was changed.")
    return first
