"""What can be done to tasks and runs from a screen, whichever way it shows them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, cast
from uuid import uuid4

from textual import work

from cronpilot.domain.run import ACTIVE, Status
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import result
from cronpilot.tui.screens import questions
from cronpilot.tui.screens.asking import AskingScreen

if TYPE_CHECKING:
    from datetime import datetime

    from cronpilot.client.messages import EngineStatus, RunView
    from cronpilot.client.protocol import StopSignal
    from cronpilot.tui.inbox import Changes


class ActingScreen(AskingScreen[None], inherit_bindings=False):
    """Starts, stops and pauses what `chosen_run` and `chosen_task` name at the press of a key."""

    ON_A_TASK: ClassVar[frozenset[str]] = frozenset({"run_now", "stop_run", "pause_task"})
    """Actions that are done to `chosen_task`; the palette can do them to another one."""
    SHOWS_STARTS: ClassVar[bool] = True
    """Whether a start by hand is seen here; else it is said."""

    def __init__(self) -> None:
        super().__init__()
        self.status: EngineStatus | None = None

    @abstractmethod
    def chosen_run(self) -> RunView | None:
        """The run that a key means; None where tasks are listed."""

    @abstractmethod
    def chosen_task(self) -> tuple[int, str] | None:
        """The id and the name of the task that a key means."""

    @abstractmethod
    def tick(self, now: datetime) -> None:
        """Paint what reads differently now."""

    @abstractmethod
    def apply(self, changes: Changes) -> None:
        """Things are different now."""

    @abstractmethod
    def answered(self, status: EngineStatus) -> None:
        """The engine has said how it is."""

    @property
    def focused_part(self) -> str:
        """What has the focus, in a word for people: `table`, `log`."""
        return "table"

    # --- acting ----------------------------------------------------------------------------------

    def action_run_now(self) -> None:
        """Start the chosen task."""
        if chosen := self.chosen_task():
            self._run_now(*chosen, uuid4().hex)

    @work(group="do")
    async def _run_now(self, task_id: int, name: str, request_id: str) -> None:
        with self.telling():
            run = await self.client.run_now(task_id, request_id=request_id)
            if run.status is Status.SKIPPED:
                self.notify(f"Skipped: it {result(run)}.", title=clean(name), markup=False,
                            severity="warning")  # fmt: skip
            elif not self.SHOWS_STARTS:
                begun = "waits for its turn" if run.status is Status.QUEUED else "has begun"
                self.notify(f"Run {run.id} {begun}.", title=clean(name), markup=False)

    def action_stop_run(self) -> None:
        """Ask how to stop the chosen run."""
        if run := self.chosen_run():
            self._stop_this(run, 0)
        elif chosen := self.chosen_task():
            self._stop_newest(*chosen)

    @work(group="act")
    async def _stop_newest(self, task_id: int, name: str) -> None:
        from cronpilot.client.messages import RunQuery  # after the first paint

        with self.telling():
            active = (await self.client.runs(RunQuery(task_id=task_id, active=True))).rows
            if active:
                self._stop_this(active[-1], len(active) - 1)
            else:
                self.notify("It does not run now.", title=clean(name), markup=False)

    @work(group="act")
    async def _stop_this(self, run: RunView, others: int) -> None:
        if run.status not in ACTIVE:
            self.notify("It is over.", title=f"Run {run.id} of {clean(run.task_name)}",
                        markup=False)  # fmt: skip
            return
        question = questions.stop_run(run, self.now(), others=others)
        answer = await self.app.push_screen_wait(question)
        if answer is not None:
            with self.telling():
                await self.client.stop_run(run.id, signal=cast("StopSignal", answer))

    def action_pause_task(self) -> None:
        """Pause the chosen task, or resume it."""
        if chosen := self.chosen_task():
            self._pause_task(chosen[0])

    @work(group="do")
    async def _pause_task(self, task_id: int) -> None:
        with self.telling():
            task = await self.client.task(task_id)
            if task.paused_at is None:
                await self.client.pause_task(task_id)
            else:
                await self.client.resume_task(task_id)
