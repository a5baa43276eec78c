from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronpilot.config.strict_yaml import parse
from cronpilot.config.tasks_file import TasksFile, read_tasks_file
from cronpilot.domain.schedule import ScheduleType
from cronpilot.domain.task import Overlap
from cronpilot.errors import InvalidFile

Write = Callable[..., Path]
Read = Callable[..., TasksFile]
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def read(written: Write) -> Read:
    """Reads a tasks file of that text at noon UTC of 4 March 2026."""
    return lambda text, **options: read_tasks_file(written(text), now=NOON, **options)


@pytest.fixture
def refused(written: Write) -> Callable[[str], list[str]]:
    """Reads a tasks file that must be refused; gives each complaint as `line key: sentence`."""

    def refuse(text: str) -> list[str]:
        with pytest.raises(InvalidFile) as caught:
            read_tasks_file(written(text), now=NOON)
        return [
            f"{one.line} {one.key}: {one.problem} {one.hint}".rstrip()
            for one in caught.value.complaints
        ]

    return refuse


def a_task(**lines: str) -> str:
    """tasks.yaml with one task, on lines 2 to 4, and further fields from line 5 on."""
    fields = {"name": "a", "command": "b", "schedule": "manual"} | lines
    text = "".join(f"    {key}: {value}\n" for key, value in fields.items())
    return "tasks:\n  -" + text[3:]


# --- what is read --------------------------------------------------------------------------------

GOOD = """\
defaults:
  timezone: Europe/Berlin
  env: {LANG: C, PORT: 1}
  timeout: 1h
tasks:
  - name: backup-db
    command: pg_dump shop | gzip > "$DEST/shop.sql.gz"
    env: {DEST: /srv/backup, PORT: 8080, LD: on}
    schedule: daily 02:30
    max_retries: 3
  - name: disk-space
    command: [df, -h, /]
    schedule: {type: custom, config: {cron_expression: "*/15 8-18 * * mon-fri"}}
    overlap: queue
    timeout: 90s
  - name: report
    was: old-report
    command: ./report.sh
    schedule: manual
    timezone: UTC
"""


def test_entries_keep_the_order_and_the_lines_of_the_file(read: Read):
    entries = read(GOOD).entries

    assert [(one.spec.name, one.line, one.was) for one in entries] == [
        ("backup-db", 6, None), ("disk-space", 11, None), ("report", 16, "old-report"),
    ]  # fmt: skip


def test_a_tasks_own_word_wins_over_the_defaults(read: Read):
    backup, disk, report = (one.spec for one in read(GOOD).entries)

    assert [backup.timezone, disk.timezone, report.timezone] == [
        "Europe/Berlin", "Europe/Berlin", "UTC",
    ]  # fmt: skip
    assert [str(one.timeout) for one in (backup, disk)] == ["1:00:00", "0:01:30"]
    assert disk.overlap is Overlap.QUEUE


def test_variables_of_a_task_are_added_to_those_of_the_defaults(read: Read):
    backup, disk, _ = (one.spec for one in read(GOOD).entries)

    assert backup.env == {"LANG": "C", "PORT": "8080", "DEST": "/srv/backup", "LD": "on"}
    assert disk.env == {"LANG": "C", "PORT": "1"}


def test_schedules_are_read_in_both_forms(read: Read):
    backup, disk, report = (one.spec.schedule for one in read(GOOD).entries)

    assert (backup.type, backup.config) == (ScheduleType.DAILY, {"hour": 2, "minute": 30})
    assert disk.shorthand == "*/15 8-18 * * mon-fri"
    assert report.type is ScheduleType.MANUAL


@pytest.mark.parametrize(("written_as", "value"), [
    ("8080", "8080"), ("true", "true"), ("010", "010"), ("0x1F", "0x1F"), ("1.50", "1.50"),
    ("null", "null"), ("", ""), ("on", "on"), ("'a b'", "a b"),
])  # fmt: skip
def test_a_variable_has_the_text_that_was_written(read: Read, written_as: str, value: str):
    (entry,) = read(a_task(env=f"{{N: {written_as}}}")).entries

    assert entry.spec.env == {"N": value}


def test_words_of_a_list_are_text_however_they_look(read: Read):
    (entry,) = read(a_task(command="[sleep, 5, true, 010]", tags="[2026, web]")).entries

    assert entry.spec.command == ["sleep", "5", "true", "010"]
    assert entry.spec.tags == ["2026", "web"]


