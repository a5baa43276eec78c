"""incidents, ack, snooze, notify: what is wrong, who looks after it, who is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cronpilot.cli.document import show_row, show_rows
from cronpilot.cli.numbers import LARGEST
from cronpilot.cli.options import command
from cronpilot.cli.session import Session
from cronpilot.cli.table import Column, Tinted, show_table
from cronpilot.domain.text import clean
from cronpilot.errors import UsageProblem

if TYPE_CHECKING:
    from cronpilot.cli.table import Cell
    from cronpilot.client import Client
    from cronpilot.client.incidents import Delivered, IncidentStory
    from cronpilot.client.messages import IncidentView

_Number = Annotated[int, typer.Argument(metavar="INCIDENT", min=1, max=LARGEST, help="Its number.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "incidents")(incidents)
    command(app, "ack")(ack)
    command(app, "snooze")(snooze)
    group = typer.Typer(
        rich_markup_mode=None, no_args_is_help=True, help="Whether people can be told.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip
    command(group, "test")(test)
    app.add_typer(group, name="notify")


def incidents(
    session: Session,
    incident: Annotated[
        int | None,
        typer.Argument(
            metavar="[INCIDENT]", min=1, max=LARGEST, help="Its number: everything about it."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    task: Annotated[
        str | None, typer.Option("--task", metavar="NAME", help="Of this task alone.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=200, help="How many at most.")
    ] = 50,
) -> None:
    """What is wrong with tasks: one incident for each fault, from its opening to its recovery."""
    if incident is not None:
        _show_story(session, session.ask(lambda client: client.incident(incident)))
        return

    async def ask(client: Client) -> list[IncidentView]:
        from cronpilot.client.incidents import IncidentQuery

        task_id = (await client.find_task(task, archived=True)).id if task is not None else None
        query = IncidentQuery(state="all" if everything else "open", task_id=task_id, limit=limit)
        return await client.incidents(query)

    found = session.ask(ask)
    if session.options.as_json:
        show_rows(found)
    elif not found:
        print("No incident is open." if not everything else "There was no incident yet.")
    else:
        _show_table(found)


def _show_table(found: list[IncidentView]) -> None:
    from cronpilot.cli.words import when

    columns = [
        Column("ID", right=True), Column("TASK", 12), Column("WHAT"), Column("SINCE"),
        Column("TIMES", right=True), Column("STATE"), Column("DETAIL", 16),
    ]  # fmt: skip
    rows = [
        [str(one.id), one.task_name, str(one.fault), when(one.since), str(one.count), _state(one),
         one.detail]
        for one in found
    ]  # fmt: skip
    show_table(columns, rows)


def _state(one: IncidentView) -> Cell:
    from cronpilot.cli.words import when

    if one.closed_at is not None:
        return Tinted(f"over {when(one.closed_at)}", "green")
    if one.snoozed_until is not None and one.snoozed_until > datetime.now(UTC):
        return Tinted(f"snoozed until {when(one.snoozed_until)}", "yellow")
    if one.acknowledged_at is not None:
        return Tinted("acknowledged", "yellow")
    return Tinted("open", "red")


def _show_story(session: Session, story: IncidentStory) -> None:
    if session.options.as_json:
        show_row(story)
        return
    from cronpilot.cli.words import when

    state = _state(story)
    word = state.text if isinstance(state, Tinted) else state
    print(f"Incident {story.id} of {clean(story.task_name)}: {story.fault}, {word}.")
    row = f", {story.count} times in a row" if story.count > 1 else ""
    print(f"Since {when(story.since)}{row}: {clean(story.detail)}")
    if story.run_id is not None:
        print(f"Its newest run: cronpilot show {story.run_id}")
    print()
    for event in story.events:
        by = f" by {clean(event.actor)}" if event.actor else ""
        run = f" (run {event.run_id})" if event.run_id is not None else ""
        detail = f": {clean(event.detail)}" if event.detail else ""
        print(f"  {when(event.at)}  {clean(event.kind)}{by}{run}{detail}")


def ack(
    session: Session,
    numbers: Annotated[
        list[int],
        typer.Argument(metavar="INCIDENT...", min=1, max=LARGEST, help="Their numbers."),
    ],
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="A line for the timeline.")
    ] = "",
) -> None:
    """Acknowledge incidents: somebody looks after them, so they are not told of daily any more.

    That they are over is told all the same.
    """

    async def ask(client: Client) -> list[IncidentStory]:
        return [await client.acknowledge(number, note=note) for number in dict.fromkeys(numbers)]

    stories = session.ask(ask, need_engine=True)
    if session.options.as_json:
        show_rows(stories)
        return
    for story in stories:
        print(f"Incident {story.id} of {clean(story.task_name)} is acknowledged.")


def snooze(
    session: Session,
    number: _Number,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="2h, 18:00, or a date too."),
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Do not be silent any longer.")] = False,
) -> None:
    """Be silent about an incident for a while; when it is still open then, it is told again."""
    if (until is None) != off:
        raise UsageProblem("Say how long: --until 2h. Or end it: --off.")

    async def ask(client: Client) -> IncidentStory:
        zone = (await client.status()).timezone
        return await client.snooze(number, until=_end(until, zone))

    story = session.ask(ask, need_engine=True)
    if session.options.as_json:
        show_row(story)
        return
    from cronpilot.cli.words import when

    said = f"silent until {when(story.snoozed_until)}" if story.snoozed_until else "told again"
    print(f"Incident {story.id} of {clean(story.task_name)} is {said}.")


def _end(text: str | None, timezone: str) -> datetime | None:
    from cronpilot.domain.moments import read_end
    from cronpilot.domain.zones import find_zone

    try:
        return None if text is None else read_end(text, find_zone(timezone), datetime.now(UTC))
    except ValueError as error:
        raise UsageProblem(str(error), "Write 2h, 18:00 or 2026-11-22 18:00.") from None


def test(
    session: Session,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="WHOM", help="An e-mail address, or a channel of config.yaml."
        ),
    ] = None,
) -> int:
    """Send a test message to all that config.yaml names, and say what became of it.

    Exit code 1 when somebody could not be told.
    """
    sent = session.ask(lambda client: client.test_notification(to=to), need_engine=True)
    if session.options.as_json:
        show_rows(sent)
    else:
        for one in sent:
            print(_outcome(one))
    return 1 if any(one.error for one in sent) else 0


def _outcome(one: Delivered) -> str:
    way, _, name = one.target.partition(":")
    whom = f"{'e-mail to' if way == 'mail' else 'channel'} {clean(name)}"
    if one.error:
        return f"Not sent: {whom}. {clean(one.error)}"
    return f"Sent: {whom}, taken after {one.took_s:.1f} s."
