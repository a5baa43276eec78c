"""service: CronPilot as a systemd service."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cronpilot.cli.document import show_json
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.domain.text import clean
from cronpilot.errors import Refused, UsageProblem

if TYPE_CHECKING:
    from cronpilot.client import Client
    from cronpilot.client.messages import EngineStatus
    from cronpilot.maintenance.service import Service

_User = Annotated[bool, typer.Option("--user", help="For you alone (default unless root).")]
_System = Annotated[bool, typer.Option("--system", help="For the machine (default as root).")]
_Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Of the unit.")]


def register(app: typer.Typer) -> None:
    """Add this group of commands."""
    group = typer.Typer(
        name="service",
        help="Install CronPilot as a systemd service, or remove it again.",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    command(group, "install")(install)
    command(group, "remove")(remove)
    app.add_typer(group)


def install(
    session: Session,
    user: _User = False,
    system: _System = False,
    name: _Name = "cronpilot",
    run_as: Annotated[
        str | None,
        typer.Option("--run-as", metavar="USER", help="With --system: not as root."),
    ] = None,
    harden: Annotated[
        bool, typer.Option("--harden", help="Take rights away, from the tasks, too.")
    ] = False,
    only_print: Annotated[
        bool, typer.Option("--print", help="Print the unit; nothing is written.")
    ] = False,
) -> None:
    """Write a systemd unit, enable and start it: notify, watchdog, tasks outlive restarts.

    --state-dir, and the tasks.yaml and config.yaml that are in force here, go into the unit.
    Without --state-dir the system's service has /var/lib/NAME, and yours the state directory that
    you use now.
    """
    service = _service(session, user=user, system=system, name=name, run_as=run_as, harden=harden)
    if only_print:
        sys.stdout.write(service.text())
        return
    if session.options.connect is not None:
        raise UsageProblem("--connect leads to an engine; a service is installed here.", "Drop it.")
    _refuse_running(session, service)
    from cronpilot.maintenance.service import install as put

    said: list[str] = []
    put(service, said.append if session.options.as_json else _say)
    if session.options.as_json:
        show_json({"unit": str(service.path()), "done": said})


def remove(
    session: Session, user: _User = False, system: _System = False, name: _Name = "cronpilot"
) -> None:
    """Stop the service and remove its unit. Tasks that run go on; history and logs stay."""
    from cronpilot.maintenance.service import remove as take

    service = _service(session, user=user, system=system, name=name)
    said: list[str] = []
    take(service, said.append if session.options.as_json else _say)
    if session.options.as_json:
        show_json({"unit": str(service.path()), "done": said})


def _service(
    session: Session,
    *,
    user: bool,
    system: bool,
    name: str,
    run_as: str | None = None,
    harden: bool = False,
) -> Service:
    from cronpilot.maintenance.service import Service, program

    if user and system:
        raise UsageProblem("--user and --system exclude one another.", "Choose one.")
    if not (name.isascii() and name.replace("-", "").replace("_", "").isalnum()):
        raise UsageProblem(f"{name!r} is no name of a unit.", "Use letters, digits, - and _.")
    is_system = system or (not user and os.geteuid() == 0)
    if run_as is not None and not is_system:
        raise UsageProblem("--run-as needs --system.", "A service of yours runs as you.")
    if run_as is not None:
        _refuse_unknown(run_as)
    given, settings = session.options, session.settings
    own = given.state_dir is not None or "CRONPILOT_STATE_DIR" in os.environ
    state_dir = settings.state_dir if own or not is_system else Path("/var/lib") / name
    tasks, config = settings.tasks_file, settings.config_file
    return Service(
        scope="system" if is_system else "user",
        program=program(),
        state_dir=state_dir.absolute(),
        tasks=tasks.absolute() if tasks is not None else None,
        config=config.absolute() if config is not None else None,
        run_as=run_as,
        name=name,
        harden=harden,
    )


def _refuse_unknown(user: str) -> None:
    import pwd

    try:
        pwd.getpwnam(user)
    except (KeyError, ValueError) as error:  # a NUL in it
        raise UsageProblem(f"There is no user {user!r}.", "Make it first: adduser") from error


def _refuse_running(session: Session, service: Service) -> None:
    """Two engines cannot have one state directory: say so before systemd does, in its own way."""
    if service.state_dir != session.settings.state_dir or not service.state_dir.exists():
        return

    async def ask(client: Client) -> EngineStatus:
        return await client.status()

    if session.settings.database.exists() and session.ask(ask).engine is not None:
        raise Refused(
            f"An engine runs on {service.state_dir} already.", "End it first: cronpilot shutdown"
        )


def _say(sentence: str) -> None:
    print(clean(sentence))