@pytest.mark.parametrize("text", [
    "", "# nothing yet\n", "tasks:\n", "tasks: []\n", "tasks: null\n", "defaults:\ntasks:\n",
    "defaults: {timezone: UTC}\n",
])  # fmt: skip
def test_a_file_without_tasks_is_in_order(read: Read, text: str):
    assert read(text).entries == []


@pytest.mark.parametrize("name", [
    "../../etc/cron.d/x", "[/] x", "[@click=app.quit]boo[/]", "a\x1b[2Jb", "\u202eevil", "x" * 200,
    "a\nb", "$(reboot)", "'; rm -rf ~", "%s %n {0}", " ", "Größe ✓",
])  # fmt: skip
def test_any_name_is_only_a_name(read: Read, name: str):
    escaped = "".join(f"\\U{ord(letter):08x}" for letter in name)

    (entry,) = read(a_task(name=f'"{escaped}"')).entries

    assert entry.spec.name == name


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(("line", "sentence"), [
    # schedules
    ({"schedule": "61 * * * *"},
     "4 tasks[0].schedule: minute: 61 is out of range in '61 * * * *'. Use 0 to 59."),
    ({"schedule": "daily 2:30pm"},
     "4 tasks[0].schedule: 'daily 2:30pm' cannot be read as a schedule. Write daily 02:30."),
    ({"schedule": "{type: dayly}"},
     "4 tasks[0].schedule.type: must be one of hourly, daily, weekly, custom, interval, once,"
     " manual. Did you mean 'daily'?"),
    ({"schedule": "{type: daily, hour: 3}"},
     "4 tasks[0].schedule.hour: is not a known key. Known here: config, type."),
    ({"schedule": "{type: daily, config: {hour: 24}}"},
     "4 tasks[0].schedule: hour cannot be 24. Use a number from 0 to 23."),
    ({"schedule": "5"},
     "4 tasks[0].schedule: must be a schedule. Such as daily 02:30, or {type: daily, config:"
     " {hour: 2}}."),
    ({"timezone": "Europe/Berln"},
     "5 tasks[0].timezone: Unknown time zone 'Europe/Berln'. Did you mean Europe/Berlin?"),
    # text
    ({"name": "123"}, '2 tasks[0].name: must be text. Quote it: name: "123".'),
    ({"name": "''"}, "2 tasks[0].name: cannot be empty."),
    ({"name": "x" * 201}, "2 tasks[0].name: is longer than 200 characters."),
    ({"command": "true"},
     '3 tasks[0].command: must be text, or a list of words. Quote it: command: "true".'),
    ({"command": "[]"}, "3 tasks[0].command: cannot be empty."),
    ({"command": ""}, "3 tasks[0].command: is empty. Give it a value, or remove the line."),
    ({"command": "[a, [b]]"}, "3 tasks[0].command[1]: must be text."),
    ({"command": '"a\\0b"'},
     "3 tasks[0].command: a NUL character cannot be passed to a command."),
    ({"working_dir": "[a]"}, "5 tasks[0].working_dir: must be text."),
    # numbers, durations, choices
    ({"max_retries": "many"}, "5 tasks[0].max_retries: must be a whole number from 0 to 100."),
    ({"max_retries": "101"}, "5 tasks[0].max_retries: must be a whole number from 0 to 100."),
    ({"max_retries": "1.0"}, "5 tasks[0].max_retries: must be a whole number from 0 to 100."),
    ({"keep": "0"}, "5 tasks[0].keep: must be a whole number from 1 to 1000000000."),
    ({"retry_backoff": "twice"}, "5 tasks[0].retry_backoff: must be a number from 1 to 10."),
    ({"success_codes": "[0, 300]"},
     "5 tasks[0].success_codes[1]: must be a whole number from 0 to 255."),
    ({"timeout": "90"},
     "5 tasks[0].timeout: 90 is not a duration with a unit: write 90s or 1h30m."),
    ({"timeout": "true"}, "5 tasks[0].timeout: must be a duration. Such as 90s or 1h30m."),
    ({"timeout": "12:30"},
     "5 tasks[0].timeout: '12:30' is not a duration with a unit: write 90s or 1h30m."),
    ({"active": "no"}, "5 tasks[0].active: must be true or false. Write false."),
    ({"overlap": "Skp"},
     "5 tasks[0].overlap: must be one of skip, queue, replace, allow. Did you mean 'skip'?"),
    ({"overlap": "[skip]"},
     "5 tasks[0].overlap: must be one of skip, queue, replace, allow. Did you mean 'skip'?"),
    # collections
    ({"tags": "web"}, "5 tasks[0].tags: must be a list. Such as [web]."),
    ({"env": "PATH"}, "5 tasks[0].env: must be keys with values. Such as {NAME: value}."),
    ({"env": "{A: [b]}"}, "5 tasks[0].env.A: must be text."),
    ({"env": "{A B: c}"}, "5 tasks[0].env: 'A B' is not the name of a variable."),
    ({"env": "{BASH_ENV: /x}"},
     "5 tasks[0].env: BASH_ENV cannot be set: it would change CronPilot's own shell."),
    ({"limits": "{nic: 5}"}, "5 tasks[0].limits.nic: is not a known key. Did you mean nice?"),
    ({"log_limit": "20kB"},
     "5 tasks[0].log_limit: must be a size of 65,536 bytes (66 kB) or more. Such as 500MB or 2GB."),
    ({"limits": "{memory: 9999999TB}"},
     "5 tasks[0].limits.memory: must be a size of 1,152,921,504,606,846,976 bytes (1152922 TB) or"
     " less. Such as 500MB or 2GB."),
    ({"limits": "{nice: 20}"}, "5 tasks[0].limits.nice: must be a whole number from -20 to 19."),
    # keys
    ({"comand": "x"}, "5 tasks[0].comand: is not a known key. Did you mean command?"),
    ({"xyzzy": "x"}, "5 tasks[0].xyzzy: is not a known key."),
    ({"was": "5"}, "5 tasks[0].was: must be the text of its former name."),
    ({"was": "a"}, "5 tasks[0].was: there still is a task 'a' in this file. Write was: only for"
                   " a name that is gone."),
])  # fmt: skip
def test_a_wrong_value_is_named_with_its_line_and_key(
    refused: Callable[[str], list[str]], line: dict[str, str], sentence: str
):
    assert refused(a_task(**line)) == [sentence]


