"""How two runs differ, as lines of the screen. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from rich.cells import cell_len

from cronpilot.client import comparison_words as words
from cronpilot.tui.formatting import Cell, Marks, Tone
from cronpilot.tui.layout import cut, pad

if TYPE_CHECKING:
    from cronpilot.client.comparison import Comparison
    from cronpilot.client.comparison_words import Row

Line = list[Cell]
_LABEL = 11  # cells before each value
_WIDEST = 32  # cells of a label
_TONES: dict[str, Tone] = {"-": "bad", "+": "good", "@": "muted", " ": ""}


def comparison_lines(found: Comparison, zone: tzinfo, width: int, marks: Marks) -> list[Line]:
    """The whole page, for that many cells."""
    return [
        *_facts(found, zone, width, marks),
        [],
        *_section(words.definition_note(found), words.definition(found), marks),
        [],
        *_section(words.variables_note(found), words.variables(found), marks),
        [],
        *_output(found),
    ]


def _facts(found: Comparison, zone: tzinfo, width: int, marks: Marks) -> list[Line]:
    rows = words.rows(found, zone)
    longest = max(cell_len(row.before) for row in rows)
    side = min(max(longest, 14) + 3, max(8, (width - _LABEL - 2) // 2))
    head = f" {'':{_LABEL}}{pad(f'run {found.against.id}', side, marks)}run {found.run.id}"
    return [[Cell(head, "head")], *(_row(row, side, marks) for row in rows)]


def _row(row: Row, side: int, marks: Marks) -> Line:
    mark = marks.late if row.differs else " "
    return [
        Cell(f"{mark}{row.label:<{_LABEL}}", "muted"),
        Cell(pad(cut(row.before, side - 2, marks), side, marks)),
        Cell(row.after, "warn" if row.differs else ""),
    ]


def _section(note: str, rows: Sequence[Row], marks: Marks) -> list[Line]:
    lines = [[Cell(f" {note}", "muted" if not rows else "strong")]]
    widest = min(_WIDEST, max([_LABEL, *(cell_len(row.label) + 1 for row in rows)]))
    for row in rows:
        label = f" {pad(row.label + ':', widest, marks)} "
        lines += [
            [Cell(label, "muted"), Cell("- ", "bad"), Cell(row.before)],
            [Cell(" " * (widest + 2)), Cell("+ ", "good"), Cell(row.after, "warn")],
        ]
    return lines


def _output(found: Comparison) -> list[Line]:
    lines: list[Line] = []
    if note := words.output_note(found):
        has_lines = bool(found.output.lines)
        lines.append([Cell(f" {note}", "strong" if has_lines else "muted")])
    lines += [[Cell(f" {note}", "warn")] for note in found.output.not_compared]
    lines += [
        [Cell(f" {text}", _TONES[kind])] for kind, text in words.diff_lines(found.output.lines)
    ]
    return lines
