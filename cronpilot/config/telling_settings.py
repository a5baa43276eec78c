"""The sections `smtp` and `notifications` of config.yaml: who is told, and by which way.

Passwords and tokens are read where they are needed and shown nowhere.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from cronpilot.domain.duration import Duration
from cronpilot.domain.notify import Addresses, Names, Ping, check_address
from cronpilot.domain.text import clean

PASSWORD = "CRONPILOT_SMTP_PASSWORD"
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_LONGEST_SECRET = 10_000  # characters of a file that holds one
_Word = Annotated[str, Field(min_length=1, max_length=500, strict=True)]


class SmtpSettings(BaseModel):
    """How e-mail leaves this machine. Without `host` none does."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    host: _Word | None = None
    port: int | None = Field(default=None, ge=1, le=65535, strict=True)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: _Word | None = None
    password_file: Path | None = None
    sender: _Word | None = Field(default=None, alias="from")
    timeout: Duration = timedelta(seconds=30)
    ca_file: Path | None = None

    @field_validator("sender")
    @classmethod
    def _is_address(cls, sender: str | None) -> str | None:
        return None if sender is None else check_address(sender)

    @model_validator(mode="after")
    def _not_in_the_clear(self) -> SmtpSettings:
        local = self.host in ("localhost", "127.0.0.1", "::1")
        if self.user is not None and self.security == "none" and not local:
            raise ValueError(
                "user with security: none would send the password unencrypted; use starttls or tls"
            )
        return self

    @property
    def port_in_force(self) -> int:
        return self.port or _PORTS[self.security]

    def password(self, environ: Mapping[str, str] = os.environ) -> str | None:
        """From the file, else the environment. Raises OSError."""
        if self.password_file is not None:
            return _secret_of(self.password_file)
        return environ.get(PASSWORD)


class Channel(BaseModel):
    """Where a channel leads: a URL of apprise, or where it stands. It has its token in it."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    url: _Word | None = Field(default=None, repr=False)
    file: Path | None = None
    env: _Word | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_place(self) -> Channel:
        if [self.url, self.file, self.env].count(None) != 2:
            raise ValueError("must be a URL, or one of {file: PATH} and {env: NAME}")
        return self

    def read(self, environ: Mapping[str, str] = os.environ) -> str | None:
        """The URL; None where the variable is not set. Raises OSError."""
        if self.file is not None:
            return _secret_of(self.file)
        return self.url if self.env is None else environ.get(self.env)


def _secret_of(path: Path) -> str:
    with path.expanduser().open(encoding="utf-8") as file:
        return file.read(_LONGEST_SECRET).strip()


def _clock(value: Any) -> Any:
    if isinstance(value, time) or value is None or value == "off":
        return None if value == "off" else value
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a time of day such as 08:00, or off")
    return time(int(found[1]), int(found[2]))


class NotificationSettings(BaseModel):
    """Whom to tell where a task says nothing itself, and when."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    to: Addresses = Field(default_factory=list)
    channels: dict[Annotated[str, Field(min_length=1, max_length=200)], Channel] = Field(
        default_factory=dict
    )
    use: Names = Field(default_factory=list)  # of these channels
    ping: Ping | None = None
    daily: Annotated[time | None, BeforeValidator(_clock)] = time(8)
    gather: Duration = timedelta(minutes=1)

    @field_validator("gather")
    @classmethod
    def _an_hour_at_most(cls, gather: timedelta) -> timedelta:
        if gather > timedelta(hours=1):
            raise ValueError("must be an hour (1h) or less: nobody would be told in time")
        return gather

    @model_validator(mode="after")
    def _channels_exist(self) -> NotificationSettings:
        unknown = [name for name in self.use if name not in self.channels]
        if unknown:
            raise ValueError(f"use: there is no channel {unknown[0]!r} under channels")
        return self


def warnings_of(smtp: SmtpSettings, told: NotificationSettings) -> list[str]:
    """Sentences about what is set and cannot work so."""
    found = []
    if told.to and smtp.host is None:
        found.append("notifications.to names somebody, but smtp.host no mail server.")
    if told.channels and importlib.util.find_spec("apprise") is None:
        found.append("notifications.channels need apprise: pip install 'cronpilot[notify]'")
    for key, path in (("password_file", smtp.password_file), ("ca_file", smtp.ca_file)):
        if path is not None and not os.access(path.expanduser(), os.R_OK):
            found.append(f"smtp.{key}: {clean(str(path))} cannot be read.")
    return found
