from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cronpilot.config import strict_yaml
from cronpilot.config.strict_yaml import MAX_BYTES, Document, dotted, load, parse
from cronpilot.errors import Complaint, InvalidFile

Refuse = Callable[[str | bytes], list[Complaint]]
Parse = Callable[[str], Document]


@pytest.fixture(params=["libyaml", "python"])
def either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML has two parsers with different words; both must lead to the same sentences."""
    loader = yaml.SafeLoader if request.param == "python" else yaml.CSafeLoader
    monkeypatch.setattr(strict_yaml, "_LOADER", loader)


# --- what plain words mean -----------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    "on", "off", "yes", "No", "NO", "y", "010", "12:30", "12:30:45", "1_000", "2026-12-24", "0b11",
    "+", ".", "1.2.3", "0o8", "nUll", "TrUE", "1e", "=", "<<", "9" * 19,
    pytest.param("9" * 5000, id="five thousand digits"),
])  # fmt: skip
def test_words_that_only_old_yaml_reads_as_something_else_stay_text(parsed: Parse, text: str):
    assert parsed(f"a: {text}").value == {"a": text}


@pytest.mark.parametrize(("text", "value"), [
    ("true", True), ("True", True), ("FALSE", False), ("null", None), ("~", None), ("", None),
    ("0", 0), ("-7", -7), ("+12", 12), ("0x1F", 31), ("0o17", 15), ("9" * 18, int("9" * 18)),
    ("1.5", 1.5), (".5", 0.5), ("2.", 2.0), ("1e3", 1000.0), ("-.inf", -math.inf),
    (".INF", math.inf), ('"true"', "true"), ("'5'", "5"), ('""', ""),
])  # fmt: skip
def test_plain_words_follow_yaml_1_2(parsed: Parse, text: str, value: Any):
    found = parsed(f"a: {text}").value["a"]

    assert (found, type(found)) == (value, type(value))


def test_not_a_number_is_a_number_too(parsed: Parse):
    assert math.isnan(parsed("a: .nan").value["a"])


def test_keys_are_always_text(parsed: Parse):
    assert parsed("on: 1\n2: b\ntrue: c\nnull: d\n").value == {
        "on": 1, "2": "b", "true": "c", "null": "d",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "\n\n", "# only words\n", "---\n", "\ufeff"])
def test_an_empty_file_has_no_value(parsed: Parse, text: str):
    assert parsed(text).value is None


# --- where things stand --------------------------------------------------------------------------

SHAPE = """\
# a comment
tasks:
  - name: a
    env: {PORT: 010,
          N: 0x1F}
  - name: 'b'
