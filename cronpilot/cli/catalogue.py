"""Every command by its name: the module that has it, and the line that `--help` shows.

A module is loaded when one of its commands is used; whoever adds a command adds its line here.
"""

from __future__ import annotations

from typing import NamedTuple


class Listed(NamedTuple):
    """A command that is not loaded yet."""

    module: str  # below cronpilot.cli
    help: str  # the first sentence of its own; empty: it is not shown


COMMANDS = {
    "list": Listed("tasks", "All tasks: schedule, next run, last result."),
    "next": Listed("tasks", "What starts next: of all tasks, or the next times of one."),
    "pause": Listed("tasks", "Pause a task or the scheduler."),
    "resume": Listed("tasks", "Resume a paused task or the scheduler."),
    "run": Listed("runs", "Start a task now, whatever its schedule."),
    "stop": Listed("runs", "Stop a run, the runs of a task, or with --all every run."),
    "history": Listed("runs", "What ran, newest first: of all tasks, or of one."),
    "test": Listed(
        "testing", "Start a task as a test, and show what it prints until it has ended."
    ),
    "why": Listed(
        "why",
        "Why a task did, or did not, start at a time; without one: what it does now and next.",
    ),
    "logs": Listed("logs", "What a run printed, standard output and errors together."),
    "show": Listed(
        "show",
        "Everything about one run: why it started, its attempts, its variables, where its"
        " output is.",
    ),
    "compare": Listed(
        "compare", "How a run differs from the last success of its task, or from another run of it."
    ),
    "revisions": Listed(
        "definitions", "The changes of a task's definition, newest first; also of a deleted task."
    ),
    "undo": Listed(
        "definitions",
        "Put a task back to what it was before a revision; a deleted task comes back.",
    ),
    "export": Listed(
        "definitions",
        "All tasks as the text of a tasks.yaml, as they are now: edits of the screen included.",
    ),
    "diff": Listed(
        "definitions",
        "How the tasks differ from tasks.yaml: exit code 0 when they do not, 1 when they do.",
    ),
    "status": Listed("engine", "The engine and its figures."),
    "reload": Listed("engine", "Read tasks.yaml again; a file with a mistake changes nothing."),
    "backup": Listed("engine", "Copy the database, consistent, while the engine works on."),
    "shutdown": Listed("engine", "End the engine."),
    "validate": Listed("files", "Check a tasks file, and config.yaml with it; nothing is changed."),
    "completion": Listed(
        "completion", "Print the script that completes commands, options and task names."
    ),
    "complete": Listed("completion", ""),
    "restore": Listed(
        "maintenance",
        "Put a copy of the database in the place of the present one, while no engine runs.",
    ),
    "doctor": Listed(
        "maintenance", "Look this machine and the state directory over; nothing is changed."
    ),
    "adopt": Listed(
        "adopt", "Take over what crontabs, cron.daily, anacron and systemd timers start here."
    ),
    "init": Listed(
        "starting",
        "Write a commented tasks.yaml and config.yaml to start from; never over one that is there.",
    ),
    "schema": Listed("starting", "The JSON Schema of tasks.yaml, for editors."),
    "quiet": Listed(
        "quiet",
        "The quiet times of config.yaml: when each holds next, and which slots it will skip.",
    ),
    "keys": Listed("keys", "Print the keys of the screen, with what each does, as a keys.toml."),
    "incidents": Listed(
        "incidents",
        "What is wrong with tasks: one incident for each fault, from its opening to its recovery.",
    ),
    "ack": Listed(
        "incidents",
        "Acknowledge incidents: somebody looks after them, so they are not told of daily any more.",
    ),
    "snooze": Listed(
        "incidents",
        "Be silent about an incident for a while; when it is still open then, it is told again.",
    ),
    "service": Listed("service", "Install CronPilot as a systemd service, or remove it again."),
    "user": Listed("users", "Who may come in over the network: by the API and in a browser."),
    "notify": Listed("incidents", "Whether people can be told."),
}
