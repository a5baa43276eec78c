"""Settings: config.yaml, the environment and the flags, joined into one frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from cronpilot.config.places import (
    DEFAULT_DATABASE,
    Places,
    Search,
    absolute,
    find_state_dir,
    machine_timezone,
)
from cronpilot.config.quiet import QuietSettings, quiet_rules
from cronpilot.config.screen_settings import ScreenSettings
from cronpilot.config.telling_settings import NotificationSettings, SmtpSettings, warnings_of
from cronpilot.config.web_settings import WebSettings
from cronpilot.domain.duration import Duration
from cronpilot.domain.quiet import Rule
from cronpilot.domain.size import parse_size
from cronpilot.domain.text import clean
from cronpilot.domain.zones import find_zone
from cronpilot.errors import Complaint, ConfigError, InvalidFile

if TYPE_CHECKING:
    from cronpilot.config.document import Document


class ApiSettings(BaseModel):
    """Where the API listens on TCP, and to whom it answers."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    enabled: bool | None = Field(default=None, strict=True)  # None: only when headless
    host: Annotated[str, Field(min_length=1, strict=True)] = "127.0.0.1"
    port: int = Field(default=7000, ge=0, le=65535, strict=True)  # 0: one that is free
    tls_cert: Path | None = None  # PEM, with the certificates between it and its root
    tls_key: Path | None = None  # default: it is in the same file
    allowed_hosts: list[Annotated[str, Field(min_length=1, strict=True)]] = Field(
        default_factory=list, max_length=100
    )  # names by which it is called, besides localhost and `host`
    insecure: bool = Field(default=False, strict=True)  # passwords may cross a network unencrypted
    rate_limit: int = Field(default=20, ge=1, le=100_000, strict=True)  # requests/s of a client
    metrics_tasks: int = Field(default=1000, ge=0, le=100_000, strict=True)  # with figures each

    @model_validator(mode="after")
    def _not_in_the_clear(self) -> ApiSettings:
        if self.tls_key is not None and self.tls_cert is None:
            raise ValueError("tls_key needs tls_cert beside it")
        if self.tls_cert is None and not self.insecure and not is_loopback(self.host):
            raise ValueError(
                f"host {self.host} is open to the network, where passwords would go unencrypted:"
                " set tls_cert and tls_key, or insecure: true"
            )
        return self


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that address."""
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class RetentionSettings(BaseModel):
    """How long runs and their logs are remembered; whichever rule is met first counts."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    runs: int = Field(default=10_000, ge=1, le=10_000_000, strict=True)  # of a task without `keep`
    age: Duration = timedelta(days=90)
    log_size: Annotated[int, BeforeValidator(parse_size), Field(ge=1_000_000, le=1 << 50)] = 10**9

    @field_validator("age")
    @classmethod
    def _a_day_at_least(cls, age: timedelta) -> timedelta:
        if age < timedelta(days=1):
            raise ValueError("must be a day (1d) or more")
        return age


@dataclass(frozen=True, slots=True)
class Settings(Places):
    """What one start of CronPilot goes by. All paths are absolute."""

    max_workers: int = 10
    pools: dict[str, int] = field(default_factory=dict)  # name -> slots
    quiet: dict[str, Rule] = field(default_factory=dict)  # quiet times by name
    connect: str | None = None  # URL of another machine's engine
    api: ApiSettings = field(default_factory=ApiSettings.model_construct)
    web: WebSettings = field(default_factory=WebSettings.model_construct)
    retention: RetentionSettings = field(default_factory=RetentionSettings.model_construct)
    smtp: SmtpSettings = field(default_factory=SmtpSettings.model_construct)
    notifications: NotificationSettings = field(
        default_factory=NotificationSettings.model_construct
    )
    tui: ScreenSettings = field(default_factory=ScreenSettings.model_construct)


def whole(places: Places, environ: Mapping[str, str]) -> Settings:
    """The settings of a start that found no config.yaml, or those that it has already read."""
    if isinstance(places, Settings):
        return places
    known = {one.name: getattr(places, one.name) for one in fields(places)}
    looks = known.pop("tui")
    return Settings(
        **known,
        tui=ScreenSettings(theme=looks.theme, ascii=looks.ascii, mouse=looks.mouse),
        api=_api(ApiSettings.model_construct(), None, environ),
    )


class _Scheduler(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)

    timezone: Annotated[str, Field(strict=True)] | None = None
    max_workers: int = Field(default=10, ge=1, le=1000, strict=True)
    jobstore_url: Annotated[str, Field(strict=True)] | None = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None:
            find_zone(name)
        return name


class _Config(BaseModel):
    # Defaults are made by `model_construct`, here and above: without a config.yaml no validator
    # has to be built, which would take a short command 20 ms.
    model_config = ConfigDict(extra="forbid", defer_build=True)

    scheduler: _Scheduler = Field(default_factory=_Scheduler.model_construct)
    pools: dict[
        Annotated[str, Field(min_length=1, max_length=200)],
        Annotated[int, Field(ge=1, le=1000, strict=True)],
    ] = Field(default_factory=dict)
    api: ApiSettings = Field(default_factory=ApiSettings.model_construct)
    web: WebSettings = Field(default_factory=WebSettings.model_construct)
    quiet: dict[Annotated[str, Field(min_length=1, max_length=200)], QuietSettings] = Field(
        default_factory=dict
    )
    retention: RetentionSettings = Field(default_factory=RetentionSettings.model_construct)
    smtp: SmtpSettings = Field(default_factory=SmtpSettings.model_construct)
    notifications: NotificationSettings = Field(
        default_factory=NotificationSettings.model_construct
    )
    tui: ScreenSettings = Field(default_factory=ScreenSettings.model_construct)


