"""What stands where rows would be, while there are none. Pure."""

from __future__ import annotations

import textwrap
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Literal, NamedTuple

from cronpilot.domain.access import OWNER, Identity
from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError, LogInRefused, NoEngine
from cronpilot.tui.formatting import Cell, Tone, countdown, moment, plural
from cronpilot.tui.keymap import KeyOf, built_in
from cronpilot.tui.layout import wrap_words
from cronpilot.tui.rights import is_allowed

if TYPE_CHECKING:
    from cronpilot.client.messages import Banner, EngineStatus, TaskView

Text = list[list[Cell]]


class CronLines(NamedTuple):
    """What cron starts on this machine: how many commands, and the files in which most stand."""

    commands: int
    files: tuple[str, ...]


def no_tasks(
    text: str,
    role: Literal["owner", "attached"],
    status: EngineStatus | None,
    trouble: CronPilotError | None,
    found: CronLines | None = None,
    key: KeyOf = built_in,
    who: Identity = OWNER,
) -> Text:
    """Why view 1 has no rows. `text` is its filter, `found` what cron starts on this machine."""
    if status is None and trouble is not None:
        return _unread(trouble)
    if status is None:
        words = "Starting the engine" if role == "owner" else "Connecting"
        return [[Cell(f"{words} ...", "muted")]]
    if text:
        return _no_match(text, key)
    if status.total_tasks:
        return _unread(trouble) if trouble else [[Cell("Reading the tasks ...", "muted")]]
    return _welcome(status, found, key, who)


def _unread(trouble: CronPilotError) -> Text:
    """What keeps rows from being read."""
    lines = [line for part in trouble.problem.splitlines() for line in _folded(part, "bad")]
    return [*lines, [], *_folded(trouble.hint), [Cell("Trying again.", "muted")]]


def lost_banners(trouble: CronPilotError | None, since: datetime | None) -> list[Banner]:
    """Why an engine that was there answers no more, where more is known than that."""
    if since is None or trouble is None or isinstance(trouble, NoEngine | LogInRefused):
        return []
    from cronpilot.client.messages import Banner  # after the first paint

    return [Banner(key="engine", text=trouble.problem, hint=trouble.hint, severity="error")]


def _welcome(status: EngineStatus, found: CronLines | None, key: KeyOf, who: Identity) -> Text:
    """What to press where there is nothing yet. The keys are one column: lines are centred."""
    if not is_allowed("add_task", who):
        return [[Cell("There are no tasks yet", "title")], [], [Cell("An admin can add some.")]]
    keys = [
        (key("task.add", "a"), "add a task"),
        (key("task.load", "i"), "load a tasks.yaml"),
        (key("task.demo", "d"), "try it out with four harmless examples"),
        (key("app.help", "?"), "all keys"),
    ]
    left = max(len(name) for name, _ in keys) + 2
    width = left + max(len(does) for _, does in keys)
    lines: Text = [[Cell("Welcome to CronPilot", "title")], [Cell("There are no tasks yet.")], []]
    for name, does in keys:
        lines.append([Cell(name.ljust(left), "strong"), Cell(does.ljust(width - left))])
    file = status.engine.tasks_file if status.engine else None
    if file:
        lines += [
            [],
            *_folded(f"{file} declares none; it is read again when it changes.", "muted"),
        ]
    if found is not None and found.commands:
        where = ", ".join(found.files)
        lines += [
            [],
            *_folded(f"Cron starts {plural(found.commands, 'command')} here: {where}"),
            [Cell("cronpilot adopt", "strong"), Cell(" shows them, and takes over which you like")],
        ]
    return lines


def _folded(text: str, tone: Tone = "") -> Text:
    """Text from elsewhere, so that 80 columns show all of it."""
    return [[Cell(line, tone)] for line in wrap_words(clean(text), 72)]


def too_small(status: EngineStatus | None, width: int, *, lost: bool) -> Text:
    """What is said where no table has room, the most important first: one line may be all."""
    if lost:
        first = [Cell("Engine not answering", "bad")]
    elif status is None:
        first = [Cell("CronPilot", "title")]
    else:
        tone: Tone = "bad" if status.failing_tasks else "good"
        first = [Cell(f"{status.running:,} running, "),
                 Cell(f"{status.failing_tasks:,} failing", tone)]  # fmt: skip
    rest = textwrap.wrap("Too small: enlarge to 60x15.", max(8, width))
    return [first, *([Cell(line, "muted")] for line in rest)]


def no_runs(
    text: str,
    status: EngineStatus | None,
    now: datetime,
    zone: tzinfo,
    key: KeyOf = built_in,
    who: Identity = OWNER,
) -> Text:
    """Why view 2 has no rows, and what comes next. `text` is its filter."""
    if text:
        return _no_match(text, key)
    if status is None:
        return [[Cell("What runs is not known yet ...", "muted")]]
    lines: Text = [[Cell("Nothing runs now", "title")], []]
    if status.paused:
        may = is_allowed("pause_scheduler", who)
        resume = f" {key('scheduler.pause', 'P')} resumes it." if may else ""
        return [*lines, [Cell(f"The scheduler is paused.{resume}", "warn")]]
    if status.next_run_at is None:
        return [*lines, [Cell("Nothing is planned either.", "muted")]]
    left = countdown(status.next_run_at - now)
    at = moment(status.next_run_at, now, zone)
    name = clean(status.next_task or "")
    return [
        *lines,
        [Cell("Next: ", "muted"), Cell(name, "strong"), Cell("  "), Cell(f"{left}, at {at}")],
    ]


def no_history(
    filters: str, *, is_read: bool, key: KeyOf = built_in, trouble: CronPilotError | None = None
) -> Text:
    """Why view 4 has no rows. `filters` are those in force, in words."""
    if not is_read:
        return _unread(trouble) if trouble else [[Cell("Reading the history ...", "muted")]]
    if filters:
        return _no_match(filters, key)
    return [[Cell("Nothing has run yet", "title")], [],
            [Cell("Whatever a task does, or fails to do, is listed here.", "muted")]]  # fmt: skip


def no_health(trouble: CronPilotError | None) -> Text:
    """Why view 5 has no rows."""
    return _unread(trouble) if trouble else [[Cell("Reading how things stand ...", "muted")]]


def no_log(task: TaskView | None, key: KeyOf = built_in, who: Identity = OWNER) -> Text:
    """Why the log panel is empty for this task."""
    if task is None:
        return []
    why = [Cell(clean(task.name), "strong"), Cell(" has not run yet", "muted")]
    if not is_allowed("run_now", who):
        return [why]
    return [why, [Cell(key("task.run", "r"), "strong"), Cell(" runs it now", "muted")]]


def _no_match(text: str, key: KeyOf) -> Text:
    return [
        [Cell("Nothing matches ", "muted"), Cell(clean(text), "strong")],
        [Cell(key("screen.back", "Esc"), "strong"), Cell(" takes the filter back", "muted")],
    ]
