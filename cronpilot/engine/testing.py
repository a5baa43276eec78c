"""Test runs: a start that counts for nothing, perhaps of a definition that is not saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cronpilot.domain.run import Trigger
from cronpilot.domain.task import OnLost, TaskSpec
from cronpilot.storage.tasks import SPEC_FIELDS


def with_definition_of(run: Mapping[Any, Any], row: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """`row` with the fields of the definition that this run goes by.

    That of its task, as it stands in `row`; a test may have its own. A test beside all else is one
    attempt, whatever its task says of retries.
    """
    if run["trigger"] is not Trigger.TEST:
        return row
    own: dict[str, Any] = {}
    if run["spec"] is not None:
        spec = TaskSpec.model_validate(run["spec"])
        own = {name: getattr(spec, name) for name in SPEC_FIELDS}
    if run["beside"]:
        own |= {"max_retries": 0, "on_lost": OnLost.MARK}
    return {**row, **own}
