"""adopt: take over what crontabs, run-parts, anacron and systemd timers start on this machine."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronpilot.cli.document import show_json
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.cli.table import Column, show_table
from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError, NotFound, Refused, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cronpilot.adopt import Adopted, Entry, Machine
    from cronpilot.client import Client
    from cronpilot.client.messages import TaskView

TAG = "adopted"
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

    if take and back:
        raise UsageProblem("--take and --back undo one another.", "Choose one.")
    if (take or back) and session.remote is not None and session.remote.host:
        raise UsageProblem(
            "What this machine starts can be taken over by its own engine only.",
            "Leave --connect out.",
        )
    machine = Machine.here(root)
    if back:
        return _give_back(session, machine, names or [], everything)
    if file is not None:
        if take:
            raise UsageProblem("--from only looks.", "With --yaml it prints a tasks.yaml.")
        entries = look_at(file, _read(file), machine.me, has_user=system)
    else:
        entries = look(machine)
    chosen = _chosen(entries, names or [])
    if take:
        if not names:
            if not everything:
                raise UsageProblem("Name what to take, or say --all.", "cronpilot adopt shows it.")
            chosen = [entry for entry in chosen if entry.by_itself and entry.spec]
        return _take(session, machine, chosen)
    if as_yaml:
        from cronpilot.config.export import export_text

        sys.stdout.write(export_text(entry.spec for entry in chosen if entry.spec is not None))
        return 0
    found = [_Seen(entry, _is_doubled(entry, _tasks(session))) for entry in chosen]
    if session.options.as_json:
        show_json([one.document() for one in found])
    else:
        _show(found)
    return 0


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


def _show(found: list[_Seen]) -> None:
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
            raise _unknown(name, by_name)
    return [by_name[name] for name in names]


def _unknown(name: str, known: dict[str, Any]) -> NotFound:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    return NotFound("entry", name, near[0] if near else None)


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


def _is_doubled(entry: Entry, tasks: dict[str, TaskView]) -> bool:
    return entry.name in tasks


def _take(session: Session, machine: Machine, entries: list[Entry]) -> int:
    """One after the other; what failed is said, and what was done before it stays."""
    from cronpilot.adopt import set_aside

    if not entries:
        print("There is nothing that can be taken over without a decision.")
        return 0
    for entry in entries:
        if entry.spec is None:
            raise Refused(f"{entry.name!r} cannot be taken over: {entry.notices[0]}")
    copies = session.settings.state_dir / "adopted"
    taken = []
    for entry in entries:
        spec = _resting(entry)

        async def make(client: Client, spec: dict[str, Any] = spec) -> TaskView:
            return await client.create_task(spec)

        task = session.ask(make, need_engine=True)
        try:
            copy = set_aside(machine, entry, copies)
        except Refused:
            session.ask(_deleting(task.id), need_engine=True)
            raise
        task = _awake(session, task)
        taken.append(task)
        if not session.options.as_json:
            kept = f"; a copy is {copy}" if copy is not None else ""
            print(clean(f"{entry.name}: taken over from {entry.place}{kept}"))
    if session.options.as_json:
        show_json([task.model_dump(mode="json") for task in taken])
    else:
        print("Back again: cronpilot adopt --back NAME")
    return 0


def _resting(entry: Entry) -> dict[str, Any]:
    """The task, not active yet: it is switched on when its original is set aside."""
    from cronpilot.domain.task import told_dict

    assert entry.spec is not None
    fields = told_dict(entry.spec)
    return {**fields, "active": False, "tags": [*fields.get("tags", []), TAG]}


def _awake(session: Session, task: TaskView) -> TaskView:
    """Switch the task on. When that fails nobody starts it, which has to be said."""
    try:
        return session.ask(_switching(task.id, on=True), need_engine=True)
    except CronPilotError as error:
        raise Refused(
            f"{task.name!r} is set aside, but its task is not switched on, so that nobody starts"
            f" it: {error.problem}",
            f"Give it back: cronpilot adopt --back {shlex.quote(task.name)}",
        ) from error


def _switching(task_id: int, *, on: bool) -> Callable[[Client], Awaitable[TaskView]]:
    async def ask(client: Client) -> TaskView:
        return await client.change_task(task_id, {"active": on})

    return ask


def _deleting(task_id: int) -> Any:
    async def ask(client: Client) -> TaskView:
        return await client.delete_task(task_id)

    return ask


def _give_back(session: Session, machine: Machine, names: list[str], everything: bool) -> int:
    from cronpilot.adopt import adopted, give_back

    copies = session.settings.state_dir / "adopted"
    found = {one.name: one for one in adopted(machine, copies)}
    if not names and not everything:
        if session.options.as_json:
            show_json([{"name": one.name, "file": str(one.where)} for one in found.values()])
        for one in [] if session.options.as_json else found.values():
            print(clean(f"{one.name}: set aside in {one.where}"))
        return 0
    for name in names:
        if name not in found:
            raise _unknown(name, found)
    for one in [found[name] for name in names] if names else found.values():
        task = session.ask(_task_of(one), need_engine=True)
        if task is not None and task.active:
            session.ask(_switching(task.id, on=False), need_engine=True)
        try:
            give_back(machine, one, copies)
        except Refused:
            if task is not None and task.active:
                session.ask(_switching(task.id, on=True), need_engine=True)
            raise
        if task is not None:
            session.ask(_deleting(task.id), need_engine=True)
        if not session.options.as_json:
            print(clean(f"{one.name}: given back, in {one.where}; its task is deleted"))
    if session.options.as_json:
        show_json([{"name": name} for name in names or found])
    return 0


def _task_of(one: Adopted) -> Any:
    async def ask(client: Client) -> TaskView | None:
        try:
            task = await client.find_task(one.name)
        except NotFound:
            return None  # somebody has deleted it already
        return task if TAG in task.tags and task.name == one.name else None

    return ask