"""


@pytest.mark.parametrize(("path", "line"), [
    ((), 2), (("tasks",), 2), (("tasks", 0), 3), (("tasks", 0, "env"), 4),
    (("tasks", 0, "env", "N"), 5), (("tasks", 1, "name"), 6),
])  # fmt: skip
def test_the_line_of_a_key_is_known(parsed: Parse, path: strict_yaml.KeyPath, line: int):
    assert parsed(SHAPE).line(path) == line


def test_a_key_that_is_missing_has_the_line_of_its_parent(parsed: Parse):
    assert parsed(SHAPE).line(("tasks", 1, "limits", "nice")) == 6


def test_a_scalar_is_known_as_it_was_written(parsed: Parse):
    document = parsed(SHAPE)

    assert document.value["tasks"][0]["env"] == {"PORT": "010", "N": 31}
    assert document.text(("tasks", 0, "env", "N")) == "0x1F"
    assert document.text(("tasks", 0, "env")) is None


def test_lines_are_counted_right_in_a_file_with_carriage_returns(parsed: Parse):
    assert parsed("a: 1\r\nb: 2\r\n").line(("b",)) == 2


def test_a_key_path_is_written_with_dots():
    assert dotted(("tasks", 2, "env", "A\x1b")) == "tasks[2].env.A\\x1b"


# --- what is refused -----------------------------------------------------------------------------


def test_a_duplicate_key_is_named_with_both_lines(complaints_about: Refuse):
    (said,) = complaints_about("a:\n  b: 1\n  c: 2\n  b: 3\n")

    assert str(said) == (
        "tasks.yaml:4: a.b: 'b' is given twice, first on line 2. Keep one of them."
    )  # fmt: skip


def test_keys_that_differ_only_in_their_quotes_are_the_same(complaints_about: Refuse):
    (said,) = complaints_about("1: a\n'1': b\n")

    assert said.line == 2


@pytest.mark.usefixtures("either_parser")
@pytest.mark.parametrize(("text", "place", "words"), [
    pytest.param("a: 1\nb: *a\n", (2, "b"), "*a would repeat another value", id="alias"),
    pytest.param("a: &x 1\n", (1, "a"), "&x would name a value for reuse", id="anchor"),
    pytest.param("- !!python/object/apply:os.system [id]\n", (1, "[0]"),
                 "The tag !!python/object/apply:os.system is not allowed", id="python tag"),
    pytest.param("a: !important x\n", (1, "a"), "The tag !important is not allowed", id="own tag"),
    pytest.param("a: ! x\n", (1, "a"), "The tag ! is not allowed", id="empty tag"),
    pytest.param("!x a: b\n", (1, ""), "The tag !x is not allowed", id="tag on a key"),
    pytest.param("*x : b\n", (1, ""), "A key must be a word", id="alias as key"),
    pytest.param("? [a, b]\n: c\n", (1, ""), "A key must be a word", id="list as key"),
    pytest.param("a: 1\n---\nb: 2\n", (2, ""), "A second document begins here", id="documents"),
])  # fmt: skip
def test_what_can_surprise_is_refused(
    complaints_about: Refuse, text: str, place: tuple[int, str], words: str
):
    said = complaints_about(text)[0]

    assert (said.line, said.key) == place
    assert said.problem.startswith(words)


def test_every_complaint_is_made_at_once(complaints_about: Refuse):
    said = complaints_about("a: &x 1\nb: *x\nc: !t 2\na: 3\nd: @daily\n")

    assert [one.line for one in said] == [1, 2, 3, 4, 5]


def test_an_alias_bomb_is_refused_before_it_grows(complaints_about: Refuse):
    bomb = 'a: &a ["x","x","x","x","x","x","x","x","x"]\n'
    for level in "bcdefghi":
        below = chr(ord(level) - 1)
        bomb += f"{level}: &{level} [" + ",".join([f"*{below}"] * 9) + "]\n"

    said = complaints_about(bomb)

    assert len(said) == 9 + 8 * 9


@pytest.mark.parametrize("content", ["[" * 1000, "{a: " * 1000, "- " * 1000, "? " * 1000])
def test_a_thousand_levels_are_refused(complaints_about: Refuse, content: str):
    said = complaints_about(content)

    assert "Nested more than 20 levels deep." in [one.problem for one in said]


def test_twenty_levels_are_not_too_deep(parsed: Parse):
    assert parsed("[" * 20 + "]" * 20).value is not None


def test_more_than_one_megabyte_is_refused(complaints_about: Refuse):
    (said,) = complaints_about(b"#" * (MAX_BYTES + 1))

    assert str(said) == "tasks.yaml: is larger than 8 MB. Is it the right file?"


@pytest.mark.parametrize(("content", "line", "problem"), [
    pytest.param(b"a: 1\nb: \xe4\n", 2, "byte 0xe4 is not UTF-8.", id="latin-1"),
    pytest.param("a: 1".encode("utf-16"), 1, "byte 0xff is not UTF-8.", id="utf-16"),
    pytest.param(b"a: 1\n\nb: \x1b[31m\n", 3, "holds the invisible character U+001B.", id="escape"),
    pytest.param(b"a: \0\n", 1, "holds the invisible character U+0000.", id="NUL"),
    pytest.param(b"a: 1\rb: 2\n", 1, "holds the invisible character U+000D.", id="lone return"),
    pytest.param("a: x\u2028b\n".encode(), 1, "holds the invisible character U+2028.", id="U+2028"),
])  # fmt: skip
def test_characters_that_no_editor_shows_are_refused(
    complaints_about: Refuse, content: bytes, line: int, problem: str
):
    (said,) = complaints_about(content)

    assert (said.line, said.problem) == (line, problem)


# --- what was probably meant ---------------------------------------------------------------------


@pytest.mark.usefixtures("either_parser")
@pytest.mark.parametrize(("text", "line", "sentence"), [
    pytest.param("- name: a\n  schedule: * * * * *\n", 2,
                 'A value cannot begin with * unless it is in quotes.'
                 ' Quote your cron line: schedule: "* * * * *".', id="cron line"),
    pytest.param("schedule: */5 8-18 * * mon-fri  # often\n", 1,
                 'A value cannot begin with * unless it is in quotes.'
                 ' Quote your cron line: schedule: "*/5 8-18 * * mon-fri".', id="cron with a step"),
    pytest.param("schedule: {cron_expression: */15 * * * *}\n", 1,
                 'A value cannot begin with * unless it is in quotes.'
                 ' Quote your cron line: "*/15 * * * *".', id="cron line in braces"),
    pytest.param("schedule: @daily\n", 1,
                 'A value cannot begin with @ unless it is in quotes.'
                 ' Quote your cron line: schedule: "@daily".', id="alias of cron"),
    pytest.param("a: %Y-%m\n", 1, 'A value cannot begin with % unless it is in quotes.'
                 ' Quote it: a: "%Y-%m".', id="percent sign"),
    pytest.param("command: `date`\n", 1, 'A value cannot begin with ` unless it is in quotes.'
                 ' Quote it: command: "`date`".', id="backquote"),
    pytest.param("tasks:\n\t- name: a\n", 2, "The line is indented with a tab."
                 " Use blanks: YAML allows no tabs there.", id="tab"),
    pytest.param("a:\n  b: 1\n\tc: 2\n", 3, "The line is indented with a tab."
                 " Use blanks: YAML allows no tabs there.", id="tab after blanks"),
    pytest.param("command: echo note: done\n", 1,
                 "A colon and a blank inside a value look like another key. Put 'quotes' around"
                 " the whole value, or write command: | and the value on the next line.",
                 id="colon in a command"),
    pytest.param("name: a\n command: b\n", 2,
                 "The indentation of this line does not fit the line above."
                 " Keys of one task start in the same column.", id="indented too far"),
    pytest.param("- name: a\ncommand: b\n", 2,
                 "The indentation of this line does not fit the lines above.", id="not enough"),
    pytest.param("command: [ -f x ] && echo y\n", 1,
                 "The value begins with [ and ends where that is closed, but more text follows."
                 " Write command: | and the value on the next line, or quote it as a whole.",
                 id="a test in brackets"),
    pytest.param('command: "my tool" --now\n', 1,
                 'The value begins with " and ends where that is closed, but more text follows.'
                 " Write command: | and the value on the next line, or quote it as a whole.",
                 id="text after a quote"),
    pytest.param("name: a\nschedule daily 02:30\ncommand: b\n", 2,
                 "A key and its value need a colon between them. Write key: value.", id="no colon"),
    pytest.param("a: 1\nb: 'x\nc: 2\n", 2, "A quote opens here and is never closed.", id="quote"),
    pytest.param("a: [1,\nb: 2\n", 1, "A [ or { opens here and is not closed, or lacks a comma."
                 ' Text that begins with [ or { needs "quotes" around it.', id="bracket"),
    pytest.param('a: "C:\\dir"\n', 1, "There is an unknown escape in a text in double quotes."
                 " Use 'single quotes': a backslash means nothing there.", id="backslash"),
])  # fmt: skip
def test_a_mistake_is_explained(complaints_about: Refuse, text: str, line: int, sentence: str):
    said = complaints_about(text)[-1]

    assert (said.line, f"{said.problem} {said.hint}".strip()) == (line, sentence)


# --- files ---------------------------------------------------------------------------------------


def test_a_file_is_read(tmp_path: Path):
    (tmp_path / "x.yaml").write_bytes(b"a: \xc3\xa4\n")

    document = load(tmp_path / "x.yaml")

    assert (document.file, document.value) == (str(tmp_path / "x.yaml"), {"a": "ä"})


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _too_long(path: Path) -> None:
    path.write_bytes(b" " * (MAX_BYTES + 1))


@pytest.mark.parametrize(("make", "problem"), [
    pytest.param(lambda path: None, "cannot be read: there is no such file.", id="missing"),
    pytest.param(Path.mkdir, "is not a regular file.", id="directory"),
    pytest.param(_fifo, "is not a regular file.", id="a FIFO that nobody writes to"),
    pytest.param(lambda path: path.symlink_to("/dev/zero"), "is not a regular file.", id="device"),
    pytest.param(lambda path: path.symlink_to(path), "cannot be read: too many levels of symbolic"
                 " links.", id="a link to itself"),
    pytest.param(_too_long, "is larger than 8 MB.", id="too long"),
])  # fmt: skip
def test_what_is_no_proper_file_is_refused(
    tmp_path: Path, make: Callable[[Path], object], problem: str
):
    make(tmp_path / "x.yaml")

    with pytest.raises(InvalidFile) as caught:
        load(tmp_path / "x.yaml")

    assert [one.problem for one in caught.value.complaints] == [problem]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path):
    (tmp_path / "x.yaml").touch(mode=0)

    with pytest.raises(InvalidFile, match="permission denied"):
        load(tmp_path / "x.yaml")


def test_a_path_that_is_none_is_refused():
    with pytest.raises(InvalidFile, match="is not a path"):
        load(Path("a\0b"))


# --- laws ----------------------------------------------------------------------------------------

_YAML_LIKE = st.text(st.sampled_from("ab01 \n\t:-?,[]{}#&*!|>'\"%@`\\.~=<é\u2028\x85\x00"))


@given(st.binary() | _YAML_LIKE.map(str.encode))
def test_any_bytes_are_a_value_or_complaints(content: bytes):
    try:
        document = parse(content, file="x")
    except InvalidFile as error:
        assert error.complaints
        lines = content.count(b"\n") + 1
        assert all(0 <= one.line <= lines and one.problem for one in error.complaints)
    else:
        assert isinstance(document.value, (dict, list, str, bool, int, float, type(None)))


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text("abc é:#-*&!%\n'\"10~"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc-:#1 ", max_size=9), inner),
    max_leaves=20,
))  # fmt: skip
def test_what_a_careful_writer_writes_is_read_back(value: Any):
    written = json.dumps(value, ensure_ascii=False)  # JSON is YAML with all text in quotes

    assert parse(written.encode(), file="x").value == value
