"""What can be done from a screen now, as commands: for the palette and for the help."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

from cronpilot.domain.text import clean
from cronpilot.tui import themes
from cronpilot.tui.commands import Command, fit_of
from cronpilot.tui.key_catalogue import catalogue, place_name
from cronpilot.tui.key_names import NO_KEY, key_name
from cronpilot.tui.meaning import MEANT, Meant
from cronpilot.tui.screens.acting import ActingScreen
from cronpilot.tui.screens.dashboard import Dashboard
from cronpilot.tui.widgets.key_bar import in_order

if TYPE_CHECKING:
    from cronpilot.tui.app import CronPilotApp

_MOVEMENTS = ("move", "page", "edge", "scroll", "sideways")
"""Actions that make no sense but by their key."""


async def open_palette(app: CronPilotApp, screen: ActingScreen) -> None:
    """Ask what to do, and do it: to what was under the cursor when it was opened."""
    from cronpilot.tui.screens.palette import Palette

    commands = [*offered(screen), *_of_other_parts(screen), *_of_the_app(app)]
    verbs = [one for one in commands if one.action in screen.ON_A_TASK]
    if screen.chosen_task() is None:  # with a name behind it, it does something nevertheless
        commands = [one for one in commands if one not in verbs]
    chosen = await app.push_screen_wait(
        Palette(commands, verbs, app.memory.recent, partial(_tasks, screen))
    )
    if chosen is not None and chosen.deed is not None:
        if not chosen.id.startswith("task "):
            app.memory.use(chosen.id)
        await chosen.deed()


async def open_help(app: CronPilotApp, screen: Screen[Any]) -> None:
    """Show all keys; those that work here can be chosen."""
    from cronpilot.tui.screens.help import HelpScreen

    here = offered(screen, movements_last=False)
    if isinstance(screen, ActingScreen) and screen.chosen_task() is None:
        here = [one for one in here if one.action not in screen.ON_A_TASK]
    chosen = await app.push_screen_wait(HelpScreen(here, elsewhere(screen, here)))
    if chosen is not None and chosen.deed is not None:
        await chosen.deed()


def offered(screen: Screen[Any], *, movements_last: bool = True) -> list[Command]:
    """Everything that a key does here, what has the focus first."""
    commands: dict[str, Command] = {}
    moves: dict[str, Command] = {}
    meant = _meant(screen)
    for key, (node, binding, enabled, tooltip) in in_order(screen):
        if not enabled or binding.system or not binding.description or not binding.id:
            continue
        moves_only = movements_last and _bare(binding.action) in _MOVEMENTS
        into = moves if moves_only else commands
        before = into.get(binding.id)
        keys = f"{before.keys if before else ''} {key_name(key)}".split()
        into[binding.id] = Command(
            binding.id, binding.description, tooltip or binding.tooltip,
            keys=" ".join(sorted(keys, key=len)),
            place=place_name(binding.id), about=_about(screen, binding, meant),
            action=binding.action,
            deed=partial(_perform, screen, binding.action, node, meant),
        )  # fmt: skip
    commands.pop("app.palette" if movements_last else "", None)
    return [*commands.values(), *moves.values()]


def elsewhere(screen: Screen[Any], offered_here: Sequence[Command]) -> list[Command]:
    """Everything that a key does in another place, so that it can be looked up: no deeds."""
    here = {command.id for command in offered_here}
    keymap = screen.app.keymap  # type: ignore[attr-defined]
    return [
        Command(known.id, known.binding.description, known.binding.tooltip,
                place=f"{known.place_name} (not here)",
                keys=" ".join(key_name(key) for key in keymap.keys_of(known) if key != NO_KEY))
        for known in catalogue().values()
        if known.id not in here
    ]  # fmt: skip


# --- from the dashboard: what another view or the log can do -------------------------------------


def _of_other_parts(screen: ActingScreen) -> Iterator[Command]:
    """The keys of views that are not in view, and of the log: going there is part of the deed."""
    if not isinstance(screen, Dashboard):
        return
    for view in screen.views:
        if view is not screen.current:
            go = partial(screen.action_view, str(view.id))
            yield from _of_part(screen, view, view.TITLE, go)
    if screen.current.HAS_LOG and not screen.panel.output.has_focus:
        yield from _of_part(screen, screen.panel.output, "Log", screen.action_focus_log)


def _of_part(
    screen: ActingScreen, node: DOMNode, title: str, go: Callable[[], object]
) -> Iterator[Command]:
    for binding in node._bindings.key_to_bindings.values():
        for one in binding:
            if one.id and one.description and not one.system:
                if _bare(one.action) in _MOVEMENTS:
                    continue
                yield Command(
                    one.id, f"{title}: {one.description}", one.tooltip, keys=key_name(one.key),
                    deed=partial(_go_and_perform, screen, go, one.action, node),
                )  # fmt: skip


async def _go_and_perform(
    screen: ActingScreen, go: Callable[[], object], action: str, node: DOMNode
) -> None:
    go()
    await _perform(screen, action, node, None)


# --- of the application ------------------------------------------------------------------------


def _of_the_app(app: CronPilotApp) -> Iterator[Command]:
    for name, word in themes.WORDS.items():
        now = " (now)" if app.theme == name else ""
        note = f"{themes.LOOKS[name]}; remembered for the next time"
        yield Command(f"theme.{word}", f"Theme: {word}{now}", note,
                      deed=partial(_soon, partial(app.choose_theme, name)))  # fmt: skip
    if app.options.keys_file is not None:
        note = f"Take the keys of {clean(str(app.options.keys_file))}"
        yield Command("keys.read", "Read keys.toml again", note, deed=partial(_soon, app.read_keys))


async def _soon(deed: Callable[[], object]) -> None:
    deed()


# --- tasks ---------------------------------------------------------------------------------------


async def _tasks(screen: ActingScreen, text: str, verbs: Sequence[Command]) -> list[Command]:
    """The engine is asked for some that match, however many there are; those whose names do best
    are listed."""
    from cronpilot.client.messages import TaskQuery
    from cronpilot.tui.screens.palette import ASKED, MOST_TASKS

    rows = (await screen.client.tasks(TaskQuery(text=text, limit=ASKED))).rows
    rows = sorted(rows, key=lambda task: -fit_of(text, clean(task.name)))[:MOST_TASKS]
    found: list[Command] = []
    for verb in verbs:
        for task in rows:
            meant = Meant((task.id, task.name))
            deed = partial(_perform, screen, verb.action, screen, meant)
            found.append(replace(verb, about=clean(task.name), deed=deed))
    if not verbs:
        found = [
            Command(f"task {task.id}", "Go to", clean(task.schedule_words), clean(task.name),
                    deed=partial(_go_to_task, screen, task.id, task.name))
            for task in rows
        ]  # fmt: skip
    return found


async def _go_to_task(screen: ActingScreen, task_id: int, name: str) -> None:
    app = screen.pilot_app
    while app.screen is not app.dashboard:
        await app.pop_screen()
    app.dashboard.go_to_task(task_id, name)


# --- words and deeds -----------------------------------------------------------------------------


def _meant(screen: Screen[Any]) -> Meant | None:
    if not isinstance(screen, ActingScreen):
        return None
    return Meant(screen.chosen_task(), screen.chosen_run())


def _about(screen: Screen[Any], binding: Binding, meant: Meant | None) -> str:
    if not isinstance(screen, ActingScreen) or binding.action not in screen.ON_A_TASK:
        return ""
    return clean(meant.task[1]) if meant and meant.task else ""


def _perform(
    screen: Screen[Any], action: str, node: DOMNode, meant: Meant | None
) -> Awaitable[None]:
    async def perform() -> None:
        before = MEANT.set(meant)
        try:
            await screen.app.run_action(action, node)
        finally:
            MEANT.reset(before)

    return perform()


def _bare(action: str) -> str:
    return action.partition("(")[0].rpartition(".")[2]
