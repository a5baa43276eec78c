"""What the screen says of incidents: a line in the health, and the page of one. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from cronpilot.domain.incident import Fault
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import Cell, Marks, Tone, age, plural
from cronpilot.tui.run_words import stamp

if TYPE_CHECKING:
    from cronpilot.client.incidents import IncidentEventView, IncidentStory
    from cronpilot.client.messages import IncidentView, TellingState

WORDS = {
    Fault.FAILURE: "fails",
    Fault.LATE: "late",
    Fault.LONG: "long",
    Fault.SKIPPED: "skipped",
    Fault.SILENT: "silent",
}
"""What is wrong, in seven cells at most."""
_TONES: dict[Fault, Tone] = {Fault.FAILURE: "bad", Fault.SILENT: "bad"}
_EVENT_TONES: dict[str, Tone] = {
    "opened": "bad", "repeated": "warn", "recovered": "good", "not told": "warn",
}  # fmt: skip


def tone_of(one: IncidentView, now: datetime) -> Tone:
    """Loud while nobody looks after it."""
    if one.closed_at is not None:
        return "good"
    if is_quiet(one, now):
        return "muted"
    return _TONES.get(one.fault, "warn")


def is_quiet(one: IncidentView, now: datetime) -> bool:
    """Whether somebody has acknowledged or snoozed it."""
    return one.acknowledged_at is not None or is_snoozed(one, now)


def is_snoozed(one: IncidentView, now: datetime) -> bool:
    """Whether it is silent for now."""
    return one.snoozed_until is not None and one.snoozed_until > now


def standing(one: IncidentView, now: datetime, zone: tzinfo) -> str:
    """`acknowledged by tui:1000`, `snoozed until 14:00`; empty where nobody has done anything."""
    if one.closed_at is not None:
        return f"over since {stamp(one.closed_at, now, zone)}"
    said = []
    if one.acknowledged_at is not None:
        said.append(f"acknowledged by {clean(one.acknowledged_by)}")
    if one.snoozed_until is not None and one.snoozed_until > now:
        said.append(f"snoozed until {stamp(one.snoozed_until, now, zone)}")
    return ", ".join(said)


def in_one_line(one: IncidentView, now: datetime, zone: tzinfo) -> str:
    """`since 02:31:10, 3 in a row; failed with exit code 2; acknowledged by ...`."""
    row = f", {one.count:,} in a row" if one.count > 1 else ""
    since = f"since {stamp(one.since, now, zone)}{row}"
    return "; ".join(part for part in (standing(one, now, zone), since, clean(one.detail)) if part)


def telling_words(state: TellingState, now: datetime) -> list[tuple[str, Tone]]:
    """How sending goes: nothing while all is well and nothing was ever sent."""
    found: list[tuple[str, Tone]] = []
    if state.error:
        late = f", the oldest {age(now - state.oldest_at)}" if state.oldest_at else ""
        waits = f"{plural(state.waiting, 'message')} wait{late}: " if state.waiting else ""
        found.append((f"{waits}{clean(state.error)}", "warn"))
    elif state.waiting:
        found.append((f"{plural(state.waiting, 'message')} about to be sent", ""))
    if state.gave_up:
        found.append((f"{plural(state.gave_up, 'message')} given up in 7 days", "warn"))
    if state.dropped:
        found.append((f"{plural(state.dropped, 'message')} not kept: too many waited", "warn"))
    if state.sent_at is not None:
        found.append((f"last sent {age(now - state.sent_at)}", ""))
    return found


# --- the page of one -----------------------------------------------------------------------------


def story_lines(
    story: IncidentStory, now: datetime, zone: tzinfo, marks: Marks
) -> list[list[Cell]]:
    """Everything about an incident."""
    return [[], *_facts(story, now, zone, marks), [], *_timeline(story, now, zone)]


def _facts(story: IncidentStory, now: datetime, zone: tzinfo, marks: Marks) -> Iterator[list[Cell]]:
    word = WORDS[story.fault]
    mark = marks.ok if story.closed_at is not None else marks.late
    yield _fact("What", f"{mark} {word}", tone_of(story, now))
    if story.detail:
        yield _fact("", clean(story.detail))
    row = f", {story.count:,} in a row" if story.count > 1 else ""
    yield _fact("Since", f"{stamp(story.since, now, zone)} ({age(now - story.since)}){row}")
    if story.run_id is not None:
        first = f", the first was run {story.first_run_id}" if story.count > 1 else ""
        yield _fact("Run", f"{story.run_id}{first}")
    if said := standing(story, now, zone):
        yield _fact("State", said, "good" if story.closed_at else "")
    elif story.closed_at is None:
        yield _fact("State", "open; nobody has said that they look after it", "bad")


def _fact(name: str, words: str, tone: Tone = "") -> list[Cell]:
    return [Cell(f" {name:<9}", "muted"), Cell(words, tone)]


def _timeline(story: IncidentStory, now: datetime, zone: tzinfo) -> Iterator[list[Cell]]:
    yield [Cell(" What happened", "head")]
    for event in story.events:
        yield _event(event, now, zone)


def _event(event: IncidentEventView, now: datetime, zone: tzinfo) -> list[Cell]:
    by = f" by {clean(event.actor)}" if event.actor else ""
    run = f"  run {event.run_id}" if event.run_id is not None else ""
    detail = f"  {clean(event.detail)}" if event.detail else ""
    return [
        Cell(f" {stamp(event.at, now, zone):<13}", "muted"),
        Cell(f"{clean(event.kind):<13}", _EVENT_TONES.get(event.kind, "strong")),
        Cell(f"{by}{run}{detail}".strip()),
    ]
