"""The program and its commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cronpilot import __version__
from cronpilot.cli.lazy import LazyGroup
from cronpilot.cli.options import with_globals
from cronpilot.cli.session import Session
from cronpilot.errors import UsageProblem

_EPILOG = """\
\b
Examples:
  cronpilot                     open the screen; start the engine if none runs
  cronpilot --headless          the engine alone, for systemd and containers
  cronpilot list                all tasks, their next run, their last result
  cronpilot run backup --wait   start a task now and wait for its end
  cronpilot logs backup -f      what it prints, as it prints it
  cronpilot history --limit 50  the last 50 runs of all tasks
  cronpilot show 12             everything about run 12
  cronpilot compare 12          how it differs from the last success
  cronpilot test backup         try a task out; it counts for nothing
  cronpilot validate x.yaml     check a file before it is used
  cronpilot diff                how the tasks differ from tasks.yaml

\b
--config, --tasks, --state-dir, --connect and --json stand before or after the
command. A name that begins with a dash: cronpilot run -- -name

\b
Exit codes:
    0  done
    1  failed, or the awaited run was no success
    2  wrong usage, unknown name, or a file that cannot be used
    3  status: no engine runs
    4  refused, for example because the task already runs
    5  no engine runs here, and this needs one
    6  another engine owns the database
    7  the database cannot be used now
    8  tasks cannot be started on this machine
   70  a mistake of CronPilot itself; it says where the report is
  130  interrupted by ctrl+c
"""

app = typer.Typer(
    name="cronpilot",
    cls=LazyGroup,
    add_completion=False,
    rich_markup_mode=None,  # plain text: rich costs 0.1 s
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 90},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"cronpilot {__version__}")
        raise typer.Exit


def _root(
    session: Session,
    headless: Annotated[
        bool, typer.Option("--headless", help="Run the engine without a screen.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --tasks: archive the tasks of the former file.")
    ] = False,
    log_level: Annotated[
        str,
        typer.Option(
            "--log-level",
            metavar="info|warning",
            help="With --headless: `info` logs each run's start and end.",
        ),
    ] = "info",
    ascii_only: Annotated[
        bool, typer.Option("--ascii", help="Of the screen: nothing but ASCII characters.")
    ] = False,
    no_mouse: Annotated[
        bool, typer.Option("--no-mouse", help="Of the screen: leave the mouse to the terminal.")
    ] = False,
    keys: Annotated[
        Path | None,
        typer.Option("--keys", metavar="FILE", help="Of the screen: other keys, from a keys.toml."),
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version."),
    ] = False,
) -> int | None:
    """CronPilot: a cockpit for scheduled work, in a terminal.

    Without a command it opens the screen: the tasks of tasks.yaml, what runs, what comes next and
    what went wrong. If no engine runs yet, it starts one.
    """
    if session.subcommand is not None:
        if headless:
            raise UsageProblem("--headless starts the engine and takes no command.")
        session.keys_file = keys  # for the command of that name
        return None
    if session.options.as_json:
        raise UsageProblem("--json needs a command.", "For example: cronpilot status --json")
    if not headless:
        session.keys_file = keys
        return session.run_screen(take_over=yes, ascii_only=ascii_only, mouse=not no_mouse)
    if session.options.connect is not None:
        raise UsageProblem("--connect leads to an engine; --headless starts one.", "Drop one.")
    if log_level not in ("info", "warning"):
        raise UsageProblem(f"{log_level!r} is no level of the log.", "Use info or warning.")
    return session.run_engine(take_over=yes, log_level=log_level)


app.callback(invoke_without_command=True, epilog=_EPILOG)(with_globals(_root))
