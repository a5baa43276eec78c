"""What export writes reads back as the same tasks, here and by other readers of YAML."""

from __future__ import annotations

import string
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from cronpilot.config.export import export_text
from cronpilot.config.tasks_file import read_tasks_file
from cronpilot.domain.task import Missed, Notify, OnLost, Overlap, TaskSpec


def spec(**fields: Any) -> TaskSpec:
    return TaskSpec.model_validate({"name": "a", "command": "true", "schedule": "manual", **fields})


def read_back(text: str) -> list[TaskSpec]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tasks.yaml"
        path.write_text(text, encoding="utf-8")
        return [entry.spec for entry in read_tasks_file(path).entries]


# --- laws ---------------------------------------------------------------------------------------

TROUBLE = [
    "yes", "NO", "on", "y", "null", "~", "true", "12:30", "010", "0o7", "0x1F", "1_000", "1e3",
    ".5", "-.inf", ".nan", "2026-12-24", "2026-12-24 18:00:00", "=", "<<", "- a", "a: b", "a #b",
    "#a", "*a", "&a", "!a", "%a", "@a", "`a`", "'a'", '"a"', "{a}", "[a]", "a,b", "|", ">", "?",
    "? a", ":", "a:", " a", "a ", "---", "...", "--- a", "a\tb", "\t", "a\\b", "\x1b[2J",
    "\u202e", "\ufeff", "\x85", "\u2028", "\U0001f600", "日本", "a\nb", "a\nb\n", "\na", " a\nb",
    "a\n\n", "a\n \nb", "a\r\nb", "a\n\n\nb\n", "#!/bin/sh\necho 'a: b'\n", "a\n\tb", "1.", "+1",
    "0b1", "1:2:3", "Null", "OFF", "",
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(TROUBLE),
    st.text(st.sampled_from(string.printable.replace("\x0b", "").replace("\x0c", ""))),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
)
SOME = TEXTS.filter(bool)
NAMES = SOME.map(lambda text: text[:200])
DURATIONS = st.integers(0, 3_000_000_000).map(lambda ms: timedelta(milliseconds=ms))
SCHEDULES = st.sampled_from(
    ["manual", "hourly", "hourly :05", "daily 02:30", "weekly mon,thu 09:00", "*/15 8-18 * * 1-5",
     "@daily", "H H * * *", "0 0 L * *", "every 90s", "once 2026-12-24 18:00"]
)  # fmt: skip
VARIABLES = st.sampled_from(["A", "NO", "y", "null", "_", "PATH", "Off", "e1"])
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "nice": st.integers(-20, 19),
        "memory": st.integers(1 << 20, 1 << 40),
        "cpu": DURATIONS,
        "open_files": st.integers(16, 1 << 20),
    },
)
URLS = st.sampled_from(["https://hc.example/a-b", "http://x/?y=1&z=%20#f", "https://x/{task}"])
RULES = st.fixed_dictionaries(
    {},
    optional={
        "on": st.sampled_from(Notify),
        "to": st.lists(st.sampled_from(["ops@example.org", "root", "123", "no", "a+b@x"])),
        "channels": st.lists(NAMES),
        "after": st.integers(1, 100),
        "ping": st.just("https://x/{task}")
        | st.fixed_dictionaries({}, optional={"start": URLS, "fail": URLS}),
    },
)
BOUNDS = DURATIONS.map(lambda one: one + timedelta(seconds=1))
ALARMS = st.fixed_dictionaries(
    {},
    optional={
        "late": BOUNDS | st.sampled_from(["auto", "off"]),
        "long": BOUNDS,
        "silent": BOUNDS,
        "skipped": st.integers(1, 10_000) | st.just("off"),
    },
)
NEEDED = {"command": SOME | st.lists(TEXTS, min_size=1), "schedule": SCHEDULES}
OPTIONAL = {
    "description": TEXTS,
    "shell": SOME,
    "working_dir": SOME,
    "env": st.dictionaries(VARIABLES, TEXTS),
    "env_file": SOME,
    "user": SOME,
    "timezone": st.sampled_from(["UTC", "Europe/Berlin", "Etc/GMT+5"]),
    "active": st.booleans(),
    "overlap": st.sampled_from(Overlap),
    "missed": st.sampled_from(Missed),
    "missed_limit": st.integers(1, 100),
    "deadline": DURATIONS.filter(bool),  # with none at all no run would start
    "spread": DURATIONS,
    "timeout": DURATIONS,
    "stop_grace": DURATIONS,
    "max_retries": st.integers(0, 100),
    "retry_delay": DURATIONS,
    "retry_backoff": st.floats(1, 10),
    "retry_max_delay": DURATIONS,
    "success_codes": st.lists(st.integers(0, 255), min_size=1),
    "on_lost": st.sampled_from(OnLost),
    "pool": NAMES,
    "priority": st.integers(-1000, 1000),
    "tags": st.lists(NAMES),
    "quiet": st.lists(NAMES),
    "notify": st.sampled_from(Notify) | RULES,
    "alarms": st.just("off") | ALARMS,
    "log_limit": st.integers(1 << 16, 1 << 40),
    "keep": st.integers(1, 10**9),
    "limits": LIMITS,
}
SPECS = st.fixed_dictionaries(NEEDED, optional=OPTIONAL)


