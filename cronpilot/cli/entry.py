"""From the words on the command line to an exit code; nothing leaves here as a traceback."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import typer

from cronpilot import __version__
from cronpilot.cli import INTERRUPTED
from cronpilot.cli.app import app
from cronpilot.cli.session import OpenClient, Session
from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError, InvalidFile

CRASHED = 70  # EX_SOFTWARE of sysexits.h


def main(argv: Sequence[str] | None = None, *, open_client: OpenClient | None = None) -> int:
    """Do what `argv` (default: the command line) asks; the exit code.

    Args:
        open_client: makes the client that the commands ask; default: that of `bootstrap.clients`.
    """
    session = Session(open_client)
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        return app(arguments, prog_name="cronpilot", standalone_mode=False, obj=session) or 0
    except CronPilotError as error:
        _tell(error)
        return error.exit_code
    except typer.TyperException as error:  # a word that Typer does not understand
        said = clean(error.format_message())
        _say(f"{said}{'' if said.endswith(('.', '?', ')')) else '.'} See: cronpilot --help")
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a bug: say so in one sentence, keep the traceback
        _say(_crashed(error, session))
        return CRASHED


def _say(sentence: str) -> None:
    print(f"cronpilot: {sentence}", file=sys.stderr)


def _tell(error: CronPilotError) -> None:
    if isinstance(error, InvalidFile):
        for complaint in error.complaints:
            print(clean(str(complaint)), file=sys.stderr)
    else:
        _say(clean(f"{error.problem} {error.hint}".strip()))


def _crashed(error: Exception, session: Session) -> str:
    now = datetime.now(UTC)
    report = f"CronPilot {__version__}, Python {sys.version}, {now:%Y-%m-%dT%H:%M:%SZ}\n\n"
    report += "".join(traceback.format_exception(error))
    where = _write_report(report, f"crash-{now:%Y%m%dT%H%M%S}-{os.getpid()}.txt", session)
    return f"this should not have happened: {type(error).__name__}. What is known of it: {where}"


def _write_report(report: str, name: str, session: Session) -> str:
    """Into the state directory if there is one, else among the temporary files; mode 0600."""
    data = report.encode(errors="backslashreplace")
    for directory in (session.known_state_dir, Path(tempfile.gettempdir())):
        if directory is None or not directory.is_dir():
            continue
        path = directory / name
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        except OSError:
            continue  # read-only or full: the next place
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        return clean(str(path))
    return "no directory could be written to."