@pytest.mark.parametrize(("text", "sentences"), [
    pytest.param("tasks:\n  - name: a\n    command: b\n", ["2 tasks[0].schedule: is missing."],
                 id="a field is missing"),
    pytest.param("tasks:\n  - a\n", ["2 tasks[0]: must be a task. Give it a name, a command and a"
                 " schedule."], id="a word is no task"),
    pytest.param("tasks:\n  - \n", ["2 tasks[0]: must be a task. Give it a name, a command and a"
                 " schedule."], id="nothing is no task"),
    pytest.param("tasks:\n  name: a\n", ["1 tasks: must be a list. Begin each task with"
                 " - name: ..."], id="tasks is no list"),
    pytest.param("- name: a\n", ["1 : must have the key tasks at its top. Begin with tasks: and a"
                 " list."], id="a list at the top"),
    pytest.param("just text\n", ["1 : must have the key tasks at its top. Begin with tasks: and a"
                 " list."], id="text at the top"),
    pytest.param("taks: []\n", ["1 taks: is not a known key. Did you mean tasks?"],
                 id="unknown key at the top"),
    pytest.param("name: a\n", ["1 name: is not a known key. Fields of a task belong into the list"
                 " under tasks:."], id="a task at the top"),
    pytest.param("defaults: [a]\n", ["1 defaults: must be keys with values. Such as"
                 " timezone: UTC."], id="defaults is a list"),
    pytest.param("defaults:\n  timezne: UTC\n  name: a\n",
                 ["2 defaults.timezne: is not a known key. Did you mean timezone?",
                  "3 defaults.name: belongs to one task. Move it into a task."], id="bad defaults"),
])  # fmt: skip
def test_a_wrong_shape_is_explained(
    refused: Callable[[str], list[str]], text: str, sentences: list[str]
):
    assert refused(text) == sentences


