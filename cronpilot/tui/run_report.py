"""All that is known of one run, as lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from cronpilot.domain.run import ACTIVE, Status, Trigger
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import (
    Cell,
    Marks,
    Tone,
    age,
    countdown,
    duration,
    elapsed,
    result,
    run_length,
    run_state,
    signal_name,
    size,
)
from cronpilot.tui.run_words import WORTH_SAYING, folded, lateness_s, stamp

if TYPE_CHECKING:
    from cronpilot.client.messages import AttemptView, RunView, TaskView

Line = list[Cell]
_LABEL = 10  # cells of the word before each line
_VARIABLES = 10
"""That each run has: six of cron's, four of ours; one more that has a slot."""


def report(
    run: RunView,
    attempts: Sequence[AttemptView],
    task: TaskView | None,
    now: datetime,
    zone: tzinfo,
    marks: Marks,
    *,
    is_read: bool = True,
) -> list[Line]:
    """What the page of a run says above its output. `task` is None when it is gone; as long as it
    was not read, nothing is said of it."""
    return [
        *_verdict(run, now, zone, marks),
        _line("why", Cell(why_started(run))),
        *_slot(run, zone),
        *_times(run, now, zone),
        *_means(run),
        *(_command(task) if is_read else []),
        *_attempts(attempts, now, zone, marks),
        *_environment(run),
    ]


def still_to_come(run: RunView) -> int:
    """How many more lines a report has at least, once its task, the attempts and the variables of a
    run are read; one that never began need have but the command."""
    command, head, attempts = 1, 1, max(1, run.attempts)
    if run.started_at is None:
        return command
    return command + head + attempts + _VARIABLES + (run.scheduled_for is not None)


def why_started(run: RunView) -> str:
    """What called it into being: `its schedule`, `by hand (cli:1000)`."""
    who = f" ({clean(run.actor)})" if run.actor else ""
    match run.trigger:
        case Trigger.SCHEDULE:
            return "its schedule"
        case Trigger.CATCH_UP:
            return "catch-up: its slot passed while no engine ran"
        case Trigger.TEST:
            return f"as a test{who}; it counts for no figure of its task"
        case Trigger.MANUAL:
            return f"by hand{who}"


def in_words(run: RunView, now: datetime, zone: tzinfo) -> str:
    """The verdict as a sentence: `It failed with exit code 2.`"""
    words = _sentence(run, now)
    many = folded(run, now, zone)
    because = f" {clean(run.detail)}" if run.detail else ""
    return f"{many}. {words}{because}" if many else words + because


def _sentence(run: RunView, now: datetime) -> str:
    reason = f": {result(run)}" if run.reason is not None else ""
    match run.status:
        case Status.SUCCESS:
            return "It ended well."
        case Status.FAILED if run.exit_code is not None:
            return f"It failed with exit code {run.exit_code}."
        case Status.FAILED if run.signal:
            return f"It was ended by {signal_name(run.signal)}."
        case Status.FAILED:
            return f"It failed{reason}."
        case Status.TIMEOUT:
            return "It ran longer than its timeout, and was ended."
        case Status.STOPPED:
            return f"It was stopped{reason}."
        case Status.SKIPPED:
            return f"It was skipped{reason}."
        case Status.MISSED:
            return f"It was missed{reason}."
        case Status.LOST:
            return f"How it ended cannot be known{reason}."
        case Status.ERROR:
            return f"It could not be started{reason}."
        case Status.RETRYING if run.retry_at is not None:
            return f"An attempt failed; the next one comes {countdown(run.retry_at - now)}."
        case Status.RUNNING if run.pid:
            return f"It runs as process {run.pid}."
        case Status.QUEUED:
            return "It waits."
        case _:
            return "It goes on."


# --- the parts -----------------------------------------------------------------------------------


def _line(label: str, *cells: Cell) -> Line:
    return [Cell(f" {label:<{_LABEL}}", "muted"), *cells]


def _verdict(run: RunView, now: datetime, zone: tzinfo, marks: Marks) -> list[Line]:
    state = run_state(run.status, marks)
    return [_line("result", state, Cell("  "), Cell(in_words(run, now, zone)))]


