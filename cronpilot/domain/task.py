"""TaskSpec: every field that a user may set, defined once for tasks.yaml, HTTP and the form."""

import hashlib
import json
import re
from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from cronpilot.domain.alarms import Alarms
from cronpilot.domain.choices import Missed as Missed
from cronpilot.domain.choices import Notify as Notify
from cronpilot.domain.choices import OnLost as OnLost
from cronpilot.domain.choices import Overlap as Overlap
from cronpilot.domain.duration import Duration
from cronpilot.domain.notify import NotifyRules
from cronpilot.domain.schedule import Schedule, find_zone
from cronpilot.domain.size import parse_size
from cronpilot.domain.text import composed

# What bash as /bin/sh would obey before the command is reached, and what is ours to set.
_FORBIDDEN_ENV = re.compile(r"(BASH_FUNC_.*|BASH_ENV|ENV|SHELLOPTS|BASHOPTS|CRONPILOT_.*)")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def check_variable(name: str) -> None:
    """Raises ValueError for what is no name of a variable, or is not for a task to set."""
    if not _ENV_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a variable")
    if _FORBIDDEN_ENV.fullmatch(name):
        raise ValueError(f"{name} cannot be set: it would change CronPilot's own shell")


class Limits(BaseModel):
    """What one run may use. `memory` in bytes (address space), `cpu` in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    nice: int | None = Field(default=None, ge=-20, le=19, strict=True)
    memory: (
        Annotated[int, BeforeValidator(parse_size), Field(ge=1 << 20, le=1 << 60, strict=True)]
        | None
    ) = None
    cpu: Duration | None = None
    # A shell itself needs 13.
    open_files: int | None = Field(default=None, ge=16, le=1 << 20, strict=True)


def _no_nul(text: str) -> str:
    """The kernel ends arguments and variables at NUL; UTF-8 has no lone surrogates."""
    if "\0" in text:
        raise ValueError("a NUL character cannot be passed to a command")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("a lone surrogate cannot be written as UTF-8") from None
    return text


Text = Annotated[str, StringConstraints(strict=True), AfterValidator(_no_nul)]
NonEmpty = Annotated[Text, StringConstraints(min_length=1)]
Name = Annotated[
    Text, AfterValidator(composed), StringConstraints(min_length=1, max_length=200)
]  # fmt: skip
Size = Annotated[int, BeforeValidator(parse_size), Field(ge=1 << 16, le=1 << 40, strict=True)]
Count = Annotated[int, Field(ge=0, strict=True)]


class TaskSpec(BaseModel):
    """A named command and when to run it."""

    model_config = ConfigDict(extra="forbid", validate_default=False, defer_build=True)

    name: Name = Field(description="Unique; any text. Shown, never obeyed.")
    description: Text = Field(default="", description="One line for people.")
    command: NonEmpty | Annotated[list[Text], Field(min_length=1)] = Field(
        description="Shell text, or a list of words that run without a shell."
    )
    shell: NonEmpty = Field(default="/bin/sh", description="Runs `command` with -c.")
    working_dir: NonEmpty | None = Field(default=None, description="Default: the home directory.")
    env: dict[str, Text] = Field(default_factory=dict, description="Added to a clean environment.")
    env_file: NonEmpty | None = Field(
        default=None, description="NAME=value lines, read at each start."
    )
    user: NonEmpty | None = Field(default=None, description="Run as; only root can set it.")
    schedule: Schedule = Field(description="When: `daily 02:30`, five cron fields, `every 90s` ...")
    timezone: Text | None = Field(
        default=None, description="IANA name; default: scheduler.timezone."
    )
    active: Annotated[bool, Field(strict=True)] = Field(
        default=True, description="false: nothing is planned."
    )
    overlap: Overlap = Field(default=Overlap.SKIP, description="While the last run still goes.")
    missed: Missed = Field(
        default=Missed.ONCE, description="Slots that passed while no engine ran."
    )
    missed_limit: int = Field(
        default=10, ge=1, le=100, strict=True, description="At most this many with missed: all."
    )
    deadline: Duration | None = Field(default=None, description="How late a run may start.")
    spread: Duration = Field(
        default=timedelta(), description="A fixed offset below this, from the task's name."
    )
    timeout: Duration | None = Field(
        default=None, description="An attempt that takes longer is stopped."
    )
    stop_grace: Duration = Field(
        default=timedelta(seconds=10), description="Between TERM and KILL."
    )
    max_retries: int = Field(
        default=0, ge=0, le=100, strict=True, description="Further attempts after a failure."
    )
    retry_delay: Duration = Field(
        default=timedelta(seconds=60), description="Before the first retry."
    )
    retry_backoff: float = Field(
        default=2.0,
        strict=True,
        ge=1,
        le=10,
        description="Each further delay is this many times longer.",
    )
    retry_max_delay: Duration | None = Field(default=None, description="No delay is longer.")
    success_codes: list[Annotated[int, Field(ge=0, le=255, strict=True)]] = Field(
        default_factory=lambda: [0], min_length=1, description="Exit codes that mean success."
    )
    on_lost: OnLost = Field(default=OnLost.MARK, description="After a machine restart.")
    pool: Name | None = Field(
        default=None, description="Shares the slots of this pool (config.yaml)."
    )
    priority: int = Field(
        default=0, ge=-1000, le=1000, strict=True, description="Higher starts first."
    )
    tags: list[Name] = Field(default_factory=list, description="For filtering.")
    quiet: list[Name] = Field(
        default_factory=list, description="Quiet times of config.yaml in which it is not started."
    )
    notify: NotifyRules = Field(
        default_factory=NotifyRules,
        description="When to tell whom: failure, success, always, never, or {on, to, channels,"
        " after, ping}.",
    )
    alarms: Alarms = Field(
        default_factory=Alarms,
        description="What is unusual: off, or {late, long, silent, skipped}, each auto or off.",
    )
    log_limit: Size = Field(
        default=50_000_000, description="Bytes of output kept of one run: its head and its tail."
    )
    keep: Annotated[int, Field(ge=1, le=10**9, strict=True)] | None = Field(
        default=None, description="How many runs are remembered."
    )
    limits: Limits = Field(default_factory=Limits, description="nice, memory, cpu, open files.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None:
            find_zone(name)
        return name

    @field_validator("deadline")
    @classmethod
    def _reachable_deadline(cls, deadline: timedelta | None) -> timedelta | None:
        if deadline == timedelta():
            raise ValueError(
                "with 0s no run would start: write 1m, or leave it out for no deadline"
            )
        return deadline

    @field_validator("env")
    @classmethod
    def _harmless_env(cls, env: dict[str, str]) -> dict[str, str]:
        for name in env:
            check_variable(name)
        return env

    @field_validator("tags", "quiet")
    @classmethod
    def _each_tag_once(cls, tags: list[str]) -> list[str]:
        return list(dict.fromkeys(tags))

    def meaning(self) -> str:
        """A hash that changes exactly when the meaning of the definition does.

        Of what differs from the defaults alone: a later version with more fields must not take
        every entry of a tasks file for changed.
        """
        said = json.dumps(told_dict(self), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(said.encode()).hexdigest()

    def zone(self, default: str) -> ZoneInfo:
        """The zone its schedule is read in; `default` is scheduler.timezone."""
        return find_zone(self.timezone or default)


def told_dict(spec: TaskSpec) -> dict[str, Any]:
    """The fields that differ from their defaults, as JSON values, in the order of TaskSpec."""
    fields = set(TaskSpec.model_fields)
    return spec.model_dump(mode="json", include=fields, exclude_defaults=True)


def spec_dict(spec: TaskSpec) -> dict[str, Any]:
    """The fields of TaskSpec alone (also of a subclass with more), as JSON values."""
    return spec.model_dump(mode="json", include=set(TaskSpec.model_fields))
