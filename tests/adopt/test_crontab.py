"""What the lines of a crontab become."""

from __future__ import annotations

from pathlib import Path

import pytest

from cronpilot.adopt import Entry, look_at
from cronpilot.adopt.crontab import read, split_percent
from cronpilot.domain.task import told_dict

PATH = Path("/etc/cron.d/shop")


def entries(text: str, *, has_user: bool = False, me: str = "root") -> list[Entry]:
    return look_at(PATH, text, me, has_user=has_user)


def one(text: str, *, has_user: bool = False, me: str = "root") -> Entry:
    [entry] = entries(text, has_user=has_user, me=me)
    return entry


def fields(entry: Entry) -> dict[str, object]:
    assert entry.spec is not None, entry.notices
    told = told_dict(entry.spec)
    told["schedule"] = entry.spec.schedule.shorthand
    return told


def test_a_line_becomes_a_task_that_is_not_made_up_for():
    entry = one("# Nightly dump\n30 2 * * 1-5  /usr/local/bin/backup --all >/dev/null\n")

    assert fields(entry) == {
        "name": "backup",
        "description": "Nightly dump",
        "command": "/usr/local/bin/backup --all >/dev/null",
        "schedule": "30 2 * * 1-5",
        "missed": "skip",
    }
    assert (entry.line, entry.notices) == (2, ())


def test_settings_hold_for_the_lines_below_them():
    text = "* * * * * one\nPATH = /opt/bin:/bin\n\"A B\"=x\nC='  d '\n* * * * * two\n"
    first, second = entries(text.replace('"A B"=x\n', ""))

    assert "env" not in fields(first)
    assert fields(second)["env"] == {"PATH": "/opt/bin:/bin", "C": "  d "}


@pytest.mark.parametrize(("setting", "expected"), [
    ("SHELL=/bin/bash", {"shell": "/bin/bash"}),
    ("HOME=/srv", {"working_dir": "/srv", "env": {"HOME": "/srv"}}),
    ('MAILTO=""', {"notify": "never"}),
    ("CRON_TZ=Europe/Berlin", {"timezone": "Europe/Berlin"}),
    ("RANDOM_DELAY=45", {"spread": "45m"}),
])  # fmt: skip
def test_what_cron_knows_of_itself_becomes_a_field(setting: str, expected: dict[str, object]):
    told = fields(one(f"{setting}\n0 1 * * * do-it\n"))

    assert {key: told[key] for key in expected} == expected


def test_people_who_got_mail_are_told_of_failures_and_it_is_said():
    entry = one("MAILTO=ops@example.org\n0 1 * * * do-it\n")

    assert entry.notices == ("cron mails every output to ops@example.org; here failures are told.",)
    assert fields(entry)["notify"] == {"to": ["ops@example.org"]}


@pytest.mark.parametrize(("line", "user"), [
    ("17 * * * * www-data do-it", "www-data"),
    ("17 * * * * root do-it", None),
])  # fmt: skip
def test_the_user_field_counts_where_it_is_somebody_else(line: str, user: str | None):
    assert fields(one(line + "\n", has_user=True)).get("user") == user


def test_only_root_can_take_over_what_runs_as_somebody_else():
    entry = one("17 * * * * www-data do-it\n", has_user=True, me="me")

    assert entry.notices == ("Only an engine of root can run it as www-data.",)


@pytest.mark.parametrize(("text", "command", "stdin"), [
    ("mail -s Hi me%Hello%there", "mail -s Hi me", "Hello\nthere\n"),
    (r"date +\%d", "date +%d", None),
    (r"cat%50\% of it", "cat", "50% of it\n"),
    ("true", "true", None),
    (r"printf 'a\\%b", "printf 'a\\\\", "b\n"),
    (r"cat%a\\%b", "cat", "a\\%b\n"),
    ("cat%", "cat", ""),
    ("cat%a%", "cat", "a\n"),
    ("echo a\\", "echo a\\", None),
])  # fmt: skip
def test_percent_signs(text: str, command: str, stdin: str | None):
    assert split_percent(text) == (command, stdin)


def test_standard_input_reaches_the_command(tmp_path: Path):
    import subprocess

    entry = one("0 1 * * * cat | tr a-z A-Z; cat%it's 5\\% done%100\n")
    command = fields(entry)["command"]
    said = subprocess.run(["/bin/sh", "-c", str(command)], capture_output=True, text=True)

    assert said.stdout == "IT'S 5% DONE\n100\n"


@pytest.mark.parametrize(("word", "schedule"), [
    ("@daily", "daily 00:00"), ("@midnight", "daily 00:00"), ("@hourly", "hourly :00"),
    ("@weekly", "0 0 * * 0"), ("@monthly", "0 0 1 * *"), ("@yearly", "0 0 1 1 *"),
])  # fmt: skip
def test_words_for_five_fields_mean_the_same(word: str, schedule: str):
    from cronpilot.domain.task import TaskSpec

    meant = TaskSpec(name="x", command="x", schedule=schedule)  # type: ignore[arg-type]
    spec = one(f"{word} do-it\n").spec

    assert spec is not None
    assert spec.schedule.expression == meant.schedule.expression


def test_reboot_has_no_equal_and_is_left_alone():
    entry = one("@reboot /usr/bin/start-me\n")

    assert (entry.spec, entry.by_itself) == (None, False)
    assert entry.notices[0].startswith("@reboot has no equal")


@pytest.mark.parametrize("line", ["1 2 3 4", "@fortnightly x", "0 25 * * * x", "*/0 * * * * x"])
def test_what_cron_would_refuse_is_said_and_nothing_else_is_lost(line: str):
    first, second = entries(f"{line}\n0 1 * * * good\n")

    assert (first.spec, first.line) == (None, 1)
    assert fields(second)["command"] == "good"


def test_a_file_whose_last_line_has_no_end_is_refused_by_cron():
    assert "cron refuses the whole file" in entries("0 1 * * * x")[-1].notices[0]


def test_what_was_taken_over_is_a_comment():
    assert read('# cronpilot adopted "x": 0 1 * * * x\n', has_user=False).lines == []


@pytest.mark.parametrize(("command", "name"), [
    ("/usr/bin/certbot -q renew", "certbot"),
    ("test -x /x && cd / && FOO=1 nice -n 5 /usr/sbin/tool -q", "tool"),
    ("[ -f /a ] && . /a ; /usr/sbin/job", "job"),
    ("command -v sa1 > /dev/null && sa1 1 1", "sa1"),
    ("if [ -x /x ]; then /usr/share/mdadm/checkarray --all; fi", "checkarray"),
    ("cd /", "task"),
])  # fmt: skip
def test_a_task_is_named_for_what_it_starts(command: str, name: str):
    assert one(f"0 1 * * * {command}\n").name == name


def test_two_of_a_name_are_told_apart():
    assert [entry.name for entry in entries("0 1 * * * x\n0 2 * * * x\n")] == ["x", "x 2"]
