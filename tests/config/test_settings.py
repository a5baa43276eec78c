from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cronpilot.config import places
from cronpilot.config.places import machine_timezone, unsupported_platform
from cronpilot.config.settings import (
    Settings,
    database_of,
    load_settings,
)
from cronpilot.errors import ConfigError, InvalidFile

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for /etc/cronpilot, so that this machine's own does not count."""
    monkeypatch.setattr(places, "_ETC", tmp_path / "etc")
    return tmp_path / "etc"


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Settings]:
    """Loads in the directory `cwd`, with an environment that has nothing but HOME and TZ."""
    cwd = tmp_path / "cwd"
    cwd.mkdir()

    def call(environ: dict[str, str] | None = None, **flags: Path | None) -> Settings:
        given = {"HOME": str(tmp_path / "home"), "TZ": "Europe/Oslo"} | (environ or {})
        return load_settings(environ=given, cwd=cwd, **flags)  # type: ignore[arg-type]

    return call


@pytest.fixture
def refused(
    load: Callable[..., Settings], written: Write
) -> Callable[[str], list[tuple[int, str, str]]]:
    """Loads a config.yaml that must be refused; gives line, key and sentence of each complaint."""

    def refuse(text: str) -> list[tuple[int, str, str]]:
        with pytest.raises(InvalidFile) as caught:
            load(config=written(text, "config.yaml"))
        return [
            (one.line, one.key, f"{one.problem} {one.hint}".rstrip())
            for one in caught.value.complaints
        ]

    return refuse


# --- without a file ------------------------------------------------------------------------------


def test_without_any_file_the_defaults_hold(load: Callable[..., Settings], tmp_path: Path):
    found = load()

    state = tmp_path / "home/.local/state/cronpilot"
    assert (found.state_dir, found.database) == (state, state / "cronpilot.db")
    assert (found.config_file, found.tasks_file, found.tasks_file_found) == (None, None, None)
    assert (found.timezone, found.max_workers, found.pools) == ("Europe/Oslo", 10, {})
    assert (found.api.enabled, found.api.host, found.api.port) == (None, "127.0.0.1", 7000)
    assert (found.connect, found.settings_warnings) == (None, ())


# --- config.yaml ---------------------------------------------------------------------------------

SEED = """\
scheduler:
  timezone: "UTC"
  max_workers: 4
  jobstore_url: "sqlite:///scheduler.db"
pools: {db: 2, "3": 1}
api:
  enabled: true
  port: 7001
"""


def test_the_settings_of_config_yaml_count(load: Callable[..., Settings], written: Write):
    found = load(config=written(SEED, "config.yaml"))

    assert (found.timezone, found.max_workers) == ("UTC", 4)
    assert found.database == found.state_dir / "scheduler.db"
    assert found.pools == {"db": 2, "3": 1}
    assert (found.api.enabled, found.api.host, found.api.port) == (True, "127.0.0.1", 7001)


@pytest.mark.parametrize("text", ["", "# nothing\n", "scheduler:\npools:\napi:\n", "api: {}\n"])
def test_a_config_without_settings_changes_nothing(
    load: Callable[..., Settings], written: Write, text: str
):
    found = load(config=written(text, "config.yaml"))

    assert (found.max_workers, found.pools) == (10, {})


@pytest.mark.parametrize(("text", "line", "key", "sentence"), [
    ("scheduler:\n  timezone: Europe/Olso\n", 2, "scheduler.timezone",
     "Unknown time zone 'Europe/Olso'. Did you mean Europe/Oslo?"),
    ("scheduler: {max_workers: 0}\n", 1, "scheduler.max_workers",
     "must be a whole number from 1 to 1000."),
    ("scheduler: {max_workers: many}\n", 1, "scheduler.max_workers",
     "must be a whole number from 1 to 1000."),
    ("scheduler: {max_worker: 3}\n", 1, "scheduler.max_worker",
     "is not a known key. Did you mean max_workers?"),
    ("scheduler: 5\n", 1, "scheduler", "must be keys with values. Such as {NAME: value}."),
    ("schedular: {}\n", 1, "schedular", "is not a known key. Did you mean scheduler?"),
    ("scheduler: {jobstore_url: 'postgresql://me:secret@db/x'}\n", 1, "scheduler.jobstore_url",
     "cannot be used: postgresql: databases are not SQLite. Use sqlite:///cronpilot.db."),
    ("scheduler: {jobstore_url: jobs.db}\n", 1, "scheduler.jobstore_url",
     "cannot be used: it is not SQLite. Use sqlite:///cronpilot.db."),
    ("scheduler: {jobstore_url: 'sqlite://'}\n", 1, "scheduler.jobstore_url",
     "names no file. Use sqlite:///cronpilot.db (in the state directory) or"
     " sqlite:////var/lib/cronpilot.db."),
    ("pools:\n  db: none\n", 2, "pools.db", "must be a whole number from 1 to 1000."),
    ("pools: [db]\n", 1, "pools", "must be keys with values. Such as {NAME: value}."),
    ("api: {port: 70000}\n", 1, "api.port", "must be a whole number from 0 to 65535."),
    ("api: {enabled: on}\n", 1, "api.enabled", "must be true or false. Write true."),
    ("- a\n", 1, "", "must be keys with values. Such as scheduler: {max_workers: 10}."),
    ("a: [\n", 1, "", "The file ends inside a [ or { that is not closed."),
])  # fmt: skip
def test_a_wrong_setting_is_named_with_its_line_and_key(
    refused: Callable[[str], list[tuple[int, str, str]]],
    text: str, line: int, key: str, sentence: str,
):  # fmt: skip
    assert refused(text) == [(line, key, sentence)]


