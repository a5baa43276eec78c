"""The systemd unit: what it says, and how it is put in its place and taken away."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cronpilot.errors import Refused
from cronpilot.maintenance.service import Service, install, quoted, remove

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """One of a user, whose configuration is in a directory of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return Service("user", ("/usr/bin/env",), tmp_path / "a state", tasks=tmp_path / "t.yaml")


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl that writes down how it was called; a file `fail` makes it fail."""
    folder = tmp_path / "bin"
    folder.mkdir()
    tool = folder / "systemctl"
    tool.write_text(
        f'#!/bin/sh\necho "$*" >>{tmp_path}/called\n'
        f'if [ -e {tmp_path}/fail ]; then echo "no bus" >&2; exit 1; fi\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tmp_path / "called"


@needs_systemd
@pytest.mark.parametrize("scope", ["user", "system"])
@pytest.mark.parametrize("harden", [False, True])
def test_systemd_finds_nothing_wrong_with_the_unit(
    service: Service, tmp_path: Path, scope: str, harden: bool
):
    whole = Service(
        scope, ("/usr/bin/env",), Path("/var/lib/cronpilot"), tasks=tmp_path / "100% $HOME.yaml",
        run_as="daemon" if scope == "system" else None, harden=harden,
    )  # type: ignore[arg-type] # fmt: skip
    unit = tmp_path / "cronpilot.service"
    unit.write_text(whole.text())
    said = subprocess.run(
        ["systemd-analyze", "verify", *(["--user"] if scope == "user" else []), str(unit)],
        capture_output=True, text=True,
    )  # fmt: skip

    assert [line for line in said.stderr.splitlines() if "cronpilot.service" in line] == []


@pytest.mark.parametrize("line", [
    "Type=notify", "KillMode=process", "WatchdogSec=120", "Restart=on-failure",
    "ExecReload=/bin/kill -HUP $MAINPID", "WantedBy=default.target",
])  # fmt: skip
def test_the_unit_says_what_the_engine_relies_on(service: Service, line: str):
    assert line in service.text().splitlines()


def test_only_what_is_asked_for_takes_rights_from_the_tasks(service: Service):
    assert "NoNewPrivileges" not in service.text()
    assert "NoNewPrivileges=yes" in Service("user", ("x",), Path("/s"), harden=True).text()


@pytest.mark.parametrize(("word", "text"), [
    ("/plain", "/plain"), ("with blank", '"with blank"'), ("100%", "100%%"), ("$HOME", "$$HOME"),
    ('"', '"\\""'), ("a\nUser=b", '"a\\x0aUser=b"'),
])  # fmt: skip
def test_words_reach_the_engine_as_they_are(word: str, text: str):
    assert quoted(word) == text


def test_installing_says_what_it_did_and_removing_leaves_nothing(
    service: Service, systemctl: Path, tmp_path: Path
):
    said: list[str] = []
    install(service, said.append)
    path = service.path()
    written = path.read_text()
    remove(service, said.append)

    assert written == service.text()
    assert systemctl.read_text().splitlines() == [
        "--user daemon-reload", "--user enable --now cronpilot.service",
        "--user disable --now cronpilot.service", "--user daemon-reload",
    ]  # fmt: skip
    assert not path.exists()
    assert [path for path in (tmp_path / "config").rglob("*") if path.is_file()] == []
    assert f"{path} is written." in said
    assert f"{path} is removed." in " ".join(said)


def test_a_unit_of_somebody_else_is_left_alone(service: Service, systemctl: Path):
    service.path().parent.mkdir(parents=True)
    service.path().write_text("[Service]\n")

    for action in (install, remove):
        with pytest.raises(Refused, match="not written by CronPilot"):
            action(service, print)
    assert service.path().read_text() == "[Service]\n"
    assert not systemctl.exists()


def test_what_systemd_says_is_passed_on(service: Service, systemctl: Path, tmp_path: Path):
    (tmp_path / "fail").touch()
    with pytest.raises(Refused, match="daemon-reload failed: no bus"):
        install(service, print)


def test_without_systemd_it_says_what_to_do_instead(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Refused, match="no systemd here"):
        install(service, print)


def test_what_is_not_there_cannot_be_removed(service: Service, systemctl: Path):
    with pytest.raises(Refused, match="There is no"):
        remove(service, print)
