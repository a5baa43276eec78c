"""What the doctor says about one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["good", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`hint` says what to do; empty where nothing has to be done."""

    name: str
    verdict: Verdict
    text: str
    hint: str = ""


def good(name: str, text: str) -> Finding:
    return Finding(name, "good", text)


def warning(name: str, text: str, hint: str = "") -> Finding:
    return Finding(name, "warning", text, hint)


def problem(name: str, text: str, hint: str = "") -> Finding:
    return Finding(name, "problem", text, hint)
