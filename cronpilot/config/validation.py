"""A task's fields that did not come from a file, checked and complained about as if they had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from cronpilot.config.document import Document
from cronpilot.config.wording import complaints_of
from cronpilot.domain.task import TaskSpec
from cronpilot.errors import ConfigError


def validated(fields: Mapping[str, Any]) -> TaskSpec:
    """The definition that these fields make.

    Raises:
        ConfigError: about the first thing that is wrong; its `field` says where (`env.A`).
    """
    try:
        return TaskSpec.model_validate(dict(fields))
    except ValidationError as error:
        document = Document("", dict(fields), {}, {})
        first, *others = complaints_of(error, TaskSpec, document, ())
        more = f" (and {len(others)} more)" if others else ""
        wrong = ConfigError(f"{first.key}: {first.problem}{more}", first.hint)
        wrong.field = first.key
        raise wrong from None