def test_every_complaint_about_a_file_is_made_at_once(refused: Callable[[str], list[str]]):
    said = refused(
        "defaults: {timeout: 5}\n"
        "tasks:\n"
        "  - {name: a, command: b, schedule: '0 25 * * *', overlap: maybe}\n"
        "  - {name: b, comand: c, schedule: manual}\n"
        "  - nonsense\n"
        "  - {name: a, command: b, schedule: manual}\n"
    )

    assert [(int(one.split()[0]), one.split()[1]) for one in said] == [
        (1, "defaults.timeout:"), (3, "tasks[0].schedule:"), (3, "tasks[0].overlap:"),
        (4, "tasks[1].command:"), (4, "tasks[1].comand:"), (5, "tasks[2]:"), (6, "tasks[3].name:"),
    ]  # fmt: skip


def test_a_mistake_in_the_defaults_is_told_once(refused: Callable[[str], list[str]]):
    task = "  - {name: %s, command: c, schedule: manual}\n"

    said = refused("defaults: {overlap: maybe}\ntasks:\n" + task % "a" + task % "b")

    assert [one.split()[1] for one in said] == ["defaults.overlap:"]


def test_a_duplicate_name_is_told_with_both_lines(refused: Callable[[str], list[str]]):
    task = "  - name: %s\n    command: c\n    schedule: manual\n"

    said = refused("tasks:\n" + task % "twin" + task % "b" + task % "twin")

    assert said == [
        "8 tasks[2].name: 'twin' is also the name of the task on line 2."
        " Give one of them another name."
    ]


@pytest.mark.parametrize(("names", "said"), [
    pytest.param([("b", "a"), ("c", "a")],
                 ["3 tasks[1].was: 'a' was already claimed on line 2. One task keeps the history."],
                 id="two heirs"),
    pytest.param([("a", None), ("b", "a")],
                 ["3 tasks[1].was: there still is a task 'a' in this file. Write was: only for a"
                  " name that is gone."], id="the former name is in use"),
])  # fmt: skip
def test_a_former_name_must_be_free(
    refused: Callable[[str], list[str]], names: list[tuple[str, str | None]], said: list[str]
):
    lines = [
        f"  - {{name: {name}, command: c, schedule: manual" + (f", was: {was}}}" if was else "}")
        for name, was in names
    ]

    assert refused("tasks:\n" + "\n".join(lines)) == said


def test_two_tasks_may_swap_their_names(read: Read):
    task = "  - {name: %s, was: %s, command: c, schedule: manual}\n"

    entries = read("tasks:\n" + task % ("a", "b") + task % ("b", "a")).entries

    assert [(one.spec.name, one.was) for one in entries] == [("a", "b"), ("b", "a")]


def test_no_control_character_of_the_file_is_in_a_complaint(refused: Callable[[str], list[str]]):
    said = refused(a_task(schedule='"\\e[31mx"', overlap='"\\e]0;x\\a"', **{'"\\e[2J"': "x"}))

    assert len(said) == 3
    assert "\x1b" not in "".join(said)


# --- what deserves a look ------------------------------------------------------------------------


def warnings_of(file: TasksFile) -> list[str]:
    return [f"{one.line} {one.key}: {one.problem} {one.hint}".rstrip() for one in file.warnings]


@pytest.mark.parametrize(("lines", "warning"), [
    ({"working_dir": "/nowhere/at/all"},
     "5 tasks[0].working_dir: There is no directory /nowhere/at/all. Its runs end as errors until"
     " it exists."),
    ({"working_dir": "/etc/passwd/x"},
     "5 tasks[0].working_dir: There is no directory /etc/passwd/x. Its runs end as errors until"
     " it exists."),
    ({"command": "[no-such-tool-9, -h]"},
     "3 tasks[0].command: There is no program 'no-such-tool-9' on this machine. A list of words"
     " runs without a shell."),
    ({"command": "[./nothing]", "working_dir": "/tmp"},
     "3 tasks[0].command: There is no program './nothing' on this machine. A list of words runs"
     " without a shell."),
    ({"command": 'echo "part #1"'},
     "3 tasks[0].command: A quote in it is never closed. After a blank, # begins a comment in"
     " YAML; put such a command on a line after |."),
    ({"schedule": "once 2026-03-04 12:00"},
     "4 tasks[0].schedule: 'once 2026-03-04 12:00' is already over. It runs only when someone"
     " starts it."),
    ({"pool": "db"}, "5 tasks[0].pool: config.yaml has no pool 'db'. Did you mean 'dbs'?"),
    ({"pool": "web"}, "5 tasks[0].pool: config.yaml has no pool 'web'. Add it there: pools:"
                      " {web: 1}."),
    ({"user": "nobodyy"}, "5 tasks[0].user: There is no user 'nobodyy' on this machine. Did you"
                          " mean 'nobody'?"),
])  # fmt: skip
def test_what_is_hardly_meant_is_a_warning(read: Read, lines: dict[str, str], warning: str):
    file = read(a_task(**lines), pools=("dbs",))

    assert warnings_of(file) == [warning]
    assert len(file.entries) == 1


