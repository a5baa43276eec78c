"""Errors as they cross: a CronPilotError as problem+json (RFC 9457), and back as the same class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cronpilot import errors
from cronpilot.errors import (
    Complaint,
    Conflict,
    CronPilotError,
    InvalidFile,
    NotFound,
    TooManyRequests,
)

MEDIA_TYPE = "application/problem+json"

_KINDS: dict[str, type[CronPilotError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, CronPilotError)
}


def to_problem(error: CronPilotError, status: int) -> dict[str, Any]:
    """The members of RFC 9457, and `kind`, `hint` and `field`, by which a client raises it again.

    `field` is the name of the field that is wrong, or null.
    """
    kind = type(error)
    body: dict[str, Any] = {
        "type": f"urn:cronpilot:problem:{kind.__name__}",
        "title": (kind.__doc__ or "").strip().partition("\n")[0],
        "status": status,
        "detail": error.problem,
        "hint": error.hint,
        "field": error.field,
        "kind": kind.__name__,
    }
    if isinstance(error, NotFound):
        body |= {"what": error.what, "name": error.name}
    if isinstance(error, Conflict):
        body["version"] = error.version
    if isinstance(error, TooManyRequests):
        body["wait_s"] = error.wait_s
    if isinstance(error, InvalidFile):
        body["complaints"] = [complaint._asdict() for complaint in error.complaints]
    return body


def from_problem(body: Any) -> CronPilotError:
    """The error that `to_problem` was given; of a kind not known here, a plain CronPilotError.

    Raises:
        TypeError, ValueError: it is no problem, whatever it says that it is.
    """
    if not isinstance(body, Mapping):
        raise TypeError("a problem is an object")
    kind = _KINDS.get(str(body.get("kind")), CronPilotError)
    error = kind.__new__(kind)
    # Each class words its own message in __init__; here the words exist already.
    CronPilotError.__init__(error, str(body.get("detail", "")), str(body.get("hint", "")))
    error.field = body.get("field")
    if isinstance(error, NotFound):
        error.what, error.name = str(body.get("what", "")), str(body.get("name", ""))
    if isinstance(error, Conflict):
        error.version = body.get("version")
    if isinstance(error, TooManyRequests):
        error.wait_s = float(body.get("wait_s", 1.0))
    if isinstance(error, InvalidFile):
        error.complaints = [Complaint(**complaint) for complaint in body.get("complaints", [])]
    return error
