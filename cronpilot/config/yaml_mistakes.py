"""What was probably meant where a YAML parser gives up: one helpful sentence for each mistake."""

from __future__ import annotations

import re

import yaml

_KEY_AND_VALUE = re.compile(r"""\s*(?:-\s+)*(?P<key>[^\s:#'"\[{][^:#]*):\s+(?P<value>\S.*)""")
_CRON = re.compile(r"\*(?:/\d+)?(?:\s+[\d*/,a-zA-Z#-]+){4}\s*|@[a-z]+\s*")
_LONGEST_EXAMPLE = 60  # characters; a longer value is not repeated in a hint


def explain(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str, str]:
    """The line (from 1), the problem and the hint for a syntax error in `text`.

    Judged by what stands at the place, since the words of PyYAML's two parsers differ.
    """
    mark = error.problem_mark or error.context_mark
    lines = text.split("\n")
    row, column = (mark.line, mark.column) if mark else (0, 0)
    row = min(row, len(lines) - 1)  # libyaml ends a last line that has no end
    line = lines[row]
    what = (error.problem or "").rstrip(".")
    opened = error.context_mark
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return row + 1, "The line is indented with a tab.", "Use blanks: YAML allows no tabs there."
    if "unexpected end of stream" in what and opened:
        return opened.line + 1, "A quote opens here and is never closed.", ""
    if "find expected ':'" in what and opened:
        return (
            opened.line + 1,
            "A key and its value need a colon between them.",
            "Write key: value.",
        )
    start = (
        opened.column
        if opened and opened.line == row and "scanning" in str(error.context)
        else column
    )
    if line[start : start + 1] in ("*", "@", "%", "`"):
        return row + 1, *_reserved(line, start)
    if "mapping values are not allowed" in what:
        return row + 1, *_stray_colon(line, column)
    if "escape" in what:
        return (row + 1, "There is an unknown escape in a text in double quotes.",
                "Use 'single quotes': a backslash means nothing there.")  # fmt: skip
    if found := _closed_too_early(line, column):
        return row + 1, *found
    if "flow node" in str(error.context) and mark and mark.index >= len(text.rstrip()):
        last = text.rstrip().count("\n") + 1
        return last, "The file ends inside a [ or { that is not closed.", ""
    if "flow" in str(error.context) and opened:
        return (opened.line + 1, "A [ or { opens here and is not closed, or lacks a comma.",
                'Text that begins with [ or { needs "quotes" around it.')  # fmt: skip
    if "expected key" in what or "block end" in what or "'-' indicator" in what:
        return row + 1, "The indentation of this line does not fit the lines above.", ""
    return row + 1, f"This is not YAML: {what}.", 'Text with special characters needs "quotes".'


def _reserved(line: str, start: int) -> tuple[str, str]:
    """A value that begins with a character which YAML keeps for itself."""
    value = re.split(r"\s+#|\s*[}\]]", line[start:])[0].rstrip()
    found = _KEY_AND_VALUE.match(line)
    key = f"{found['key'].strip()}: " if found and found.start("value") == start else ""
    problem = f"A value cannot begin with {line[start]} unless it is in quotes."
    if _CRON.fullmatch(value):
        return problem, f'Quote your cron line: {key}"{value}".'
    if '"' in value or "'" in value or len(value) > _LONGEST_EXAMPLE:
        return problem, 'Put "quotes" around it, or start a block with | on the line before.'
    return problem, f'Quote it: {key}"{value}".'


def _stray_colon(line: str, column: int) -> tuple[str, str]:
    """A colon that makes a key where none can be."""
    found = _KEY_AND_VALUE.match(line)
    if not found or column < found.start("value"):
        return ("The indentation of this line does not fit the line above.",
                "Keys of one task start in the same column.")  # fmt: skip
    return ("A colon and a blank inside a value look like another key.",
            f"Put 'quotes' around the whole value, or write {found['key'].strip()}: | and the"
            " value on the next line.")  # fmt: skip


def _closed_too_early(line: str, column: int) -> tuple[str, str] | None:
    """`command: [ -f x ] && y` or `command: "a" b`: the rest follows what looks like the end."""
    found = _KEY_AND_VALUE.match(line)
    if not found or found["value"][0] not in "[{\"'" or column <= found.start("value"):
        return None
    first = found["value"][0]
    return (
        f"The value begins with {first} and ends where that is closed, but more text follows.",
        f"Write {found['key'].strip()}: | and the value on the next line, or quote it as a whole.",
    )
