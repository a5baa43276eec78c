"""Everything that stands in a form, judged at once. Pure, and meant for a thread: it may take a
tenth of a second to find out when a rare expression fires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cronpilot.domain.quiet import Rule
from cronpilot.domain.schedule import Schedule
from cronpilot.domain.task import TaskSpec
from cronpilot.tui.schedule_draft import Problem, ScheduleDraft
from cronpilot.tui.schedule_preview import Preview, Setting, look_ahead
from cronpilot.tui.task_fields import Fields, Texts, check, read_texts, texts_of

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskView


@dataclass(frozen=True, slots=True)
class Filled:
    """A form: what it began with, and what stands in it.

    Attributes:
        fields: the definition it began with.
        texts: those of the fields on the form alone.
    """

    fields: Fields
    texts: Texts
    draft: ScheduleDraft
    task: TaskView | None = None  # None: a new one
    default_zone: str = "UTC"
    quiet: Mapping[str, Rule] = field(default_factory=dict)  # all quiet times there are, by name

    @classmethod
    def begin(cls, fields: Fields, task: TaskView | None, default_zone: str) -> Filled:
        """A form as it is opened."""
        return cls(fields, texts_of(fields), draft_of(fields), task, default_zone)

    def refill(self, fields: Fields) -> Filled:
        """The same beginning, with other values typed over it."""
        return replace(self, texts=texts_of(fields), draft=draft_of(fields))

    @property
    def touched(self) -> set[str]:
        """The fields that read differently than at the beginning."""
        before, draft = texts_of(self.fields), draft_of(self.fields)
        names = {name for name, text in self.texts.items() if text != before.get(name)}
        parts = ScheduleDraft.__slots__
        return names | {name for name in parts if getattr(self.draft, name) != getattr(draft, name)}


@dataclass(frozen=True, slots=True)
class Judged:
    """The definition that a form makes, or what is wrong with which field."""

    spec: TaskSpec | None
    problems: dict[str, Problem] = field(default_factory=dict)
    preview: Preview = field(default_factory=Preview)


def draft_of(fields: Fields) -> ScheduleDraft:
    return ScheduleDraft.of(Schedule.model_validate(fields["schedule"]), fields.get("timezone"))


def judge(form: Filled, now: datetime, count: int) -> Judged:
    """Validate all fields and look `count` fire times ahead."""
    fields, problems = read_texts(form.fields, texts_of(form.fields), form.texts)
    fields["timezone"] = form.draft.timezone.strip() or None
    setting = Setting(
        now, form.default_zone, name=str(fields.get("name", "")), kept=form.task,
        spread=_spread(fields), quiet=_quiet(form, fields),
    )  # fmt: skip
    preview = look_ahead(form.draft, setting, count)
    problems |= preview.problems
    if "timezone" in problems:
        fields["timezone"] = None
    if preview.schedule is not None:
        fields["schedule"] = preview.schedule
    spec, more = check(fields)
    problems = {**more, **problems}
    return Judged(None if problems else spec, problems, preview)


def _quiet(form: Filled, fields: Fields) -> tuple[Rule, ...]:
    """The quiet times that its field names; none while it cannot be read."""
    names = fields.get("quiet") or []
    return tuple(form.quiet[name] for name in names if name in form.quiet)


def _spread(fields: Fields) -> timedelta:
    """Zero while it cannot be read."""
    spec, _ = check({"name": "x", "command": "x", "schedule": "manual",
                     "spread": fields.get("spread", "0s")})  # fmt: skip
    return spec.spread if spec else timedelta()