def test_every_wrong_setting_is_told_at_once(
    refused: Callable[[str], list[tuple[int, str, str]]],
):
    said = refused(
        "scheduler:\n  max_workers: x\n  jobstore_url: mysql://x\npools: {a: 0}\nsmpt: {}\n"
    )

    assert [(line, key) for line, key, _ in said] == [
        (2, "scheduler.max_workers"), (3, "scheduler.jobstore_url"), (4, "pools.a"), (5, "smpt"),
    ]  # fmt: skip


@pytest.mark.parametrize(("url", "path"), [
    ("sqlite:///scheduler.db", "/state/scheduler.db"),
    ("sqlite:///sub/x.db", "/state/sub/x.db"),
    ("sqlite:////srv/cp.db", "/srv/cp.db"),
    ("sqlite:///./x.db", "/state/x.db"),
])  # fmt: skip
def test_a_database_is_relative_to_the_state_directory(url: str, path: str):
    assert database_of(url, Path("/state")) == Path(path)


@pytest.mark.parametrize("url", [
    "sqlite://", "sqlite:///", "sqlite://x.db", "sqlite:///:memory:?x", "sqlite:///a/", "", "x",
    "mysql+pymysql://root:pw@h/x", "SQLITE:///x", "sqlite:///a\0b",
])  # fmt: skip
def test_other_databases_are_refused_without_repeating_a_password(url: str):
    with pytest.raises(ConfigError) as caught:
        database_of(url, Path("/state"))

    assert "pw" not in str(caught.value)


# --- which files ---------------------------------------------------------------------------------


@pytest.fixture
def everywhere(tmp_path: Path, load: Callable[..., Settings]) -> dict[str, Path]:
    """A tasks.yaml in each place where one is looked for, first place first."""
    places = {
        "flag": tmp_path / "flag.yaml",
        "environment": tmp_path / "env.yaml",
        "working directory": tmp_path / "cwd/tasks.yaml",
        "xdg": tmp_path / "home/.config/cronpilot/tasks.yaml",
        "etc": tmp_path / "etc/tasks.yaml",
    }
    for path in places.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o644)
    return places


def test_a_tasks_file_is_looked_for_in_this_order(
    load: Callable[..., Settings], everywhere: dict[str, Path]
):
    flag: dict[str, Path | None] = {"tasks": everywhere["flag"]}
    environ = {"CRONPILOT_TASKS": str(everywhere["environment"])}
    seen = []
    for place, path in everywhere.items():
        found = load(environ, **flag)
        seen.append((found.tasks_file_found, found.tasks_file))
        path.unlink()
        flag = {}
        if place == "environment":
            environ = {}

    assert seen == list(everywhere.items())
    assert load().tasks_file is None


def test_a_config_file_is_found_in_the_working_directory(
    load: Callable[..., Settings], tmp_path: Path
):
    (tmp_path / "cwd/config.yaml").write_text("scheduler: {max_workers: 3}")

    found = load()

    assert (found.config_file, found.max_workers) == (tmp_path / "cwd/config.yaml", 3)


def test_xdg_directories_can_be_elsewhere(load: Callable[..., Settings], tmp_path: Path):
    (tmp_path / "xdg/cronpilot").mkdir(parents=True)
    (tmp_path / "xdg/cronpilot/tasks.yaml").touch()

    found = load({"XDG_CONFIG_HOME": f"{tmp_path}/xdg", "XDG_STATE_HOME": f"{tmp_path}/var"})

    assert found.tasks_file == tmp_path / "xdg/cronpilot/tasks.yaml"
    assert found.state_dir == tmp_path / "var/cronpilot"


def test_a_relative_xdg_directory_is_ignored(load: Callable[..., Settings], tmp_path: Path):
    found = load({"XDG_STATE_HOME": "var"})

    assert found.state_dir == tmp_path / "home/.local/state/cronpilot"


def test_the_state_directory_of_the_flag_wins_over_the_environment(
    load: Callable[..., Settings], tmp_path: Path
):
    environ = {"CRONPILOT_STATE_DIR": "from-env"}

    assert load(environ).state_dir == tmp_path / "cwd/from-env"
    assert load(environ, state_dir=Path("../x")).state_dir == tmp_path / "x"


