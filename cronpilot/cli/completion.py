"""completion: what the shell offers when Tab is pressed.

Typer's own scripts evaluate what they are told; a task's name is any text, and must never be
obeyed. So these scripts are ours: they take lines as data, and bash gets names in quotes.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronpilot.cli.options import command
from cronpilot.cli.session import Options, Session
from cronpilot.domain.text import clean
from cronpilot.errors import UsageProblem

if TYPE_CHECKING:
    from cronpilot.client import Client

PATIENCE_S = 1.0  # nobody waits longer for a Tab
_MOST = 200  # names offered

_BASH = """\
_cronpilot() {
    local IFS=$'\\n'
    mapfile -t COMPREPLY < <("$1" complete bash "$COMP_CWORD" -- "${COMP_WORDS[@]}" 2>/dev/null)
}
complete -o default -F _cronpilot cronpilot
"""
_ZSH = """\
#compdef cronpilot
_cronpilot() {
    local -a found
    found=("${(@f)$("$words[1]" complete zsh $((CURRENT - 1)) -- "${words[@]}" 2>/dev/null)}")
    if [[ -n "$found" ]]; then compadd -- "${found[@]}"; else _files; fi
}
compdef _cronpilot cronpilot
"""
_FISH = """\
function __cronpilot
    set -l words (commandline -opc)
    set -l found (cronpilot complete fish (count $words) -- $words (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c cronpilot -f -a '(__cronpilot)'
"""
_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def register(app: typer.Typer) -> None:
    """Add these commands."""
    command(app, "completion")(completion)
    app.command("complete", hidden=True)(_complete)


def completion(
    session: Session,
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish", help="Your shell.")],
) -> None:
    """Print the script that completes commands, options and task names.

    \b
    bash:  cronpilot completion bash > ~/.local/share/bash-completion/completions/cronpilot
    zsh:   cronpilot completion zsh > ~/.zfunc/_cronpilot    (with ~/.zfunc in your fpath)
    fish:  cronpilot completion fish > ~/.config/fish/completions/cronpilot.fish
    """
    if shell not in _SCRIPTS:
        raise UsageProblem(f"There is no completion for {shell!r}.", "Use bash, zsh or fish.")
    print(_SCRIPTS[shell], end="")


def _complete(
    ctx: typer.Context,
    shell: Annotated[str, typer.Argument()],
    place: Annotated[int, typer.Argument(help="Which word is being typed.")],
    words: Annotated[list[str], typer.Argument()],
) -> None:
    """What could stand at that place, one a line; nothing, and no error, where nobody knows."""
    typed = words[place] if place < len(words) else ""
    for offer in _offers(ctx, words[1:place], _unquoted(typed)):
        print(shlex.quote(offer) if shell == "bash" and not offer.startswith("-") else offer)


def _unquoted(word: str) -> str:
    """What is meant by a word that may not be finished."""
    for ending in ("", "'", '"'):
        try:
            parts = shlex.split(word + ending)
        except ValueError:
            continue
        return parts[0] if parts else ""
    return word


def _offers(ctx: typer.Context, before: Sequence[str], typed: str) -> Iterator[str]:
    root: Any = ctx.find_root().command
    given = _Given(root, before)
    if given.awaits_value:
        return
    known = [name for name, one in root.commands.items() if not one.hidden]
    if typed.startswith("-"):
        within = root.load(given.command) if given.command else root
        yield from _starting(typed, _options_of(within))
    elif given.command is None:
        yield from _starting(typed, known)
    elif given.command == "completion":
        yield from _starting(typed, sorted(_SCRIPTS))
    elif given.arguments == 0 and _takes_a_task(root.load(given.command)):
        yield from _task_names(ctx.obj, given.options, typed)


def _starting(typed: str, words: Sequence[str]) -> Iterator[str]:
    return (word for word in words if word.startswith(typed))


class _Given:
    """What the words before the one that is typed say."""

    def __init__(self, root: Any, words: Sequence[str]) -> None:
        self.command: str | None = None
        self.arguments = 0
        self.awaits_value = False
        self.options: dict[str, str] = {}
        within, wanting = root, ""
        for word in words:
            if wanting:
                self.options[wanting], wanting = _unquoted(word), ""
            elif word.startswith("-"):
                name, equals, value = word.partition("=")
                if equals:
                    self.options[name] = _unquoted(value)
                elif _wants_value(within, word):
                    wanting = word
            elif self.command is None:
                self.command = _unquoted(word)
                within = root.load(self.command)
            else:
                self.arguments += 1
        self.awaits_value = bool(wanting)


def _options_of(command: Any) -> list[str]:
    parameters = command.params if command is not None else []
    return [
        name
        for parameter in parameters
        if parameter.param_type_name == "option" and not getattr(parameter, "hidden", False)
        for name in parameter.opts
    ]


def _wants_value(command: Any, word: str) -> bool:
    parameters = command.params if command is not None else []
    return any(word in parameter.opts and not parameter.is_flag for parameter in parameters
               if parameter.param_type_name == "option")  # fmt: skip


def _takes_a_task(command: Any) -> bool:
    parameters = command.params if command is not None else []
    return any("NAME" in (parameter.metavar or "").split("|") for parameter in parameters
               if parameter.param_type_name == "argument")  # fmt: skip


def _task_names(session: Session, options: dict[str, str], typed: str) -> list[str]:
    """Names that begin with `typed`, without those that would not show what they are."""
    paths = {name: Path(value).expanduser() for name, value in options.items()}
    session.options = Options(
        config=paths.get("--config"), tasks=paths.get("--tasks"),
        state_dir=paths.get("--state-dir"), connect=options.get("--connect"),
        user=options.get("--user"), password_file=paths.get("--password-file"),
        ca_file=paths.get("--ca-file"),
    )  # fmt: skip
    if session.remote is not None and session.remote.would_ask:
        return []  # a Tab is no place for a question either
    try:
        names = session.ask(lambda client: _names(client, typed))
    except Exception:  # noqa: BLE001 - a Tab is no place for any error at all
        return []
    return [name for name in names if name.startswith(typed) and clean(name) == name]


async def _names(client: Client, typed: str) -> list[str]:
    from cronpilot.client.messages import TaskQuery

    query = TaskQuery(text=typed, sort="name", limit=_MOST)
    async with asyncio.timeout(PATIENCE_S):
        return [task.name for task in (await client.tasks(query)).rows]
