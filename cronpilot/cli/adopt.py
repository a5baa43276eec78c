"""adopt: take over what crontabs, run-parts, anacron and systemd timers start on this machine."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronpilot.cli.document import show_json
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.cli.table import Column, show_table
from cronpilot.cli.taking_over import TAG, give_back_all, take_all, unknown
from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError, UsageProblem

if TYPE_CHECKING:
    from cronpilot.adopt import Entry
    from cronpilot.client import Client
    from cronpilot.client.messages import TaskView

_NAMED = 3  # names before a notice that many entries share


def register(app: typer.Typer) -> None:
    """Add this command."""
    command(app, "adopt")(adopt)


def adopt(
    session: Session,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="What to look at, take or give back."),
    ] = None,
    take: Annotated[
        bool, typer.Option("--take", help="Make these tasks, and set their originals aside.")
    ] = False,
    back: Annotated[
        bool, typer.Option("--back", help="Give these back to cron, and end their tasks.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="All that needs no decision; with --back: all.")
    ] = False,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Print them as a tasks.yaml; nothing is taken over.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Look at this crontab alone.")
    ] = None,
    system: Annotated[
        bool, typer.Option("--system", help="With --from: its lines name a user.")
    ] = False,
    root: Annotated[
        Path, typer.Option("--root", metavar="DIR", help="Another system's tree, mounted there.")
    ] = Path("/"),
) -> int:
    """Take over what crontabs, cron.daily, anacron and systemd timers start here.

    Without an option it shows what there is and what each entry becomes; nothing is written.
    --take makes the task, sets the original aside (a line is commented out, a copy of the file is
    kept) and then switches the task on, so that at no time both start it. --back undoes that.
    """
    from cronpilot.adopt import Machine, look, look_at

    if take or back:
        _refuse_writing(session, take and back, file)
    machine = Machine.here(root)
    if back:
        return give_back_all(session, machine, names or [], everything=everything)
    if file is not None:
        entries = look_at(file, _read(file), machine.me, has_user=system)
    else:
        entries = look(machine)
    chosen = _chosen(entries, names or [])
    if take:
        return take_all(session, machine, chosen if names else _by_themselves(chosen, everything))
    if as_yaml:
        from cronpilot.config.export import export_text

        sys.stdout.write(export_text(entry.spec for entry in chosen if entry.spec is not None))
        return 0
    _show(session, chosen)
    return 0


def _refuse_writing(session: Session, both: bool, file: Path | None) -> None:
    """Raise UsageProblem where nothing can be taken or given back."""
    if both:
        raise UsageProblem("--take and --back undo one another.", "Choose one.")
    if session.remote is not None and session.remote.host:
        raise UsageProblem(
            "What this machine starts can be taken over by its own engine only.",
            "Leave --connect out.",
        )
    if file is not None:
        raise UsageProblem("--from only looks.", "With --yaml it prints a tasks.yaml.")


def _by_themselves(entries: list[Entry], everything: bool) -> list[Entry]:
    """Those that `--take --all` means: the ones that need no decision."""
    if not everything:
        raise UsageProblem("Name what to take, or say --all.", "cronpilot adopt shows it.")
    return [entry for entry in entries if entry.by_itself and entry.spec]


@dataclass(frozen=True, slots=True)
class _Seen:
    """An entry, and whether a task of ours starts the same."""

    entry: Entry
    doubled: bool

    @property
    def notices(self) -> list[str]:
        ours = f"Task {self.entry.name!r} starts it, too: both fire. Take it, or delete the task."
        return [*([ours] if self.doubled else []), *self.entry.notices]

    def document(self) -> dict[str, Any]:
        from cronpilot.domain.task import told_dict

        entry = self.entry
        return {
            "name": entry.name, "kind": entry.kind.value, "file": str(entry.where),
            "line": entry.line or None, "text": entry.text,
            "task": told_dict(entry.spec) if entry.spec is not None else None,
            "notices": self.notices, "both_fire": self.doubled,
        }  # fmt: skip


def _show(session: Session, entries: list[Entry]) -> None:
    tasks = _tasks(session) if entries else {}
    found = [_Seen(entry, entry.name in tasks) for entry in entries]
    if session.options.as_json:
        show_json([one.document() for one in found])
    else:
        _print(found)


def _print(found: list[_Seen]) -> None:
    from cronpilot.domain.explain import explain

    if not found:
        print("Nothing here is started by cron, run-parts, anacron or a timer.")
        return
    rows = []
    for one in found:
        entry = one.entry
        words = explain(entry.spec.schedule) if entry.spec is not None else "no equal here"
        rows.append([entry.name, words, entry.place])
    show_table([Column("NAME", 16), Column("BECOMES", 16), Column("STANDS IN", 16)], rows)
    told: dict[str, list[str]] = {}
    for one in found:
        for notice in one.notices:
            told.setdefault(notice, []).append(one.entry.name)
    for notice, names in told.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        print(clean(f"{', '.join(names[:_NAMED])}{more}: {notice}"))
    print("\nNothing was changed. Take over: cronpilot adopt --take NAME, or --take --all")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageProblem(f"{file} cannot be read: {reason}.") from error


def _chosen(entries: list[Entry], names: list[str]) -> list[Entry]:
    if not names:
        return entries
    by_name = {entry.name: entry for entry in entries}
    for name in names:
        if name not in by_name:
            raise unknown(name, by_name)
    return [by_name[name] for name in names]


def _tasks(session: Session) -> dict[str, TaskView]:
    """The tasks of ours that were adopted and are switched on, by name; none without a database."""
    from cronpilot.client.messages import TaskQuery

    async def ask(client: Client) -> list[TaskView]:
        found: list[TaskView] = []
        while True:
            page = await client.tasks(TaskQuery(text=TAG, limit=200, offset=len(found)))
            found += page.rows
            if not page.rows or len(found) >= page.total:
                return found

    try:
        return {task.name: task for task in session.ask(ask) if TAG in task.tags and task.active}
    except CronPilotError:
        return {}
