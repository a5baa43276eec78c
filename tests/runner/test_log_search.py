"""Looking for text in a log, as a reader sees it, in bounded steps."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cronpilot.domain.log_search import Pattern, matching_lines
from cronpilot.domain.log_text import shown
from cronpilot.errors import Refused, UsageProblem
from cronpilot.runner import log_search
from cronpilot.runner.keeper import log_limit
from cronpilot.runner.log_search import Step, search

LOG = (
    b"one ERROR here\n"
    b"\x1b[31mER\x1b[0mROR in two colours\n"
    b"nothing\n"
    b"10%\r50% error\r100% done\n"
    b"\x1b]0;error in a title\x07quiet\n"
    + "Größe: ÄRGER\n".encode()
    + b"a\tb\n"
    + b"the last error"
)


@pytest.fixture(autouse=True)
def _time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough of it for every step, however busy the machine is."""
    monkeypatch.setattr(log_search, "STEP_S", 600.0)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    path.write_bytes(LOG)
    return path


def texts(path: Path, pattern: str, **step: object) -> list[str]:
    given = {name: step.pop(name) for name in ("regex", "case") if name in step}
    return [line[2] for line in search(path, Step(Pattern(pattern, **given), **step)).lines]


@pytest.mark.parametrize(
    ("pattern", "options", "found"),
    [
        pytest.param("error", {}, ["one ERROR here", "ERROR in two colours", "the last error"],
                     id="capital letters or not, and only what can be seen"),
        pytest.param("error", {"case": True}, ["the last error"], id="capital letters matter"),
        pytest.param("ärger", {}, ["Größe: ÄRGER"], id="beyond ASCII"),
        pytest.param("ÄRGER", {"case": True}, ["Größe: ÄRGER"], id="beyond ASCII, as it is"),
        pytest.param("a       b", {"regex": True}, ["a       b"], id="a tab is blanks"),
        pytest.param("[", {}, [], id="no expression unless it is asked for"),
        pytest.param("^(one|the).*ERR", {"regex": True}, ["one ERROR here", "the last error"],
                     id="a regular expression"),
        pytest.param(r"^\w+$", {"regex": True}, ["nothing", "quiet"], id="line by line"),
        pytest.param("100%", {}, ["100% done"], id="what is left of a progress bar"),
    ],
)  # fmt: skip
def test_lines_are_found_as_they_are_seen(
    log: Path, pattern: str, options: dict[str, bool], found: list[str]
) -> None:
    assert texts(log, pattern, **options) == found


def test_a_match_knows_its_place_in_the_file_and_in_the_line(log: Path) -> None:
    found = search(log, Step(Pattern("error")))

    assert [(line[0], line[1], line[3]) for line in found.lines] == [
        (0, 14, [(4, 9)]),
        (15, len(b"\x1b[31mER\x1b[0mROR in two colours"), [(0, 5)]),
        (len(LOG) - 14, 14, [(9, 14)]),
    ]
    assert (found.start, found.end, found.size) == (0, len(LOG), len(LOG))


@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(st.sampled_from([b"", b"x", b"a hit", b"\x1b[1mhi\x1b[mt", b"no"]), max_size=60),
    limit=st.integers(1, 7), block=st.integers(16, 64), backwards=st.booleans(),
)  # fmt: skip
def test_steps_of_any_size_find_every_line_once(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[bytes],
    limit: int,
    block: int,
    backwards: bool,
) -> None:
    path = tmp_path_factory.mktemp("logs") / "log"
    path.write_bytes(b"\n".join(lines))
    size, found = path.stat().st_size, []
    at = size if backwards else 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_search, "BLOCK", block)
        for _ in range(200):
            step = search(path, Step(Pattern("hit"), at, backwards, limit=limit, most=64))
            found += reversed(step.lines) if backwards else step.lines
            at = step.start if backwards else step.end
            if at == (0 if backwards else size):
                break

    hits = [line for line in lines if "hit" in shown(line)]
    assert [line[2] for line in found] == ["a hit" if line == b"a hit" else "hit" for line in (
        reversed(hits) if backwards else hits)]  # fmt: skip


def test_a_part_that_a_limit_dropped_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"".join(b"line %07d\n" % number for number in range(200_000)))
    log_limit.trim(str(path), 400_000)

    forwards = search(path, Step(Pattern("0 line"), most=1 << 30))
    ends = search(path, Step(Pattern("0199999"), most=1 << 30))
    back = search(path, Step(Pattern("0000007"), 2_600_000, backwards=True, most=1 << 30))

    assert forwards.offsets == []
    assert ends.offsets == [199_999 * 13]
    assert back.offsets == [7 * 13]


def test_a_step_ends_in_time_and_the_next_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_search, "STEP_S", 0.0)
    path = tmp_path / "log"
    path.write_bytes(b"x" * 99 + b"\n" + b"no\n" * 200_000 + b"hit\n")

    steps, at = 0, 0
    while not (found := search(path, Step(Pattern("hit"), at))).offsets:
        steps, at = steps + 1, found.end
    many = search(path, Step(Pattern("x"), limit=5000, text=False))

    assert steps == 2
    assert found.offsets == [path.stat().st_size - 4]
    assert many.offsets == [0]


def test_no_log_has_no_matches(tmp_path: Path) -> None:
    found = search(tmp_path / "none", Step(Pattern("x")))

    assert (found.offsets, found.size) == ([], 0)


@pytest.mark.parametrize("pattern", ["(", "a{9999999999999999999}", "", "x" * 1001])
def test_what_is_no_expression_is_refused_in_words(log: Path, pattern: str) -> None:
    with pytest.raises(UsageProblem, match=r"^The pattern ") as caught:
        search(log, Step(Pattern(pattern, regex=True)))

    assert caught.value.field == "pattern"


def test_an_expression_that_takes_for_ever_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_search, "PATIENCE_S", 1.0)
    path = tmp_path / "log"
    path.write_bytes(b"a" * 60 + b"\n")

    with pytest.raises(Refused, match="takes too long"):
        search(path, Step(Pattern("(a+)+$b", regex=True)))


@given(st.binary(max_size=200), st.sampled_from(["a", "é", "\x1b", "["]))
def test_hostile_output_is_searched_as_it_is_shown(data: bytes, text: str) -> None:
    for start, end in matching_lines(data, Pattern(text)):
        assert 0 <= start <= end <= len(data)
        assert b"\n" not in data[start:end]
