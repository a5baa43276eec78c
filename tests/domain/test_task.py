"""TaskSpec: what a user may say about a task, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cronpilot.domain.task import TaskSpec, spec_dict

MINIMAL = {"name": "backup", "command": "true", "schedule": "daily 02:30"}


def spec(**fields) -> TaskSpec:
    return TaskSpec.model_validate({**MINIMAL, **fields})


@pytest.mark.parametrize("name", [
    "backup-db", "../../etc/x", "[/]", "[bold red]x", "a\x1b[31mb", "-rf", "$(reboot)", "'; --",
    "日本語", "a" * 200, " leading blank", "new\nline", "%s {0}", ".", "NUL but not the character",
])  # fmt: skip
def test_any_name_is_data(name):
    assert spec(name=name).name == name


@pytest.mark.parametrize(("fields", "where"), [
    pytest.param({"name": ""}, ("name",), id="no name"),
    pytest.param({"name": "a" * 201}, ("name",), id="a name too long"),
    pytest.param({"name": "a\x00b"}, ("name",), id="a NUL in the name"),
    pytest.param({"name": "\ud800"}, ("name",), id="half a character in the name"),
    pytest.param({"name": 5}, ("name",), id="a number as name"),
    pytest.param({"name": None}, ("name",), id="no name at all"),
    pytest.param({"command": ""}, ("command",), id="an empty command"),
    pytest.param({"command": []}, ("command",), id="a command without words"),
    pytest.param({"command": ["echo", 5]}, ("command",), id="a number among the words"),
    pytest.param({"command": "a\x00b"}, ("command",), id="a NUL in the command"),
    pytest.param({"command": {"run": "x"}}, ("command",), id="a mapping as command"),
    pytest.param({"schedule": "sometimes"}, ("schedule",), id="no such schedule"),
    pytest.param({"schedule": None}, ("schedule",), id="no schedule"),
    pytest.param({"timezone": "Europe/Berln"}, ("timezone",), id="an unknown zone"),
    pytest.param({"timezone": 1}, ("timezone",), id="a number as zone"),
    pytest.param({"active": "yes"}, ("active",), id="a word as switch"),
    pytest.param({"active": 1}, ("active",), id="a number as switch"),
    pytest.param({"overlap": "wait"}, ("overlap",), id="an unknown policy"),
    pytest.param({"missed": True}, ("missed",), id="a switch as policy"),
    pytest.param({"missed_limit": 0}, ("missed_limit",), id="a limit of nothing"),
    pytest.param({"missed_limit": 101}, ("missed_limit",), id="a limit over 100"),
    pytest.param({"max_retries": -1}, ("max_retries",), id="negative retries"),
    pytest.param({"max_retries": "3"}, ("max_retries",), id="retries as text"),
    pytest.param({"max_retries": 1.5}, ("max_retries",), id="a fraction of a retry"),
    pytest.param({"max_retries": True}, ("max_retries",), id="a switch as number"),
    pytest.param({"timeout": 30}, ("timeout",), id="a duration without unit"),
    pytest.param({"timeout": "soon"}, ("timeout",), id="a word as duration"),
    pytest.param({"deadline": "0s"}, ("deadline",), id="a deadline before every start"),
    pytest.param({"timeout": "-5s"}, ("timeout",), id="a negative duration"),
    pytest.param({"retry_delay": None}, ("retry_delay",), id="no duration"),
    pytest.param({"retry_backoff": 0.5}, ("retry_backoff",), id="a shrinking delay"),
    pytest.param({"retry_backoff": float("nan")}, ("retry_backoff",), id="not a number"),
    pytest.param({"success_codes": []}, ("success_codes",), id="no code means success"),
    pytest.param({"success_codes": [256]}, ("success_codes", 0), id="an exit code over 255"),
    pytest.param({"success_codes": 0}, ("success_codes",), id="a code that is no list"),
    pytest.param({"tags": "web"}, ("tags",), id="a tag that is no list"),
    pytest.param({"tags": [""]}, ("tags", 0), id="an empty tag"),
    pytest.param({"priority": 1001}, ("priority",), id="a priority over 1000"),
    pytest.param({"log_limit": 10}, ("log_limit",), id="a log of ten bytes"),
    pytest.param({"keep": 0}, ("keep",), id="to keep nothing"),
    pytest.param({"limits": {"nice": 20}}, ("limits", "nice"), id="nice over 19"),
    pytest.param({"limits": {"speed": 1}}, ("limits", "speed"), id="an unknown limit"),
    pytest.param({"env": ["A=1"]}, ("env",), id="variables as a list"),
    pytest.param({"env": {"A": 1}}, ("env", "A"), id="a number as variable"),
    pytest.param({"env": {"A B": "1"}}, ("env",), id="a blank in a variable's name"),
    pytest.param({"env": {"1A": "1"}}, ("env",), id="a digit first in a variable's name"),
    pytest.param({"env": {"": "1"}}, ("env",), id="a variable without name"),
    pytest.param({"env": {"A": "x\x00"}}, ("env", "A"), id="a NUL in a variable"),
    pytest.param({"shedule": "manual"}, ("shedule",), id="an unknown key"),
    pytest.param({"id": 3}, ("id",), id="a key that only a row has"),
])  # fmt: skip
def test_refused(fields, where):
    with pytest.raises(ValidationError) as refusal:
        spec(**fields)

    assert any(error["loc"][: len(where)] == where for error in refusal.value.errors())


@pytest.mark.parametrize("name", [
    "ENV", "BASH_ENV", "SHELLOPTS", "BASHOPTS", "CRONPILOT_RUN_ID", "CRONPILOT_X",
])  # fmt: skip
def test_variables_that_would_change_our_own_shell_are_refused(name):
    with pytest.raises(ValidationError, match=f"{name} cannot be set"):
        spec(env={name: "1"})


@pytest.mark.parametrize("name", ["PATH", "TZ", "LANG", "_x", "BASH_FUNCTION", "MY_ENV", "env"])
def test_other_variables_are_the_users(name):
    assert spec(env={name: "1"}).env == {name: "1"}


@pytest.mark.parametrize("missing", ["name", "command", "schedule"])
def test_what_a_task_needs(missing):
    fields = {key: value for key, value in MINIMAL.items() if key != missing}

    with pytest.raises(ValidationError, match="Field required"):
        TaskSpec.model_validate(fields)


def test_the_defaults():
    assert spec_dict(spec()) == {
        "name": "backup", "description": "", "command": "true", "shell": "/bin/sh",
        "working_dir": None, "env": {}, "env_file": None, "user": None,
        "schedule": {"type": "daily", "config": {"hour": 2, "minute": 30}},
        "timezone": None, "active": True, "overlap": "skip", "missed": "once", "missed_limit": 10,
        "deadline": None, "spread": "0s", "timeout": None, "stop_grace": "10s", "max_retries": 0,
        "retry_delay": "1m", "retry_backoff": 2.0, "retry_max_delay": None, "success_codes": [0],
        "on_lost": "mark", "pool": None, "priority": 0, "tags": [], "quiet": [],
        "notify": "failure", "alarms": "auto",
        "log_limit": 50_000_000, "keep": None,
        "limits": {"nice": None, "memory": None, "cpu": None, "open_files": None},
    }  # fmt: skip


def test_a_spec_survives_its_own_json():
    full = spec(command=["df", "-h"], env={"A": "1"}, timeout="1h", tags=["a", "b", "a"],
                limits={"nice": 5, "cpu": "1m"}, schedule="weekly mon,thu 09:00")  # fmt: skip

    assert TaskSpec.model_validate(spec_dict(full)) == full
    assert full.tags == ["a", "b"]


@pytest.mark.parametrize(("one", "other"), [
    pytest.param({"schedule": "daily 02:30"}, {"schedule": {"type": "daily", "config": {
        "hour": 2, "minute": 30}}}, id="shorthand and long form"),
    pytest.param({"timeout": "90s"}, {"timeout": "1m30s"}, id="one duration, two spellings"),
    pytest.param({"overlap": "skip"}, {}, id="a default, said or not"),
    pytest.param({"env": {"A": "1", "B": "2"}}, {"env": {"B": "2", "A": "1"}}, id="order of env"),
    pytest.param({"schedule": "weekly mon,thu 9:00"}, {"schedule": "weekly thu,mon 09:00"},
                 id="order of days"),
])  # fmt: skip
def test_the_meaning_is_the_same(one, other):
    assert spec(**one).meaning() == spec(**other).meaning()


@pytest.mark.parametrize("change", [
    {"name": "other"}, {"description": "x"}, {"command": "false"}, {"command": ["true"]},
    {"shell": "/bin/bash"}, {"working_dir": "/"}, {"env": {"A": "1"}}, {"env_file": "/x"},
    {"user": "nobody"},
    {"schedule": "daily 02:31"}, {"timezone": "UTC"}, {"active": False}, {"overlap": "queue"},
    {"missed": "all"}, {"missed_limit": 11}, {"deadline": "1h"}, {"spread": "1m"},
    {"timeout": "1h"}, {"stop_grace": "11s"}, {"max_retries": 1}, {"retry_delay": "61s"},
    {"retry_backoff": 3}, {"retry_max_delay": "1h"}, {"success_codes": [0, 1]},
    {"on_lost": "rerun"}, {"pool": "db"}, {"priority": 1}, {"tags": ["a"]}, {"quiet": ["a"]},
    {"notify": "never"},
    {"log_limit": 100_000}, {"keep": 5}, {"limits": {"nice": 1}},
    {"alarms": "off"},
], ids=lambda change: next(iter(change)))  # fmt: skip
def test_every_field_belongs_to_the_meaning(change):
    assert spec(**change).meaning() != spec().meaning()


def test_the_fields_above_are_all_there_are():
    tested = test_every_field_belongs_to_the_meaning.pytestmark[0].args[1]

    assert {next(iter(change)) for change in tested} == set(TaskSpec.model_fields)


def test_a_schedule_error_keeps_its_sentence_and_its_hint():
    with pytest.raises(ValidationError) as refusal:
        spec(schedule="61 * * * *")

    [error] = refusal.value.errors()
    assert error["loc"] == ("schedule",)
    assert error["ctx"]["error"].problem == "minute: 61 is out of range in '61 * * * *'."
    assert error["ctx"]["error"].hint == "Use 0 to 59."


def test_the_zone_is_its_own_or_the_default():
    assert spec().zone("Asia/Tokyo").key == "Asia/Tokyo"
    assert spec(timezone="Europe/Berlin").zone("Asia/Tokyo").key == "Europe/Berlin"


@pytest.mark.parametrize(
    ("written", "size"),
    [pytest.param("1MB", 1_000_000, id="a unit"), pytest.param(65536, 65536, id="bytes")],
)
def test_sizes_are_written_with_a_unit_or_in_bytes(written: object, size: int):
    spec = TaskSpec.model_validate(
        {"name": "x", "command": "true", "schedule": "manual", "log_limit": written,
         "limits": {"memory": "2GB"}}
    )  # fmt: skip

    assert (spec.log_limit, spec.limits.memory) == (size, 2_000_000_000)


@pytest.mark.parametrize("written", ["many", "1.5", True, 1.5, "10 apples"])
def test_what_is_no_size_is_refused(written: object):
    with pytest.raises(ValueError, match=r"size|65536|log_limit"):
        TaskSpec.model_validate(
            {"name": "x", "command": "true", "schedule": "manual", "log_limit": written}
        )
