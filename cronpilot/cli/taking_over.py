"""Taking over what cron starts, and giving it back: the task first at rest, its original set aside,
then the task switched on; so that at no time both start it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from cronpilot.cli.document import show_json
from cronpilot.cli.session import Session
from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError, NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cronpilot.adopt import Adopted, Entry, Machine
    from cronpilot.client import Client
    from cronpilot.client.messages import TaskView

TAG = "adopted"


def unknown(name: str, known: dict[str, Any]) -> NotFound:
    """No entry has that name; perhaps a near one has."""
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    return NotFound("entry", name, near[0] if near else None)


def take_all(session: Session, machine: Machine, entries: list[Entry]) -> int:
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


def give_back_all(session: Session, machine: Machine, names: list[str], *, everything: bool) -> int:
    """One after the other; without names and `everything`, show what there is to give back."""
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
            raise unknown(name, found)
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
