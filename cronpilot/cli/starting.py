"""init and schema: what a new directory needs, and what an editor needs to know."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from cronpilot.cli.document import show_json
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.domain.text import clean
from cronpilot.errors import Refused

_TASKS = """\
# yaml-language-server: $schema={schema}
#
# What CronPilot runs, and when. Check it after each change: cronpilot validate

defaults:                        # any field of a task; a task's own word wins
  timeout: 1h                    # an attempt that takes longer is stopped
  # timezone: Europe/Berlin      # default: scheduler.timezone of config.yaml, else the machine's
  # notify: {{on: failure, to: [you@example.org]}}

tasks:
  - name: hello
    description: Says that it works; replace it by your own
    command: echo "hello from $(hostname)"
    schedule: every 1m           # or: hourly :30, daily 02:30, weekly mon,thu 09:00,
                                 #     "*/15 8-18 * * mon-fri", once 2027-03-01 18:00, manual

  # - name: backup-db
  #   command: pg_dump shop | gzip > "$DEST/shop.sql.gz"
  #   env: {{DEST: /srv/backup}}
  #   schedule: daily 02:30
  #   max_retries: 3
  #   retry_delay: 5m
"""
_CONFIG = """\
# Settings of CronPilot. Everything here is optional.

scheduler:
  max_workers: 10                # runs at once
  # timezone: Europe/Berlin      # default: the machine's

# pools:
#   db: 2                        # at most two runs at once of tasks with `pool: db`
# retention:
#   runs: 10000                  # of each task
#   age: 90d
#   log_size: 1GB                # of all logs together
# smtp:
#   host: mail.example.org
#   from: cronpilot@example.org
"""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "init")(init)
    command(app, "schema")(schema)


def init(
    session: Session,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Default: the working directory.")
    ] = Path(),
) -> None:
    """Write a commented tasks.yaml and config.yaml to start from; never over one that is there."""
    from cronpilot.config.schema import PUBLISHED

    texts = {"tasks.yaml": _TASKS.format(schema=PUBLISHED.as_uri()), "config.yaml": _CONFIG}
    paths = {folder / name: text for name, text in texts.items()}
    try:
        for path in paths:
            if path.exists():
                raise Refused(
                    f"{path} is there already, and is left as it is.", "Choose another DIR."
                )
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in paths.items():
            _write_new(path, text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Refused(f"{folder} cannot be written to: {reason}.") from error
    if session.options.as_json:
        show_json({"files": [str(path) for path in paths]})
    else:
        print("\n".join(clean(f"{path} is written") for path in paths))
        print(clean(f"Start: cronpilot --tasks {shlex.quote(str(folder / 'tasks.yaml'))}"))


def _write_new(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def schema(session: Session) -> None:
    """The JSON Schema of tasks.yaml, for editors. It also lies in the package."""
    from cronpilot.config.schema import schema_text

    del session
    sys.stdout.write(schema_text())
