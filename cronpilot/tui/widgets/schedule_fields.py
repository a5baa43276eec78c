"""The fields of a schedule: its type, what that type needs, the time zone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from cronpilot.domain.schedule import ScheduleType
from cronpilot.tui.formatting import Marks
from cronpilot.tui.schedule_draft import FIELDS, ScheduleDraft
from cronpilot.tui.widgets.form_choices import DayToggles, Pick
from cronpilot.tui.widgets.form_row import LABEL, FormRow
from cronpilot.tui.widgets.form_text import TextField, ZoneField

_WORDS = {
    **{type_.value: type_ for type_ in ScheduleType},
    "cron": ScheduleType.CUSTOM,
}
TYPES = ("hourly", "daily", "weekly", "cron", "interval", "once", "manual")
_TEXTS = (
    ("minute", "Minute", "the one at which it is saved"),
    ("time", "Time", "02:30"),
    ("expression", "Expression", "minute hour day month weekday: 0 */2 * * mon-fri"),
    ("every", "Every", "90s, 5m, 1h30m"),
    ("at", "Date and time", "2026-12-24 18:00"),
)


class ScheduleFields(Vertical):
    """Shows a draft and says when it changes; only the fields of its type are there."""

    DEFAULT_CSS = "ScheduleFields { height: auto; width: 1fr; }"

    @dataclass
    class Changed(Message):
        """The draft is another now."""

    def __init__(self, draft: ScheduleDraft, default_zone: str) -> None:
        super().__init__()
        self._draft = draft
        self._type = Pick(TYPES, _word(draft.type))
        self._days = DayToggles(draft.days)
        self._texts = {
            name: TextField(getattr(draft, name), hint, replace=name != "expression")
            for name, _, hint in _TEXTS
        }
        self._zone = ZoneField(draft.timezone, f"the scheduler's: {default_zone}")
        labels = {name: label for name, label, _ in _TEXTS}
        self.rows = {
            "type": FormRow("type", "Schedule", self._type),
            "days": FormRow("days", "Days", self._days),
            **{name: FormRow(name, labels[name], text) for name, text in self._texts.items()},
            "timezone": FormRow("timezone", "Time zone", self._zone),
        }

    def compose(self) -> ComposeResult:
        yield from self.rows.values()

    def on_mount(self) -> None:
        self._show_fields()

    @property
    def draft(self) -> ScheduleDraft:
        """What stands in the fields."""
        texts = {name: text.value for name, text in self._texts.items()}
        return replace(
            self._draft, type=_WORDS[self._type.value], days=self._days.days,
            timezone=self._zone.value, **texts,
        )  # fmt: skip

    def load(self, draft: ScheduleDraft) -> None:
        """Show another draft."""
        self._draft = draft
        self._type.value, self._days.days = _word(draft.type), draft.days
        for name, text in self._texts.items():
            text.value = getattr(draft, name)
        self._zone.value = draft.timezone
        self._show_fields()

    def _show_fields(self) -> None:
        needed = ("type", *FIELDS[_WORDS[self._type.value]], "timezone")
        for name, row in self.rows.items():
            row.display = name in needed

    @on(Pick.Picked)
    @on(DayToggles.Toggled)
    def _chosen(self, event: Pick.Picked | DayToggles.Toggled) -> None:
        event.stop()
        self._show_fields()
        self.post_message(self.Changed())

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.input is self._zone:
            room = max(20, self.size.width - LABEL)
            self.rows["timezone"].offer(offered(self._zone, room, self._type.marks))
        self.post_message(self.Changed())

    def on_descendant_blur(self) -> None:
        self.rows["timezone"].offer("")


def offered(zone: ZoneField, width: int, marks: Marks) -> str:
    """The names that a zone may become, the chosen one marked, as many as fit into one line."""
    words = ""
    for name in zone.matches[zone.chosen :] + zone.matches[: zone.chosen]:
        word = f"  {name}" if words else f"{marks.cursor}{name}"
        if len(words) + len(word) > width:
            break
        words += word
    return words


def _word(type_: ScheduleType) -> str:
    return "cron" if type_ is ScheduleType.CUSTOM else type_.value
