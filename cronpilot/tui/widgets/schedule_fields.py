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
from cronpilot.tui.widgets.form_controls import choice, days, line, zone
from cronpilot.tui.widgets.form_row import LABEL, FormRow
from cronpilot.tui.widgets.form_text import ZoneField
from cronpilot.tui.widgets.toned import Toned

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

    def __init__(self, draft: ScheduleDraft, default_zone: str, looks: Toned) -> None:
        """`looks`: see FormRow."""
        super().__init__()
        self._draft = draft
        kinds = {
            "type": ("Schedule", choice(TYPES)),
            "days": ("Days", days()),
            **{name: (label, line(hint, replace=name != "expression"))
               for name, label, hint in _TEXTS},
            "timezone": ("Time zone", zone(f"the scheduler's: {default_zone}")),
        }  # fmt: skip
        texts = _texts(draft)
        self.rows = {
            name: FormRow(name, label, kind, texts[name], looks)
            for name, (label, kind) in kinds.items()
        }

    def compose(self) -> ComposeResult:
        yield from self._needed()

    @property
    def draft(self) -> ScheduleDraft:
        """What stands in the fields."""
        texts = {name: row.text for name, row in self.rows.items()}
        type_, days_on = texts.pop("type"), texts.pop("days")
        return replace(
            self._draft, type=_WORDS[type_], days=tuple(days_on.split(",")) if days_on else (),
            **texts,
        )  # fmt: skip

    def load(self, draft: ScheduleDraft) -> None:
        """Show another draft."""
        self._draft = draft
        for name, text in _texts(draft).items():
            self.rows[name].text = text
        self._show_fields()

    def _needed(self) -> list[FormRow]:
        """The rows of the chosen type, in their order."""
        names = {"type", *FIELDS[_WORDS[self.rows["type"].text]], "timezone"}
        return [row for name, row in self.rows.items() if name in names]

    def _show_fields(self) -> None:
        needed, before = self._needed(), None
        for row in self.rows.values():
            row.display = row in needed
        for row in needed:
            if not row.is_attached:
                self.mount(row, after=before)
            before = row

    @on(Pick.Picked)
    @on(DayToggles.Toggled)
    def _chosen(self, event: Pick.Picked | DayToggles.Toggled) -> None:
        event.stop()
        self._show_fields()
        self.post_message(self.Changed())

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if isinstance(event.input, ZoneField):
            room = max(20, self.size.width - LABEL)
            zones = self.rows["timezone"]
            zones.offer(offered(event.input, room, zones.marks))
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


def _texts(draft: ScheduleDraft) -> dict[str, str]:
    """What stands in the fields, by their names."""
    texts = {name: getattr(draft, name) for name, *_ in _TEXTS}
    return {"type": _word(draft.type), "days": ",".join(draft.days), **texts,
            "timezone": draft.timezone}  # fmt: skip


def _word(type_: ScheduleType) -> str:
    return "cron" if type_ is ScheduleType.CUSTOM else type_.value