def _slot(run: RunView, zone: tzinfo) -> list[Line]:
    if run.scheduled_for is None:
        return []
    late = lateness_s(run)
    if late is None:
        words, tone = "", ""
    elif late < WORTH_SAYING:
        words, tone = "started on time", "muted"
        if run.spread_s:
            words += f", {elapsed(run.spread_s)} after it by its spread"
    else:
        words, tone = f"started {elapsed(late)} late", "warn"
    cells = [Cell(_moment(run.scheduled_for, zone)), Cell("  "), Cell(words, _tone(tone))]
    return [_line("slot", *cells)]


def _tone(word: str) -> Tone:
    return "warn" if word == "warn" else "muted"


def _moment(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S %Z}"


def _times(run: RunView, now: datetime, zone: tzinfo) -> list[Line]:
    if run.started_at is None:
        return [_line("recorded", Cell(_moment(run.queued_at, zone)))]
    usual = f"usually {duration(run.usual_s)}" if run.usual_s else ""
    took = "going for" if run.status in ACTIVE else "took"
    ago = age(now - (run.finished_at or run.started_at))
    return [
        _line("started", Cell(_moment(run.started_at, zone)), Cell("  "),
              Cell(f"{took} {run_length(run, now)}", "strong"), Cell("  "), Cell(usual, "muted"),
              Cell("  " if usual else ""),
              Cell("" if run.status in ACTIVE else f"ended {ago}", "muted")),
    ]  # fmt: skip


def _means(run: RunView) -> list[Line]:
    """What it cost: processor, memory, output."""
    parts = [
        f"{duration(run.cpu_s)} of CPU" if run.cpu_s is not None else "",
        f"{size(run.max_rss)} of memory at most" if run.max_rss else "",
        f"{size(run.log_size)} of output" if run.log_size is not None else "",
        f"pool {clean(run.pool)}" if run.pool else "",
        f"priority {run.priority}" if run.priority else "",
    ]
    said = ", ".join(part for part in parts if part)
    return [_line("used", Cell(said))] if said else []


def _command(task: TaskView | None) -> list[Line]:
    if task is None:
        return [_line("command", Cell("its task was taken away", "muted"))]
    words = task.command if isinstance(task.command, str) else " ".join(task.command)
    lines = [Cell(clean(line), "strong") for line in words.strip().splitlines()] or [Cell("")]
    return [_line("command", lines[0]), *(_line("", line) for line in lines[1:])]


def _attempts(
    attempts: Sequence[AttemptView], now: datetime, zone: tzinfo, marks: Marks
) -> list[Line]:
    if not attempts:
        return []
    head = f"{'':{_LABEL}} {'#':>3}  {'STARTED':<12}  {'TOOK':>7}  {'EXIT':>5}  {'PID':>7}  OUTCOME"
    return [[Cell(head, "head")], *(_attempt(one, now, zone, marks) for one in attempts)]


def _attempt(one: AttemptView, now: datetime, zone: tzinfo, marks: Marks) -> Line:
    started = stamp(one.started_at, now, zone) if one.started_at else "-"
    going = one.started_at is not None and one.finished_at is None and one.outcome is None
    took = elapsed((now - one.started_at).total_seconds()) if going and one.started_at else (
        duration(one.duration_s))  # fmt: skip
    ending = str(one.exit_code) if one.exit_code is not None else (
        signal_name(one.signal).removeprefix("SIG") if one.signal else "")  # fmt: skip
    figures = f"{'':{_LABEL}} {one.number:>3}  {started:<12}  {took:>7}  {ending:>5}"
    outcome = _outcome(one, marks)
    return [Cell(f"{figures}  {one.pid or '':>7}  "), outcome]


def _outcome(one: AttemptView, marks: Marks) -> Cell:
    if one.outcome is None:
        return run_state(Status.RUNNING if one.started_at else Status.STARTING, marks)
    if one.outcome == "never":
        return Cell(f"{marks.off} not started", "muted")
    return run_state(one.outcome, marks)


def _environment(run: RunView) -> list[Line]:
    if not run.environment:
        return []
    pairs = [f"{clean(name)}={clean(value)}" for name, value in sorted(run.environment.items())]
    lines = [_line("variables", Cell(pairs[0]))]
    return [*lines, *(_line("", Cell(pair)) for pair in pairs[1:])]
