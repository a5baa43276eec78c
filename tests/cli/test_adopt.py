"""adopt: look, take over, give back; with a whole tree of crontabs on the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .conftest import Cronpilot, Running

CRONTAB = """\
SHELL=/bin/sh
# Rotate
17 3 * * * root /usr/sbin/rotate --all
*/5 * * * * root probe %in
@reboot root hello
25 6 * * * root cd / && run-parts --report /etc/cron.daily
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """/etc/crontab and a script in cron.daily."""
    root = tmp_path / "tree"
    (root / "etc/cron.daily").mkdir(parents=True)
    (root / "etc/crontab").write_text(CRONTAB)
    script = root / "etc/cron.daily/clean"
    script.write_text("#!/bin/sh\necho clean\n")
    script.chmod(0o755)
    (root / "etc/cron.daily/old.dpkg-old").touch()
    return root


def everything(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_looking_shows_what_each_becomes_and_changes_nothing(tree: Path, cronpilot: Cronpilot):
    before = everything(tree)
    said = cronpilot("adopt", "--root", str(tree))
    rows = {row["name"]: row for row in cronpilot("adopt", "--root", str(tree), "--json").json}

    assert said.code == 0
    assert set(rows) == {"rotate", "probe", "hello", "cron.daily: clean"}
    assert rows["rotate"]["task"]["command"] == "/usr/sbin/rotate --all"
    assert (rows["rotate"]["line"], rows["hello"]["task"]) == (3, None)
    assert "every day at 03:17" in said.out
    assert "hello: @reboot has no equal" in said.out
    assert everything(tree) == before


def test_what_is_found_can_be_had_as_a_tasks_file(tree: Path, cronpilot: Cronpilot, tmp_path):
    said = cronpilot("adopt", "--root", str(tree), "--yaml")
    (tmp_path / "new.yaml").write_text(said.out)

    assert cronpilot("validate", str(tmp_path / "new.yaml")).code == 0


def test_taking_over_leaves_nobody_else_who_starts_it(
    tree: Path, cronpilot: Cronpilot, engine: Running
):
    said = cronpilot("adopt", "--root", str(tree), "--take", "rotate", "cron.daily: clean")
    task = engine.ask(lambda fake: fake.find_task("rotate"))
    [copy] = Path(os.environ["XDG_STATE_HOME"]).rglob("*etc_crontab*")

    assert said.code == 0, said.err
    assert task.active
    assert (tree / "etc/crontab").read_text() == CRONTAB.replace(
        "17 3 * * * root /usr/sbin/rotate",
        '# cronpilot adopted "rotate": 17 3 * * * root /usr/sbin/rotate',
    )
    assert copy.read_text() == CRONTAB
    assert not (tree / "etc/cron.daily/clean").exists()
    assert (tree / "etc/cron.daily/clean.cronpilot-adopted").exists()
    rows = cronpilot("adopt", "--root", str(tree), "--json").json
    assert {row["name"] for row in rows} == {"probe", "hello"}


def test_all_takes_what_needs_no_decision(tree: Path, cronpilot: Cronpilot):
    said = cronpilot("adopt", "--root", str(tree), "--take", "--all", "--json")

    assert {task["name"] for task in said.json} == {"rotate", "probe", "cron.daily: clean"}
    left = cronpilot("adopt", "--root", str(tree), "--json").json
    assert [row["name"] for row in left] == ["hello"]


def test_one_command_gives_it_back(tree: Path, cronpilot: Cronpilot, engine: Running):
    before = everything(tree)
    cronpilot("adopt", "--root", str(tree), "--take", "--all")
    listed = cronpilot("adopt", "--root", str(tree), "--back").out
    said = cronpilot("adopt", "--root", str(tree), "--back", "--all")

    assert said.code == 0, said.err
    assert "rotate: set aside in" in listed
    assert everything(tree) == before
    assert cronpilot("run", "rotate").code == 2


def test_a_file_that_was_changed_meanwhile_is_left_alone(
    tree: Path, cronpilot: Cronpilot, monkeypatch: pytest.MonkeyPatch
):
    from cronpilot.adopt import taking

    kept = taking.set_aside

    def after_somebody_else(machine, entry, copies):
        (tree / "etc/crontab").write_text("# new\n" + CRONTAB)
        return kept(machine, entry, copies)

    monkeypatch.setattr("cronpilot.adopt.set_aside", after_somebody_else)
    said = cronpilot("adopt", "--root", str(tree), "--take", "rotate")

    assert said.code == 4
    assert "has changed since it was read" in said.err
    assert (tree / "etc/crontab").read_text() == "# new\n" + CRONTAB
    assert cronpilot("run", "rotate").code == 2  # the task that rested is gone again


def test_an_engine_that_goes_away_meanwhile_leaves_a_sentence_and_the_way_back(
    tree: Path, cronpilot: Cronpilot, engine: Running, monkeypatch: pytest.MonkeyPatch
):
    from cronpilot.adopt import taking

    kept = taking.set_aside

    def and_lose_the_engine(machine, entry, copies):
        engine.fake.lose()
        return kept(machine, entry, copies)

    monkeypatch.setattr("cronpilot.adopt.set_aside", and_lose_the_engine)
    before = everything(tree)
    said = cronpilot("adopt", "--root", str(tree), "--take", "rotate")
    engine.fake.come_back()
    back = cronpilot("adopt", "--root", str(tree), "--back", "rotate")

    assert said.code == 4
    assert "nobody starts it" in said.err
    assert "cronpilot adopt --back rotate" in said.err
    assert back.code == 0, back.err
    assert everything(tree) == before


def test_what_cannot_be_given_back_goes_on_as_a_task(tree: Path, cronpilot: Cronpilot):
    cronpilot("adopt", "--root", str(tree), "--take", "cron.daily: clean")
    (tree / "etc/cron.daily/clean").touch()  # an update brought it back
    said = cronpilot("adopt", "--root", str(tree), "--back", "cron.daily: clean")
    task = next(row for row in cronpilot("list", "--json").json if "clean" in row["name"])

    assert (said.code, task["active"]) == (4, True)


def test_another_machine_takes_nothing_over(tree: Path, cronpilot: Cronpilot):
    away = ("--connect", "https://elsewhere:7000")
    said = cronpilot("adopt", "--root", str(tree), "--take", "rotate", *away)

    assert (said.code, "its own engine only" in said.err) == (2, True)


def test_it_warns_when_both_would_fire(tree: Path, cronpilot: Cronpilot):
    cronpilot("adopt", "--root", str(tree), "--take", "rotate")
    (tree / "etc/crontab").write_text(CRONTAB)  # an update brought it back
    said = cronpilot("adopt", "--root", str(tree))

    assert "Task 'rotate' starts it, too: both fire." in said.out


@pytest.mark.parametrize(("words", "code", "sentence"), [
    (["--take"], 2, "Name what to take, or say --all."),
    (["--take", "rotat"], 2, "Did you mean 'rotate'?"),
    (["--take", "hello"], 4, "'hello' cannot be taken over: @reboot has no equal"),
    (["--back", "rotate"], 2, "There is no entry 'rotate'"),
    (["--take", "--back"], 2, "undo one another"),
])  # fmt: skip
def test_what_cannot_be_done_is_a_sentence(
    tree: Path, cronpilot: Cronpilot, words: list[str], code: int, sentence: str
):
    said = cronpilot("adopt", "--root", str(tree), *words)

    assert (said.code, sentence in said.err) == (code, True), said


def test_a_crontab_from_elsewhere_can_be_looked_at(tmp_path: Path, cronpilot: Cronpilot):
    (tmp_path / "theirs").write_text("0 4 * * mon  ./weekly.sh\n")
    said = cronpilot("adopt", "--from", str(tmp_path / "theirs"))

    assert "weekly.sh" in said.out
    assert "every Monday at 04:00" in said.out
