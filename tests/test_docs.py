"""What the README names exists, and what exists is named."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cronpilot.client.fake import FakeClient, make_run, make_task
from cronpilot.config.tasks_file import read_tasks_file
from cronpilot.domain.access import Role
from cronpilot.domain.run import Status
from cronpilot.domain.task import TaskSpec
from cronpilot.maintenance.service import Service

from .api.guarding import FakeAccounts
from .client.serving_tcp import served_on_tcp

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def commands_of_help() -> set[str]:
    said = subprocess.run(
        [sys.executable, "-m", "cronpilot", "--help"], capture_output=True, text=True, check=True
    ).stdout
    return set(re.findall(r"^  ([a-z]+)  +\S", said.split("Commands:")[1], re.MULTILINE))


def test_every_command_of_the_readme_exists_and_the_reverse():
    named = set(re.findall(r"^cronpilot ([a-z]+)", README, re.MULTILINE)) | {
        word for line in README.splitlines() for word in re.findall(r"; cronpilot ([a-z]+) ", line)
    }

    assert named == commands_of_help()


def test_every_field_of_a_task_is_in_the_readmes_table_and_the_reverse():
    table = README.split("| field | default | meaning |")[1].split("\n\n")[0]
    named = {
        name
        for row in table.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }

    assert named == set(TaskSpec.model_fields) | {"was"}


def test_the_example_of_the_readme_is_valid(tmp_path):
    example = README.split("```yaml\n")[1].split("```")[0]
    (tmp_path / "tasks.yaml").write_text(example)

    assert read_tasks_file(tmp_path / "tasks.yaml").entries[0].spec.name == "backup-db"


def test_every_key_of_the_readmes_table_exists():
    from cronpilot.tui.key_catalogue import catalogue
    from cronpilot.tui.key_names import key_name

    known = {key_name(key) for one in catalogue().values() for key in one.keys}
    table = README.split("| key | does | | key | does |")[1].split("\n\n")[0]
    cells = [row.split("|") for row in table.splitlines()[2:]]
    named = {
        key for row in cells for cell in (row[1], row[4]) for key in re.findall(r"`(\S+)`", cell)
    }

    assert named - known == set()


def test_the_keys_toml_of_the_readme_is_valid():
    from cronpilot.tui.key_catalogue import catalogue
    from cronpilot.tui.keymap import parse_keymap

    assert parse_keymap(README.split("```toml\n")[1].split("```")[0], "README", catalogue()).changed


@pytest.mark.parametrize("picture", re.findall(r"\]\((screenshots/\S+)\)", README))
def test_every_picture_of_the_readme_is_there(picture):
    assert (ROOT / picture).is_file()


def test_the_unit_of_the_readme_is_the_one_that_is_installed():
    unit = README.split("```ini\n")[1].split("```")[0]
    service = Service(
        "system", ("/opt/cronpilot/bin/cronpilot",), Path("/var/lib/cronpilot"),
        tasks=Path("/etc/cronpilot/tasks.yaml"), run_as="cronpilot",
    )  # fmt: skip

    assert unit == service.text()


def test_the_test_command_is_where_ci_finds_it():
    block = README.split("<!-- test command -->\n```sh\n")[1].split("```")[0]
    assert block.rstrip().endswith("pytest")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_understands_the_unit_of_the_readme(tmp_path):
    unit = README.split("```ini\n")[1].split("```")[0]
    path = tmp_path / "cronpilot.service"
    path.write_text(unit.replace("/opt/cronpilot/bin/cronpilot", "/bin/true"))

    said = subprocess.run(
        ["systemd-analyze", "verify", str(path)], capture_output=True, text=True, timeout=60
    )

    assert (said.returncode, said.stderr) == (0, "")


async def test_the_python_example_of_the_readme_runs(tmp_path):
    """As it stands there, but for the address."""
    example = README.split("<!-- client example -->\n```python\n")[1].split("```")[0]
    (tmp_path / "password").write_text("admin123\n")
    fake = FakeClient([make_task(1, "backup-db")], [make_run(1)], {1: b"dumped\n"})
    fake._requests["release 1.4"] = 1
    async with served_on_tcp(fake, FakeAccounts(anna=Role.OPERATOR)) as served:
        fake.finish(1, Status.SUCCESS)
        script = tmp_path / "script.py"
        script.write_text(example.replace("https://cron.example:7000", served.address))
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(script), cwd=tmp_path, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()

    assert process.returncode == 0
    assert said.decode() == (
        "backup-db runs every day at 02:30 and next at 2026-03-05 02:30:00+00:00\n"
        "dumped\nIt ended as success\n"
    )
