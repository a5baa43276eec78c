"""What a front end may ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from cronpilot.client.agenda import (
        Outlook,
        Timeline,
        TimelineQuery,
        UpcomingPage,
        UpcomingQuery,
    )
    from cronpilot.client.comparison import Comparison
    from cronpilot.client.incidents import Delivered, IncidentQuery, IncidentStory
    from cronpilot.client.live import Downtime, RunUsage
    from cronpilot.client.log_search import LogMatches, LogQuery
    from cronpilot.client.messages import (
        AttemptView,
        EngineStatus,
        Event,
        Explanation,
        FileDifference,
        FireTime,
        Health,
        IncidentView,
        LogChunk,
        ReloadResult,
        RevisionView,
        RunPage,
        RunQuery,
        RunView,
        TaskPage,
        TaskQuery,
        TaskView,
    )
    from cronpilot.client.quiet import QuietTime
    from cronpilot.client.users import AuditEntry, AuditQuery, Me, PoolView, UserView
    from cronpilot.domain.access import Role

StopSignal = Literal["TERM", "KILL", "INT"]


class Client(Protocol):
    """The one way to an engine, in the same process or far away.

    Every method raises `CronPilotError` with a sentence for people; `NoEngine` when nobody answers.
    Changing methods return the changed row, as committed.
    """

    async def status(self) -> EngineStatus: ...

    async def health(self) -> Health:
        """What needs attention, and how the engine itself is doing."""
        ...

    async def tasks(self, query: TaskQuery) -> TaskPage: ...

    async def task(self, task_id: int) -> TaskView:
        """Raises NotFound."""
        ...

    async def find_task(self, name: str, *, archived: bool = False) -> TaskView:
        """The task of that name, else (all digits) of that id; `archived`: else one taken away.
        Raises NotFound with the nearest."""
        ...

    async def fire_times(self, *, task_id: int | None = None, limit: int = 20) -> list[FireTime]:
        """The next planned starts, soonest first: of one task, or one line a start of all."""
        ...

    async def upcoming(self, query: UpcomingQuery) -> UpcomingPage:
        """Planned starts across all tasks, soonest first, and whom each meets if everything takes
        as long as usual; those of paused tasks are among them."""
        ...

    async def outlook(self, *, hours: int = 24) -> Outlook:
        """How many starts are planned in each of the next hours, and of which tasks none is."""
        ...

    async def timeline(self, query: TimelineQuery) -> Timeline:
        """What has been and what comes of some tasks within a stretch of time, cell by cell."""
        ...

    async def usage(self) -> list[RunUsage]:
        """What the processes of each run that goes take now; measured only when asked for."""
        ...

    async def downtime(self) -> Downtime | None:
        """What passed while no engine was there, before the one that answers; None where nothing
        did, or it was dismissed."""
        ...

    async def dismiss_downtime(self) -> None:
        """It was looked over: say no more of it."""
        ...

    async def quiet_times(self) -> list[QuietTime]:
        """The quiet times of config.yaml, by name, and the next slots that each will skip."""

    async def runs(self, query: RunQuery) -> RunPage: ...

    async def run(self, run_id: int) -> RunView:
        """With its `environment`, which lists leave out. Raises NotFound."""
        ...

    async def attempts(self, run_id: int) -> list[AttemptView]:
        """Every try to start its command, oldest first. Raises NotFound."""
        ...

    async def run_now(
        self, task_id: int, *, request_id: str, if_version: int | None = None
    ) -> RunView:
        """Start it, whatever its schedule. The same `request_id` again returns the same run. Raises
        Conflict when its version is not `if_version`.

        The row may already be final: `skipped: already_running`."""
        ...

    async def stop_run(self, run_id: int, *, signal: StopSignal = "TERM") -> RunView:
        """Ask a run to end: the signal to its whole tree, then KILL after its grace."""
        ...

    async def pause_task(
        self,
        task_id: int,
        *,
        until: datetime | None = None,
        run_after: bool = False,
        if_version: int | None = None,
    ) -> TaskView:
        """Plan nothing more of it; `until`: resumed by itself then; `run_after`: if a slot passes
        meanwhile, one run follows at the end."""
        ...

    async def resume_task(self, task_id: int, *, if_version: int | None = None) -> TaskView: ...

    async def pause_scheduler(self, *, until: datetime | None = None) -> EngineStatus:
        """Start nothing by schedule; `until`: resumed by itself then."""
        ...

    async def resume_scheduler(self) -> EngineStatus: ...

    async def reload(self) -> ReloadResult:
        """Read tasks.yaml again. Raises InvalidFile; then nothing has changed."""
        ...

    async def why(self, task_id: int, *, at: datetime | None = None) -> Explanation:
        """Which rule gave the verdict of the slot at or last before `at`; without it, why the task
        does what it does now, and what it does next."""
        ...

    async def create_task(self, spec: dict[str, Any]) -> TaskView:
        """Add a task; `spec` has the fields of a tasks.yaml entry. Raises ConfigError, Conflict."""
        ...

    async def change_task(
        self, task_id: int, changes: dict[str, Any], *, if_version: int | None = None
    ) -> TaskView:
        """Set fields of its definition; None sets one back to its default. Raises ConfigError;
        Conflict when its version is not `if_version`."""
        ...

    async def delete_task(self, task_id: int, *, if_version: int | None = None) -> TaskView:
        """Archive it, history kept; an unchanged entry of tasks.yaml does not bring it back."""
        ...

    async def revisions(self, task_id: int, *, limit: int = 50) -> list[RevisionView]:
        """The changes of its definition, newest first; also of an archived task."""
        ...

    async def undo(
        self, task_id: int, *, revision_id: int | None = None, if_version: int | None = None
    ) -> TaskView:
        """Put back what the definition was before that revision (default: the newest); what it
        archived comes back. The undoing is a revision itself. Raises Refused, Conflict."""
        ...

    async def export(self) -> str:
        """All tasks as the text of a tasks.yaml, in the order of their ids."""
        ...

    async def differences(self) -> list[FileDifference]:
        """How the tasks differ from the tasks file in force. Raises InvalidFile."""
        ...

    async def test_task(
        self,
        task_id: int,
        *,
        spec: dict[str, Any] | None = None,
        as_scheduled: bool = False,
        request_id: str,
        if_version: int | None = None,
    ) -> RunView:
        """Start it as a test: kept out of the figures. `spec`: with these fields instead of its
        own. `as_scheduled`: overlap, pools and deadline hold as for a slot; else it starts beside
        whatever goes on."""
        ...

    async def backup(self, path: str) -> str:
        """Copy the database, consistent, to a new file; the absolute path of it."""
        ...

    async def shutdown(self, *, with_tasks: bool = False) -> None:
        """End the engine; running tasks go on unless `with_tasks`."""
        ...

    async def read_log(self, run_id: int, *, offset: int = 0, limit: int = 1 << 18) -> LogChunk:
        """A piece of a run's output; a negative offset counts from the end of the file."""
        ...

    async def compare(
        self, run_id: int, *, against: int | None = None, exact: bool = False
    ) -> Comparison:
        """How a run differs from another one of its task; by default from its newest success (a
        success: from the one before it). `exact`: times, durations and process ids in the output
        count, too. Raises NotFound; Refused when there is nothing to compare it with."""
        ...

    async def search_log(self, run_id: int, query: LogQuery) -> LogMatches:
        """Lines of a run's output that match; one bounded step. Raises UsageProblem for a pattern
        that cannot be used, Refused for one that takes too long."""
        ...

    def follow_log(self, run_id: int, *, offset: int = 0) -> AsyncIterator[LogChunk]:
        """Pieces as they are written, until the run has ended and all was said."""
        ...

    def events(self, *, after: str | None = None) -> AsyncIterator[Event]:
        """What changes, from the first step of the iterator on; `after` is the id of the last event
        already seen, and those since then come first (a Gap when they are forgotten). Ends when the
        connection does (raises NoEngine)."""
        ...

    async def me(self) -> Me:
        """Who asks, and as what."""
        ...

    async def users(self) -> list[UserView]:
        """Who may come in over the network, by name."""
        ...

    async def add_user(self, name: str, *, role: Role, password: str) -> UserView:
        """Let somebody in. Raises ConfigError, Conflict."""
        ...

    async def change_user(
        self, name: str, *, role: Role | None = None, password: str | None = None
    ) -> UserView:
        """Give a user another role or password; a new password ends what was logged in by the old
        one. Raises NotFound, ConfigError; Refused: the last admin stays one."""
        ...

    async def remove_user(self, name: str) -> UserView:
        """Let somebody in no more. Raises NotFound; Refused: the last admin stays."""
        ...

    async def audit(self, query: AuditQuery) -> list[AuditEntry]:
        """Who did what, newest first."""
        ...

    async def pool_slots(self) -> list[PoolView]:
        """How the slots are taken: all worker slots first, as the pool without a name."""
        ...

    async def incidents(self, query: IncidentQuery) -> list[IncidentView]:
        """What is wrong with tasks, newest first; by default what is open."""
        ...

    async def incident(self, incident_id: int) -> IncidentStory:
        """One of them with its timeline. Raises NotFound."""
        ...

    async def acknowledge(self, incident_id: int, *, note: str = "") -> IncidentStory:
        """Somebody looks after it: no more daily lines. Raises Refused when it is over."""
        ...

    async def snooze(self, incident_id: int, *, until: datetime | None) -> IncidentStory:
        """No daily lines until then; None: no longer. Raises Refused when it is over."""
        ...

    async def test_notification(self, *, to: str | None = None) -> list[Delivered]:
        """Send a test message now: to an address or a channel, else to all that config.yaml names.
        Raises Refused where it names nobody."""
        ...

    async def close(self) -> None: ...