def load_settings(
    *,
    config: Path | None = None,
    tasks: Path | None = None,
    state_dir: Path | None = None,
    connect: str | None = None,
    keys: Path | None = None,
    environ: Mapping[str, str],
    cwd: Path,
) -> Settings:
    """Find and read config.yaml, and find tasks.yaml and keys.toml, which are not opened here.

    All are looked for by flag, by environment (CRONPILOT_CONFIG, CRONPILOT_TASKS, CRONPILOT_KEYS),
    in `cwd`, in the XDG config directory and in /etc/cronpilot. Relative paths are relative to
    `cwd`.

    Raises:
        ConfigError: a file that was named does not exist.
        InvalidFile: config.yaml cannot be used; every complaint.
    """
    notes: list[str] = []
    search = Search(environ, cwd.absolute(), notes)
    config_file, _ = search.find("config.yaml", config, "--config", "CRONPILOT_CONFIG")
    tasks_file, found = search.find("tasks.yaml", tasks, "--tasks", "CRONPILOT_TASKS")
    keys_file, _ = search.find("keys.toml", keys, "--keys", "CRONPILOT_KEYS")
    read = _read_config(config_file) if config_file else _Config.model_construct()
    state = find_state_dir(state_dir, environ, cwd.absolute())
    notes += warnings_of(read.smtp, read.notifications)
    url = read.scheduler.jobstore_url
    return Settings(
        state_dir=state,
        database=database_of(url, state) if url else state / DEFAULT_DATABASE,
        config_file=config_file,
        tasks_file=tasks_file,
        tasks_file_found=found,
        timezone=read.scheduler.timezone or machine_timezone(environ, notes),
        max_workers=read.scheduler.max_workers,
        pools=read.pools,
        quiet=quiet_rules(read.quiet, config_file) if read.quiet and config_file else {},
        connect=connect,
        api=_api(read.api, config_file, environ),
        web=read.web,
        retention=read.retention,
        smtp=read.smtp,
        notifications=read.notifications,
        tui=read.tui,
        keys_file=keys_file,
        settings_warnings=tuple(notes),
    )


def settings_without_config(
    *, state_dir: Path | None, environ: Mapping[str, str], cwd: Path
) -> Settings:
    """What would hold if there were no config.yaml and no tasks.yaml: to go on when one is bad."""
    state = find_state_dir(state_dir, environ, cwd.absolute())
    return Settings(
        state_dir=state, database=state / DEFAULT_DATABASE, config_file=None, tasks_file=None,
        tasks_file_found=None, timezone=machine_timezone(environ, []),
    )  # fmt: skip


# --- config.yaml ---------------------------------------------------------------------------------


def _read_config(path: Path) -> _Config:
    # Here, because most commands on most machines read no YAML.
    from cronpilot.config.strict_yaml import load
    from cronpilot.config.wording import complaints_of

    document = load(path)
    value = document.value
    if value is None:  # an empty file, or one of comments alone
        return _Config()
    if not isinstance(value, dict):
        raise InvalidFile([document.complaint((), "must be keys with values.", _CONFIG_EXAMPLE)])
    # A section whose lines are all commented out is the same as none.
    given = {key: section for key, section in value.items() if section is not None}
    complaints = _url_complaints(document)
    try:
        config = _Config.model_validate(given)
    except ValidationError as error:
        complaints += complaints_of(error, _Config, document, ())
    if complaints:
        raise InvalidFile(sorted(complaints, key=lambda complaint: complaint.line))
    return config


def _api(api: ApiSettings, config_file: Path | None, environ: Mapping[str, str]) -> ApiSettings:
    """With CRONPILOT_API_PORT, a number or `off`, and paths that are relative to config.yaml."""
    changes: dict[str, object] = {}
    if config_file is not None:
        for name in ("tls_cert", "tls_key"):
            if (path := getattr(api, name)) is not None:
                changes[name] = absolute(path, config_file.parent)
    port = environ.get("CRONPILOT_API_PORT")
    if port == "off":
        changes["enabled"] = False
    elif port:
        if not (port.isascii() and port.isdigit() and int(port) <= 65_535):
            raise ConfigError(f"CRONPILOT_API_PORT: {clean(port)} is no port.", "Such as 7000.")
        changes["port"] = int(port)
    return api.model_copy(update=changes)


_CONFIG_EXAMPLE = "Such as scheduler: {max_workers: 10}."


def _url_complaints(document: Document) -> list[Complaint]:
    scheduler = document.value.get("scheduler")
    url = scheduler.get("jobstore_url") if isinstance(scheduler, dict) else None
    try:
        if isinstance(url, str):
            database_of(url, Path("/"))
    except ConfigError as error:
        return [document.complaint(("scheduler", "jobstore_url"), error.problem, error.hint)]
    return []


def database_of(url: str, state_dir: Path) -> Path:
    """The file that `jobstore_url` names; a relative one (three slashes) is in `state_dir`.

    Raises:
        ConfigError: anything but a file of SQLite. A URL may hold a password, so only its scheme is
            repeated.
    """
    scheme, colon, rest = url.partition("://")
    if not colon or scheme != "sqlite":
        named = f"{scheme}: databases are" if colon else "it is"
        raise ConfigError(f"cannot be used: {named} not SQLite.", "Use sqlite:///cronpilot.db.")
    name = rest.removeprefix("/")
    if name == rest or not name or name.endswith("/") or set(name) & set("?#\0"):
        raise ConfigError(
            "names no file.",
            "Use sqlite:///cronpilot.db (in the state directory) or sqlite:////var/lib/cronpilot.db.",
        )
    return Path(os.path.normpath(state_dir / name))
