"""YAML without its traps: what is written is what is meant, or a sentence names the line.

Plain words follow YAML 1.2, so `on`, `NO`, `12:30` and `1_000` are text; `010` is text too, because
readers disagree about it. Keys are always text. Duplicate keys, anchors, aliases and tags are
refused, and so is a file too long or too deep to have been written by a person.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from cronpilot.config.document import Document, KeyPath, dotted
from cronpilot.config.yaml_mistakes import explain
from cronpilot.domain.text import clean
from cronpilot.errors import Complaint, InvalidFile

MAX_BYTES = 8_000_000  # the export of 10,000 tasks is about 2 MB and read in 1 s
MAX_DEPTH = 20

_QUOTE = 'text that begins with {} needs "quotes".'

# libyaml's parser is about 14 times as fast as the one in Python, which PyYAML falls back to.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Characters that YAML forbids, and those that it takes for a line break but editors do not. Those
# that are allowed, with a "not" before them, would take ten times as long to compile.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")

_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
# At most 18 digits: more do not fit in a database column, so such a number stays text.
_INTEGER = re.compile(r"[-+]?(?:0|[1-9]\d{0,17})", re.ASCII)
_OCTAL_OR_HEX = re.compile(r"0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(
    r"[-+]?(?:\.\d+|(?:0|[1-9]\d*)\.\d*)(?:[eE][-+]?\d+)?"  # with a point
    r"|[-+]?(?:0|[1-9]\d*)[eE][-+]?\d+"  # with an exponent alone
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
    re.ASCII,
)


def load(path: Path) -> Document:
    """Read a file strictly. An empty one has the value None.

    Raises:
        InvalidFile: it cannot be read, or is not the YAML described above, with every complaint.
    """
    return parse(_read(path), file=clean(str(path)))


def parse(content: bytes, *, file: str) -> Document:
    """What `load` does, for bytes at hand; `file` is the name that complaints carry.

    Raises:
        InvalidFile: as for `load`.
    """
    if len(content) > MAX_BYTES:
        raise _whole_file(
            file, f"is larger than {MAX_BYTES // 1_000_000} MB.", "Is it the right file?"
        )
    text = _decode(content, file)
    reader = _Reader(file)
    try:
        value = reader.document(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        line, problem, hint = explain(error, text)
        line = min(line, text.count("\n") + 1)  # libyaml counts one more after the end
        reader.complaints.append(Complaint(file, line, "", clean(problem), clean(hint)))
    except yaml.YAMLError as error:
        raise _whole_file(file, f"is not YAML: {error}.") from None
    if reader.complaints:
        raise InvalidFile(reader.complaints)
    return Document(file, value, reader.lines, reader.texts)


def _whole_file(file: str, problem: str, hint: str = "") -> InvalidFile:
    return InvalidFile([Complaint(file, 0, "", clean(problem), clean(hint))])


def _read(path: Path) -> bytes:
    file = clean(str(path))
    try:
        # O_NONBLOCK: opening a FIFO without a writer must not wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _whole_file(file, f"cannot be read: {_reason(error)}.") from error
    except ValueError as error:  # a NUL in the path
        raise _whole_file(file, "is not a path.") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _whole_file(file, "is not a regular file.")
        with os.fdopen(descriptor, "rb", closefd=False) as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise _whole_file(file, f"cannot be read: {_reason(error)}.") from error
    finally:
        os.close(descriptor)


def _reason(error: OSError) -> str:
    known = {errno.ENOENT: "there is no such file", errno.EACCES: "permission denied"}
    return known.get(error.errno or 0, (error.strerror or str(error)).lower())


def _decode(content: bytes, file: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidFile(
            [Complaint(file, line, "", f"byte {content[error.start]:#04x} is not UTF-8.",
                       "Save the file as UTF-8.")]
        ) from None  # fmt: skip
    text = text.replace("\r\n", "\n")
    if bad := _FORBIDDEN.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        code = ord(bad[0])
        written = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
        raise InvalidFile(
            [Complaint(file, line, "", f"holds the invisible character U+{code:04X}.",
                       f'Remove it, or write it as {written} inside "double quotes".')]
        )  # fmt: skip
    return text


class _Reader:
    """Builds plain values from the parser's events and collects what is not allowed."""

    def __init__(self, file: str) -> None:
        self.complaints: list[Complaint] = []
        self.lines: dict[KeyPath, int] = {}
        self.texts: dict[KeyPath, str] = {}
        self._file = file

    def document(self, events: Iterator[Any]) -> Any:
        """The value of the first document; None when there is none.

        Raises:
            InvalidFile: too deep to go on.
        """
        value, seen = None, 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                seen += 1
                if seen == 2:
                    self._complain((), event, "A second document begins here.", "Remove the line.")
                    break
            elif isinstance(event, yaml.NodeEvent):
                value = self._value(event, events, ())
        return value

    def _complain(self, path: KeyPath, event: Any, problem: str, hint: str) -> None:
        line = event.start_mark.line + 1
        self.complaints.append(
            Complaint(self._file, line, dotted(path), clean(problem), clean(hint))
        )

    def _value(self, event: Any, events: Iterator[Any], path: KeyPath) -> Any:
        self.lines.setdefault(path, event.start_mark.line + 1)
        if isinstance(event, yaml.AliasEvent):
            problem = f"*{event.anchor} would repeat another value, which is not allowed here."
            self._complain(path, event, problem, "Write it out; " + _QUOTE.format("*"))
            return None
        self._refuse_decoration(event, path)
        if isinstance(event, yaml.ScalarEvent):
            self.texts[path] = event.value
            return _scalar(event.value) if event.implicit[0] else event.value
        if len(path) >= MAX_DEPTH:
            self._complain(path[:3], event, f"Nested more than {MAX_DEPTH} levels deep.", "")
            raise InvalidFile(self.complaints)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        return self._mapping(events, path)

    def _refuse_decoration(self, event: Any, path: KeyPath) -> None:
        if event.anchor is not None:
            problem = f"&{event.anchor} would name a value for reuse, which is not allowed here."
            self._complain(path, event, problem, "Remove it; " + _QUOTE.format("&"))
        if event.tag is not None:
            shown = event.tag.replace("tag:yaml.org,2002:", "!!")
            problem = f"The tag {shown} is not allowed."
            self._complain(path, event, problem, "Remove it; " + _QUOTE.format("!"))

    def _sequence(self, events: Iterator[Any], path: KeyPath) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._value(event, events, (*path, len(items))))
        return items

    def _mapping(self, events: Iterator[Any], path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, events, path)
            here = (*path, key)
            if key in found:
                first = self.lines[here]
                problem = f"{key!r} is given twice, first on line {first}."
                self._complain(here, event, problem, "Keep one of them.")
            else:
                self.lines[here] = event.start_mark.line + 1
            found[key] = self._value(next(events), events, here)
        return found

    def _key(self, event: Any, events: Iterator[Any], path: KeyPath) -> str:
        if isinstance(event, yaml.ScalarEvent):
            self._refuse_decoration(event, path)
            return str(event.value)
        self._complain(path, event, "A key must be a word.", 'Put "quotes" around the whole value.')
        if not isinstance(event, yaml.AliasEvent):
            self._value(event, events, (*path, "?"))
        return "?"


def means_text(text: str) -> bool:
    """Whether a plain (unquoted) word stands for text."""
    return isinstance(_scalar(text), str)


def _scalar(text: str) -> Any:
    """A plain (unquoted) word as the value it stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL_OR_HEX.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text.replace(".", "") if text[-1].isalpha() else text)
    return text
