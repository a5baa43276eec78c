"""What went wrong with telling, in words."""

from __future__ import annotations


class Failure(Exception):
    """A message was not taken.

    Attributes:
        problem: one sentence, without secrets.
        permanent: it makes no sense to try again.
    """

    def __init__(self, problem: str, *, permanent: bool = False) -> None:
        super().__init__(problem)
        self.problem, self.permanent = problem, permanent