@given(st.dictionaries(NAMES, SPECS, max_size=3))
def test_what_is_exported_reads_back_as_the_same_tasks(by_name: dict[str, dict[str, Any]]) -> None:
    specs = [spec(name=name, **fields) for name, fields in by_name.items()]

    assert read_back(export_text(specs)) == specs


@given(TEXTS)
@example("1__0")
@example("685_230.15")
def test_readers_of_yaml_1_1_take_every_text_for_the_same_text(text: str) -> None:
    exported = export_text([spec(description=text, tags=["x" + text[:50]], env={"A": text})])
    (task,) = yaml.safe_load(exported)["tasks"]

    assert task.get("description", "") == text
    assert task["env"] == {"A": text}


def test_every_field_is_part_of_the_law() -> None:
    assert {"name", *NEEDED, *OPTIONAL} == set(TaskSpec.model_fields)


# --- what it looks like -------------------------------------------------------------------------


def test_it_looks_as_a_person_would_write_it() -> None:
    text = export_text(
        [
            spec(
                name="backup-db",
                command='pg_dump shop | gzip > "$DEST/shop.sql.gz"',
                env={"DEST": "/srv/backup", "PORT": "8080"},
                schedule="daily 02:30",
                timeout="1h",
                max_retries=3,
            ),
            spec(name="disk", command=["df", "-h", "/"], schedule="*/15 8-18 * * mon-fri"),
            spec(name="12:30", command="set -e\nmake: all\n", tags=["db", "on"], active=False),
        ]
    )

    assert (
        text
        == """\
tasks:
  - name: backup-db
    command: 'pg_dump shop | gzip > "$DEST/shop.sql.gz"'
    env:
      DEST: /srv/backup
      PORT: "8080"
    schedule: daily 02:30
    timeout: 1h
    max_retries: 3
  - name: disk
    command: [df, -h, /]
    schedule: "*/15 8-18 * * mon-fri"
  - name: "12:30"
    command: |
      set -e
      make: all
    schedule: manual
    active: false
    tags: [db, "on"]
"""
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("a: b", '"a: b"', id="a colon and a blank"),
        pytest.param("NO", '"NO"', id="a country"),
        pytest.param("1e3", '"1e3"', id="a number of YAML 1.2"),
        pytest.param("1_000", '"1_000"', id="a number of YAML 1.1"),
        pytest.param("C:\\tmp", "'C:\\tmp'", id="a backslash"),
        pytest.param("\u202ex", '"\\u202ex"', id="what would reorder the line"),
        pytest.param("/usr/bin/env python3 -u x.py", "/usr/bin/env python3 -u x.py", id="plain"),
    ],
)
def test_text_is_quoted_where_readers_disagree(text: str, written: str) -> None:
    assert f"    command: {written}\n" in export_text([spec(command=text)])


def test_no_tasks_are_an_empty_list() -> None:
    assert export_text([]) == "tasks: []\n"
