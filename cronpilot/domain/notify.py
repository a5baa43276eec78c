"""Who is to be told of a task's runs, and which addresses can be told at all."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    StringConstraints,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from cronpilot.domain.choices import Notify as Notify

# No blank, control character, quote or separator: an address stands in a header as it is. A bare
# name (root) is for the mail server of this machine.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}(@[A-Za-z0-9._-]{1,253})?", re.ASCII)
_URL = re.compile(r"https?://[^\s\x00-\x20\x7f<>\"\\^`{|}]+", re.ASCII)
_PLACE = "{task}"  # in the address of a ping: the name of the task as part of a URL


def check_address(text: str) -> str:
    """Raises ValueError for what is no e-mail address."""
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is not an e-mail address")
    return text


def check_url(text: str) -> str:
    """Raises ValueError for what cannot be asked for over HTTP."""
    if len(text) > 2000 or not _URL.fullmatch(text.replace(_PLACE, "task")):
        raise ValueError("is not the address of a web page (https://...)")
    return text


def _one_or_more(value: Any) -> Any:
    """`a@x.org, b@x.org` as a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


_Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=2000)]
Addresses = Annotated[
    list[Annotated[_Text, AfterValidator(check_address)]],
    Field(max_length=50),
    BeforeValidator(_one_or_more),
    AfterValidator(lambda to: list(dict.fromkeys(to))),
]
Names = Annotated[
    list[Annotated[str, StringConstraints(strict=True, min_length=1, max_length=200)]],
    Field(max_length=50),
    BeforeValidator(_one_or_more),
]


class Ping(BaseModel):
    """Addresses that are fetched when a run starts, succeeds or fails. For services that raise an
    alarm when nothing comes."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    start: _Text | None = None
    success: _Text | None = None
    fail: _Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_one(cls, value: Any) -> Any:
        """One address stands for the three that healthchecks.io and others make of it."""
        if not isinstance(value, str):
            return value
        url = check_url(value).rstrip("/")
        if "?" in url or "#" in url:
            raise ValueError("nothing can be added to that address: name start, success and fail")
        return {"start": f"{url}/start", "success": url, "fail": f"{url}/fail"}

    @field_validator("start", "success", "fail")
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        return None if url is None else check_url(url)


_NOTHING_MORE = (None, None, 1, None)


class NotifyRules(BaseModel):
    """When to tell whom. What is not said comes from `notifications:` of config.yaml.

    A word alone (`failure`) is `{on: failure}`, and is written so.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    on: Notify = Notify.FAILURE
    to: Addresses | None = None  # None: those of config.yaml; empty: nobody
    channels: Names | None = None  # names in config.yaml; likewise
    after: int = Field(default=1, ge=1, le=100, strict=True)  # failures in a row
    ping: Ping | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return {"on": value} if isinstance(value, str) else value

    @field_validator("ping")
    @classmethod
    def _names_an_address(cls, ping: Ping | None) -> Ping | None:
        return None if ping == Ping() else ping

    @model_serializer(mode="wrap")
    def _as_word(self, handler: SerializerFunctionWrapHandler) -> Any:
        if (self.to, self.channels, self.after, self.ping) == _NOTHING_MORE:  # of nearly all tasks
            return str(self.on)
        told = {
            name: value
            for name, value in handler(self).items()
            if getattr(self, name) != type(self).model_fields[name].default
        }
        if isinstance(told.get("ping"), dict):
            told["ping"] = {key: url for key, url in told["ping"].items() if url is not None}
        return told if told.keys() - {"on"} else str(self.on)

    def __hash__(self) -> int:
        return hash(self.model_dump_json())

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        words = {"type": "string", "enum": [str(word) for word in Notify]}
        return {"anyOf": [words, handler.resolve_ref_schema(schema)]}