def test_a_file_with_nothing_in_it_is_a_warning(read: Read):
    assert warnings_of(read("# soon\n")) == [
        "1 : has nothing in it, so it changes nothing. To archive every task, write tasks: []."
    ]


@pytest.mark.parametrize("lines", [
    {"working_dir": "/"},
    {"working_dir": "relative/to/home"},
    {"command": "[ls, -l]"},
    {"command": "[/bin/sh, -c, x]"},
    {"command": "[./nothing]"},  # in a home directory that is known only when it runs
    {"command": "echo it is \"fine\"  # 'tis"},
    {"schedule": "once 2026-03-04 12:01"},
    {"schedule": "once 2026-03-04 13:00", "timezone": "Etc/GMT"},
    {"schedule": "once 2020-01-01 00:00", "active": "false"},
    {"pool": "dbs"},
])  # fmt: skip
def test_what_is_in_order_has_no_warning(read: Read, lines: dict[str, str]):
    assert warnings_of(read(a_task(**lines), pools=("dbs",))) == []


def test_a_moment_is_over_in_the_zone_of_its_task(read: Read):
    lines = a_task(schedule="once 2026-03-04 13:30")

    assert warnings_of(read(lines, timezone="UTC")) == []
    assert len(read(lines, timezone="Asia/Tokyo").warnings) == 1


def test_pools_are_not_judged_when_nobody_knows_them(read: Read):
    assert warnings_of(read(a_task(pool="db"))) == []


# --- a law ---------------------------------------------------------------------------------------

_SCALARS = st.sampled_from(["", "5", "-1", "1.5", "true", "null", "abc", '"\\e[31m"', "[]", "{}",
                            "[1]", "{a: b}", "90s", "manual", "@x", "'* * * * *'", "[[1]]",
                            "{type: 5}", "{type: daily, config: 5}", "{config: {}}"])  # fmt: skip
_KEYS = ["name", "command", "schedule", "env", "limits", "tags", "timeout", "max_retries", "active",
         "overlap", "timezone", "success_codes", "retry_backoff", "was", "pool", "unknown",
]  # fmt: skip


@given(fields=st.dictionaries(st.sampled_from(_KEYS), _SCALARS), in_defaults=st.booleans())
def test_any_fields_make_tasks_or_complaints(
    tmp_path_factory: pytest.TempPathFactory, fields: dict[str, str], in_defaults: bool
):
    inner = "".join(f"    {key}: {value}\n" for key, value in fields.items())
    text = f"defaults:\n{inner}" if in_defaults else f"tasks:\n  -\n{inner}"
    path = tmp_path_factory.mktemp("law") / "tasks.yaml"
    path.write_text(text)

    try:
        entries = read_tasks_file(path, now=NOON).entries
    except InvalidFile as error:
        assert all(0 < one.line <= text.count("\n") + 1 for one in error.complaints)
    else:
        assert len(entries) == (0 if in_defaults else 1)
        assert parse(text.encode(), file="x").value


def test_a_channel_that_config_yaml_does_not_name_is_told(tmp_path: Path):
    path = tmp_path / "tasks.yaml"
    path.write_text(
        "defaults: {notify: {channels: [chatt]}}\n"
        "tasks:\n  - {name: a, command: 'true', schedule: manual, notify: always}\n"
    )

    file = read_tasks_file(path, channels=["chat"])

    assert file.entries[0].spec.notify.model_dump(mode="json") == {
        "on": "always", "channels": ["chatt"],
    }  # fmt: skip
    (warning,) = file.warnings
    assert "no channel 'chatt'" in warning.problem
    assert warning.hint == "Did you mean 'chat'?"
