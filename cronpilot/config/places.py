"""Where settings, tasks, keys and the state are: light to load, for commands that read no file."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from cronpilot.domain.text import clean
from cronpilot.domain.zones import find_zone
from cronpilot.errors import ConfigError, InvalidSchedule

Found = Literal["flag", "environment", "working directory", "xdg", "etc"]

DEFAULT_DATABASE = "cronpilot.db"
_ETC = Path("/etc/cronpilot")
_ZONEINFO = "/zoneinfo/"  # what precedes the name of a zone in the path of its file


class Looks(Protocol):
    """How the screen looks and is used: the `tui` section of config.yaml."""

    @property
    def theme(self) -> str: ...

    @property
    def ascii(self) -> bool | None: ...

    @property
    def mouse(self) -> bool: ...


class PlainLooks(NamedTuple):
    """Those where config.yaml says nothing."""

    theme: str = "auto"
    ascii: bool | None = None
    mouse: bool = True


@dataclass(frozen=True, slots=True)
class Places:
    """What the screen is painted by: a part of `settings.Settings`. All paths are absolute."""

    state_dir: Path
    database: Path
    config_file: Path | None
    tasks_file: Path | None
    tasks_file_found: Found | None
    timezone: str  # IANA name; of tasks that set none
    tui: Looks = PlainLooks()  # noqa: RUF009  a tuple
    keys_file: Path | None = None  # keys.toml: other keys for the screen
    settings_warnings: tuple[str, ...] = ()  # sentences; nothing that stops a start
    take_over: bool = False  # archive what other tasks files declared and this one does not


def places_without_config(
    *,
    tasks: Path | None,
    state_dir: Path | None,
    looks: PlainLooks,
    environ: Mapping[str, str],
    cwd: Path,
) -> Places | None:
    """What `settings.load_settings` finds where there is no config.yaml; None: there is one.

    Raises:
        ConfigError: a file that was named does not exist.
    """
    notes: list[str] = []
    search = Search(environ, cwd.absolute(), notes)
    if search.find("config.yaml", None, "--config", "CRONPILOT_CONFIG")[0] is not None:
        return None
    tasks_file, found = search.find("tasks.yaml", tasks, "--tasks", "CRONPILOT_TASKS")
    keys_file, _ = search.find("keys.toml", None, "--keys", "CRONPILOT_KEYS")
    state = find_state_dir(state_dir, environ, cwd.absolute())
    return Places(
        state_dir=state, database=state / DEFAULT_DATABASE, config_file=None,
        tasks_file=tasks_file, tasks_file_found=found, keys_file=keys_file, tui=looks,
        timezone=machine_timezone(environ, notes), settings_warnings=tuple(notes),
    )  # fmt: skip


class Search(NamedTuple):
    """The places where a file may be, in their order."""

    environ: Mapping[str, str]
    cwd: Path
    notes: list[str]

    def find(
        self, name: str, flag: Path | None, flag_name: str, variable: str
    ) -> tuple[Path | None, Found | None]:
        if flag is not None:
            return self._named(flag, flag_name), "flag"
        if named := self.environ.get(variable):
            return self._named(Path(named), variable), "environment"
        if self._trusted(self.cwd / name):
            return self.cwd / name, "working directory"
        xdg = _xdg(self.environ, "XDG_CONFIG_HOME", ".config") / "cronpilot" / name
        if _is_there(xdg):
            return xdg, "xdg"
        if _is_there(_ETC / name):
            return _ETC / name, "etc"
        return None, None

    def _named(self, path: Path, by: str) -> Path:
        whole = absolute(path, self.cwd)
        if not _is_there(whole):
            raise ConfigError(
                f"{by}: there is no file {clean(str(whole))}.", "Check the path for a slip."
            )
        return whole

    def _trusted(self, path: Path) -> bool:
        """Whether a file that just lies here may say what is run: only its owner's own may."""
        try:
            link, target = path.lstat(), path.stat()
        except OSError:
            return False
        mine = os.geteuid()
        if (link.st_uid, target.st_uid) != (mine, mine):
            why = "it belongs to another user"
        elif target.st_mode & 0o002:
            why = "everybody may write to it"
        else:
            return True
        self.notes.append(
            f"{clean(str(path))} is not used: {why}. If you trust it, name it with a flag."
        )
        return False


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a parent is closed to us; a NUL in the path
        return False


def absolute(path: Path, cwd: Path) -> Path:
    """A path as it is without links followed and without `..` in it."""
    return Path(os.path.normpath(cwd / path))


def _xdg(environ: Mapping[str, str], variable: str, below_home: str) -> Path:
    """A base directory of the XDG specification, which tells us to ignore relative ones."""
    named = Path(environ.get(variable, ""))
    if named.is_absolute():
        return named
    return Path(environ.get("HOME") or Path("~").expanduser()) / below_home


def find_state_dir(flag: Path | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """The state directory: by flag, by CRONPILOT_STATE_DIR, else the XDG one."""
    if flag is not None:
        return absolute(flag, cwd)
    if named := environ.get("CRONPILOT_STATE_DIR"):
        return absolute(Path(named), cwd)
    return absolute(_xdg(environ, "XDG_STATE_HOME", ".local/state") / "cronpilot", cwd)


# --- the machine's time zone ---------------------------------------------------------------------


def machine_timezone(environ: Mapping[str, str], notes: list[str]) -> str:
    """The IANA name of this machine's zone; UTC, with a note, when nobody can tell it.

    TZ, else the link /etc/localtime, which is what cron goes by, else what tzlocal finds.
    """
    finders: tuple[Callable[[], str], ...] = (
        lambda: environ.get("TZ", "").removeprefix(":"), _linked_zone, _tzlocal_name,
    )  # fmt: skip
    for find in finders:
        candidate = find()
        name = candidate.rpartition(_ZONEINFO)[2] if candidate.startswith("/") else candidate
        if name and _is_zone(name):
            return name
    notes.append("The machine's time zone is unknown: UTC is used. Set scheduler.timezone.")
    return "UTC"


def _is_zone(name: str) -> bool:
    try:
        find_zone(name)
    except InvalidSchedule:
        return False
    return True


def _linked_zone(link: str = "/etc/localtime") -> str:
    target = os.path.realpath(link)
    return target if _ZONEINFO in target else ""


def _tzlocal_name() -> str:
    import tzlocal  # here, because only machines without the link need it

    with warnings.catch_warnings():  # its own words would go to the terminal
        warnings.simplefilter("ignore")
        try:
            return str(tzlocal.get_localzone_name() or "")
        except (LookupError, ValueError, OSError):
            return ""


# --- the machine ---------------------------------------------------------------------------------


def unsupported_platform() -> str | None:
    """One sentence when CronPilot cannot work here at all; None when it can."""
    if sys.platform != "linux":
        return f"CronPilot 0.1 is for Linux; this machine says {sys.platform!r}."
    version = sys.version_info[:2]
    if not (3, 11) <= version <= (3, 13):
        return f"CronPilot 0.1 needs Python 3.11 to 3.13; this is {version[0]}.{version[1]}."
    return None