def test_paths_are_absolute(load: Callable[..., Settings], tmp_path: Path):
    (tmp_path / "cwd/t.yaml").touch()

    assert load(tasks=Path("t.yaml")).tasks_file == tmp_path / "cwd/t.yaml"


@pytest.mark.parametrize(("environ", "flags", "who"), [
    ({}, {"tasks": Path("gone.yaml")}, "--tasks"),
    ({}, {"config": Path("gone.yaml")}, "--config"),
    ({"CRONPILOT_TASKS": "gone.yaml"}, {}, "CRONPILOT_TASKS"),
    ({"CRONPILOT_CONFIG": "gone.yaml"}, {}, "CRONPILOT_CONFIG"),
    ({"CRONPILOT_CONFIG": "/proc/1/\x1b[31m"}, {}, "CRONPILOT_CONFIG"),
])  # fmt: skip
def test_a_file_that_was_named_must_exist(
    load: Callable[..., Settings], environ: dict[str, str], flags: dict[str, Path], who: str
):
    with pytest.raises(ConfigError, match=f"^{who}: there is no file /") as caught:
        load(environ, **flags)

    assert "\x1b" not in str(caught.value)


# --- trust ---------------------------------------------------------------------------------------


def test_a_file_in_the_working_directory_that_everybody_can_write_is_not_used(
    load: Callable[..., Settings], everywhere: dict[str, Path]
):
    everywhere["working directory"].chmod(0o646)

    found = load()

    assert found.tasks_file_found == "xdg"
    assert found.settings_warnings == (
        f"{everywhere['working directory']} is not used: everybody may write to it."
        " If you trust it, name it with a flag.",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_file_of_somebody_else_in_the_working_directory_is_not_used(
    load: Callable[..., Settings], everywhere: dict[str, Path], kind: str
):
    here = everywhere["working directory"]
    if kind == "link":
        here.unlink()
        here.symlink_to(everywhere["flag"])
    os.chown(here, 12345, 12345, follow_symlinks=False)

    found = load()

    assert found.tasks_file_found == "xdg"
    assert "it belongs to another user" in found.settings_warnings[0]


def test_a_file_that_is_named_is_trusted(
    load: Callable[..., Settings], everywhere: dict[str, Path]
):
    everywhere["flag"].chmod(0o666)

    assert load(tasks=everywhere["flag"]).tasks_file_found == "flag"


# --- the machine's zone --------------------------------------------------------------------------


@pytest.fixture
def unlinked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which neither /etc/localtime nor tzlocal tells the zone."""
    monkeypatch.setattr(places, "_linked_zone", lambda: "")
    monkeypatch.setattr(places, "_tzlocal_name", lambda: "")


@pytest.mark.parametrize(("tz", "zone"), [
    ("Asia/Kolkata", "Asia/Kolkata"),
    (":Europe/Paris", "Europe/Paris"),
    ("/usr/share/zoneinfo/America/Lima", "America/Lima"),
    ("CET-1CEST", "UTC"),
    ("../../etc/passwd", "UTC"),
    ("", "UTC"),
])  # fmt: skip
@pytest.mark.usefixtures("unlinked")
def test_tz_names_the_zone(tz: str, zone: str):
    assert machine_timezone({"TZ": tz}, []) == zone


@pytest.mark.usefixtures("unlinked")
def test_a_zone_that_nobody_knows_is_utc_with_a_note():
    notes: list[str] = []

    assert machine_timezone({}, notes) == "UTC"
    assert notes == [
        "The machine's time zone is unknown: UTC is used. Set scheduler.timezone."
    ]  # fmt: skip


def test_the_link_etc_localtime_names_the_zone(tmp_path: Path):
    zone = tmp_path / "zoneinfo/Pacific/Apia"
    zone.parent.mkdir(parents=True)
    zone.touch()
    (tmp_path / "localtime").symlink_to(zone)

    assert places._linked_zone(str(tmp_path / "localtime")).endswith("/zoneinfo/Pacific/Apia")
    assert places._linked_zone(str(zone.parent.parent)) == ""


def test_this_machine_has_a_zone():
    assert machine_timezone(os.environ, []) != ""
    assert isinstance(places._tzlocal_name(), str)


# --- the platform --------------------------------------------------------------------------------


def test_this_platform_is_supported():
    assert unsupported_platform() is None


@pytest.mark.parametrize(("attribute", "value", "sentence"), [
    ("platform", "darwin", "CronPilot 0.1 is for Linux; this machine says 'darwin'."),
    ("version_info", (3, 10, 4), "CronPilot 0.1 needs Python 3.11 to 3.13; this is 3.10."),
    ("version_info", (3, 14, 0), "CronPilot 0.1 needs Python 3.11 to 3.13; this is 3.14."),
])  # fmt: skip
def test_another_platform_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, attribute: str, value: object, sentence: str
):
    with monkeypatch.context() as patched:
        patched.setattr(sys, attribute, value)
        said = unsupported_platform()

    assert said == sentence
