"""One incident over the whole screen: what is wrong, since when, and what was done about it."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError, NotFound
from cronpilot.tui.formatting import Cell
from cronpilot.tui.incident_lines import is_snoozed, story_lines
from cronpilot.tui.layout import Piece, fit_line
from cronpilot.tui.screens.asking import AskingScreen
from cronpilot.tui.screens.dialog import Dialog
from cronpilot.tui.widgets.choice_list import Choice
from cronpilot.tui.widgets.facts import Facts
from cronpilot.tui.widgets.key_bar import KeyBar, hints_of
from cronpilot.tui.widgets.toned import Line

if TYPE_CHECKING:
    from cronpilot.client.incidents import IncidentStory
    from cronpilot.client.messages import IncidentView

_SPANS = {"1": timedelta(hours=1), "4": timedelta(hours=4), "d": timedelta(days=1),
          "w": timedelta(weeks=1)}  # fmt: skip
_AWAKE = "awake"


class IncidentPage(AskingScreen[None], inherit_bindings=False):
    """Its facts and its timeline; acknowledged, snoozed and followed to its run by keys."""

    DEFAULT_CSS = """
    IncidentPage #incident-head { background: $bar; dock: top; }
    IncidentPage #incident-facts { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Back", id="incident.close",
                tooltip="Back to where it was opened"),
        Binding("a", "acknowledge", "Acknowledge", id="incident.acknowledge",
                tooltip="You look after it: it is not told of daily any more"),
        Binding("z", "snooze", "Snooze", id="incident.snooze",
                tooltip="Silent for a while; told again when it is still open then"),
        Binding("enter,o", "open_run", "Its run", id="incident.run",
                tooltip="The newest run it is about"),
        Binding("ctrl+c", "app.say_how_to_quit", show=False, system=True),
    ]  # fmt: skip

    def __init__(self, incident: IncidentView, zone: tzinfo) -> None:
        super().__init__()
        self.incident_id, self.zone = incident.id, zone
        self.head = Line(id="incident-head")
        self.facts = Facts(id="incident-facts")
        self.key_bar = KeyBar(id="keys")
        self.story: IncidentStory | None = None
        self._task_name = clean(incident.task_name)

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.facts
        yield self.key_bar

    def on_mount(self) -> None:
        self.facts.focus()
        self.bindings_updated_signal.subscribe(self, lambda _: self._tell())
        self._read()

    def on_screen_resume(self) -> None:
        self._read()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._tell)

    @work(exclusive=True, group="read incident")
    async def _read(self) -> None:
        try:
            self._put(await self.client.incident(self.incident_id))
        except CronPilotError as error:
            self.tell_error(error)

    def _put(self, story: IncidentStory) -> None:
        self.story = story
        self.refresh_bindings()
        self._tell()

    def _tell(self) -> None:
        now, marks = self.now(), self.facts.marks
        left = [Piece(self._task_name, "title"), Piece(f"incident {self.incident_id}", "muted")]
        right = [Piece(f"{now.astimezone(self.zone):%H:%M} {self.zone}", "muted", 2)]
        if self.pilot_app.client is None:
            right.insert(0, Piece("ENGINE NOT ANSWERING", "bad", 1))
        self.head.show(fit_line(left, right, self.size.width, marks))
        if self.story is None:
            self.facts.say([[], [Cell(" Reading ...", "muted")]])
        else:
            self.facts.say(story_lines(self.story, now, self.zone, marks))
        if self.is_current:
            self.key_bar.tell(hints_of(self))

    # --- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        story = self.story
        if action in ("acknowledge", "snooze"):
            return story is not None and story.closed_at is None
        return action != "open_run" or (story is not None and story.run_id is not None)

    def action_close(self) -> None:
        """Back to where it was opened."""
        self.dismiss()

    @work(group="act", exclusive=True)
    async def action_acknowledge(self) -> None:
        """Say that somebody looks after it."""
        with self.telling():
            self._put(await self.client.acknowledge(self.incident_id))

    @work(group="act", exclusive=True)
    async def action_snooze(self) -> None:
        """Be silent about it for a while, or no longer."""
        if self.story is None:
            return
        now = self.now()
        answer = await self.app.push_screen_wait(_how_long(self.story, now))
        if answer is not None:
            until = None if answer == _AWAKE else now + _SPANS[answer]
            with self.telling():
                self._put(await self.client.snooze(self.incident_id, until=until))

    @work(group="act", exclusive=True)
    async def action_open_run(self) -> None:
        """All about the newest run that it is about."""
        if self.story is None or self.story.run_id is None:
            return
        from cronpilot.tui.screens.run_page import RunPage  # after the first paint

        with self.telling():
            try:
                run = await self.client.run(self.story.run_id)
            except NotFound:
                self.notify("That run is not remembered any more.", markup=False)
                return
            self.app.push_screen(RunPage(run, self.zone))


def _how_long(story: IncidentStory, now: datetime) -> Dialog:
    """For how long shall it be silent? Returns a key of `_SPANS`, or `awake`."""
    choices = [
        Choice("1", "One hour", "1"),
        Choice("4", "Four hours", "4"),
        Choice("d", "A day", "d"),
        Choice("w", "A week", "w"),
    ]
    if is_snoozed(story, now):
        choices.append(Choice("t", "Tell of it again", _AWAKE))
    return Dialog(
        f"Snooze incident {story.id} of {story.task_name}?",
        ["No daily line until then; its recovery is told all the same.",
         "When it is still open then, it is told again."],
        [*choices, Choice("Esc", "Cancel", None)],
    )  # fmt: skip
