"""CronPilot as a systemd service: the text of its unit, and putting it in its place."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cronpilot.errors import Refused

Scope = Literal["system", "user"]
Say = Callable[[str], None]

_TOOL_S = 60.0
_MARK = "# Written by: cronpilot service install"

# What can take nothing from a task. The rest (--harden) also holds for the tasks, which live in the
# same unit: without root, nearly all of it implies NoNewPrivileges, and sudo in a task fails.
_HARMLESS = ("KeyringMode=private", "OOMPolicy=continue", "TasksMax=infinity", "LimitNOFILE=65536")
_HARDENED = (
    "NoNewPrivileges=yes", "ProtectSystem=full", "PrivateTmp=yes", "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes", "ProtectKernelLogs=yes", "ProtectControlGroups=yes",
    "ProtectClock=yes", "RestrictSUIDSGID=yes", "RestrictRealtime=yes", "LockPersonality=yes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Service:
    """What the unit is to say. All paths are absolute.

    Attributes:
        program: the words that start `cronpilot`.
        run_as: another user than the manager's own; for the system's manager only.
    """

    scope: Scope
    program: tuple[str, ...]
    state_dir: Path
    tasks: Path | None = None
    config: Path | None = None
    run_as: str | None = None
    name: str = "cronpilot"
    harden: bool = False

    @property
    def unit(self) -> str:
        return f"{self.name}.service"

    def path(self, home: Path | None = None) -> Path:
        """Where the unit belongs."""
        if self.scope == "system":
            return Path("/etc/systemd/system") / self.unit
        config = os.environ.get("XDG_CONFIG_HOME") or str((home or Path.home()) / ".config")
        return Path(config) / "systemd/user" / self.unit

    def words(self) -> list[str]:
        """The command of the engine."""
        words = [*self.program, "--headless", "--state-dir", str(self.state_dir)]
        for option, path in (("--tasks", self.tasks), ("--config", self.config)):
            words += [option, str(path)] if path is not None else []
        return words

    def text(self) -> str:
        """The unit."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield f"{_MARK}. It is yours to change."
        yield "[Unit]"
        yield "Description=CronPilot"
        yield "After=network.target"
        yield ""
        yield "[Service]"
        yield "Type=notify"
        if self.run_as:
            yield f"User={self.run_as}"
        yield f"ExecStart={' '.join(quoted(word) for word in self.words())}"
        yield "ExecReload=/bin/kill -HUP $MAINPID"
        if self.state_dir == Path("/var/lib") / self.name:
            yield f"StateDirectory={self.name}"
            yield "StateDirectoryMode=0700"
        yield "# What runs, and the keeper that holds it, outlive a restart of the engine."
        yield "KillMode=process"
        yield "Restart=on-failure"
        yield "RestartSec=1"
        yield "WatchdogSec=120"
        yield from _HARMLESS
        if self.harden:
            yield "# This holds for the tasks, too."
            yield from _HARDENED
        yield ""
        yield "[Install]"
        yield f"WantedBy={'multi-user.target' if self.scope == 'system' else 'default.target'}"


def quoted(word: str) -> str:
    """A word of ExecStart as systemd reads it back: specifiers and variables are doubled, and a
    control character is an escape, for a line ends the setting."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    word = re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\x{ord(found[0]):02x}", word)
    return word if re.fullmatch(r"[\w./:=@%$+-]+", word) else f'"{word}"'


def program() -> tuple[str, ...]:
    """How this very program is started by its absolute path."""
    script = Path(sys.executable).parent / "cronpilot"
    if os.access(script, os.X_OK):
        return (str(script),)
    return (sys.executable, "-P", "-m", "cronpilot")


def install(service: Service, say: Say) -> None:
    """Write the unit and start it; each step is told.

    Raises:
        Refused: without systemd or the right to, or when a unit of that name is another's.
    """
    systemctl = _systemctl(service.scope)
    path = service.path()
    if path.exists() and _MARK not in path.read_text(errors="replace"):
        raise Refused(
            f"{path} is there already, and was not written by CronPilot.",
            "Choose another name: --name NAME",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_text(service.text())
        fresh.chmod(0o644)
        fresh.rename(path)
    except PermissionError as error:
        raise Refused(
            f"{path} is not yours to write.", "As root: sudo cronpilot service install, or --user."
        ) from error
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
    say(f"{path} is written.")
    _run([*systemctl, "daemon-reload"])
    _run([*systemctl, "enable", "--now", service.unit])
    say(f"{service.unit} is enabled, and runs: {' '.join(systemctl)} status {service.unit}")
    if service.scope == "user":
        say("It ends with your last log-in, unless: loginctl enable-linger")


def remove(service: Service, say: Say) -> None:
    """Stop it, disable it and remove the unit; the state directory and running tasks stay.

    Raises:
        Refused: there is none, or it was not written by CronPilot.
    """
    path = service.path()
    if not path.exists():
        raise Refused(f"There is no {path}.", "Which one is it? See --user, --system and --name.")
    if _MARK not in path.read_text(errors="replace"):
        raise Refused(f"{path} was not written by CronPilot.", "Remove it by hand.")
    systemctl = _systemctl(service.scope)
    _run([*systemctl, "disable", "--now", service.unit])
    say(f"{service.unit} is stopped and disabled; what its tasks had running goes on.")
    try:
        path.unlink()
    except PermissionError as error:
        raise Refused(f"{path} is not yours to remove.", "Do it as root.") from error
    _run([*systemctl, "daemon-reload"])
    say(f"{path} is removed. Tasks, history and logs are where they were: {service.state_dir}")


def _systemctl(scope: Scope) -> list[str]:
    if shutil.which("systemctl") is None:
        raise Refused(
            "There is no systemd here (systemctl is missing).",
            "In a container, start `cronpilot --headless` as its command.",
        )
    return ["systemctl", "--user"] if scope == "user" else ["systemctl"]


def _run(words: list[str]) -> None:
    try:
        done = subprocess.run(words, capture_output=True, timeout=_TOOL_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"{' '.join(words)} does not answer: {error}") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
        raise Refused(f"{' '.join(words)} failed: {said}", "See: journalctl -xe")
