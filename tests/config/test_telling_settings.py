"""smtp and notifications of config.yaml."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from pathlib import Path

import pytest

from cronpilot.config.settings import Settings, load_settings
from cronpilot.config.telling_settings import Channel, NotificationSettings, SmtpSettings
from cronpilot.errors import InvalidFile


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], Settings]:
    def call(text: str) -> Settings:
        (tmp_path / "config.yaml").write_text(text)
        return load_settings(
            config=tmp_path / "config.yaml", environ={"HOME": str(tmp_path)}, cwd=tmp_path
        )

    return call


def test_all_of_it(load: Callable[[str], Settings]):
    settings = load("""\
smtp:
  host: mail.example.org
  user: cronpilot
  password_file: /run/secrets/smtp
  from: cronpilot@example.org
notifications:
  to: ops@example.org, root
  channels: {chat: "slack://a/b/c", pager: {file: /run/secrets/pager}}
  use: [chat]
  daily: "07:30"
  gather: 2m
  ping: https://hc.example/key/{task}
""")

    assert (settings.smtp.port_in_force, settings.smtp.security) == (587, "starttls")
    assert settings.smtp.sender == "cronpilot@example.org"
    assert settings.notifications.to == ["ops@example.org", "root"]
    assert settings.notifications.daily == time(7, 30)
    assert settings.notifications.ping is not None
    assert settings.notifications.ping.fail == "https://hc.example/key/{task}/fail"
    assert "slack" not in repr(settings)


@pytest.mark.parametrize(("text", "key", "said"), [
    ("smtp: {hosts: x}", "smtp.hosts", "Did you mean host?"),
    ("smtp: {password: hunter2}", "smtp.password", "Did you mean password_file?"),
    ("smtp: {security: ssl}", "smtp.security", "must be one of starttls, tls, none"),
    ("smtp: {from: no address}", "smtp.from", "is not an e-mail address"),
    ("smtp: {host: mail.example.org, user: a, security: none}", "smtp", "unencrypted"),
    ("notifications: {to: [a b]}", "notifications.to[0]", "is not an e-mail address"),
    ("notifications: {gather: 2h}", "notifications.gather", "an hour"),
    ("notifications: {daily: 8}", "notifications.daily", "a time of day such as 08:00, or off"),
    ("notifications: {use: [chat]}", "notifications", "no channel 'chat'"),
    ("notifications: {channels: {a: {file: /x, env: Y}}}", "notifications.channels.a", "one of"),
    ("notifications: {recipients: [a@b]}", "notifications.recipients", "Known here:"),
])  # fmt: skip
def test_a_mistake_is_named_with_its_key(load: Callable[[str], Settings], text, key, said):
    with pytest.raises(InvalidFile) as caught:
        load(text)

    (complaint,) = caught.value.complaints
    assert complaint.key == key
    assert said in str(complaint)
    assert "hunter2" not in str(complaint)


def test_the_password_is_read_when_it_is_needed(tmp_path: Path):
    (tmp_path / "pw").write_text("in the file\n")
    from_file = SmtpSettings(host="x", password_file=tmp_path / "pw")

    assert from_file.password({"CRONPILOT_SMTP_PASSWORD": "not this"}) == "in the file"
    assert SmtpSettings(host="x").password({"CRONPILOT_SMTP_PASSWORD": "this"}) == "this"
    assert SmtpSettings(host="x").password({}) is None


def test_where_a_channel_leads(tmp_path: Path):
    (tmp_path / "url").write_text("slack://file\n")

    assert Channel.model_validate("slack://text").read() == "slack://text"
    assert Channel(file=tmp_path / "url").read() == "slack://file"
    assert Channel(env="CHAT").read({"CHAT": "slack://env"}) == "slack://env"


@pytest.mark.parametrize(("given", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_each_kind_of_security_has_its_port(given, port):
    assert SmtpSettings(host="x", security=given).port_in_force == port


def test_daily_lines_can_be_off():
    assert NotificationSettings.model_validate({"daily": "off"}).daily is None


def test_what_is_set_and_cannot_work_is_told(load: Callable[[str], Settings]):
    assert load("smtp: {host: x}").settings_warnings == ()
    told = load("smtp: {password_file: /no/such}\nnotifications: {to: [a@x]}").settings_warnings

    assert told == (
        "notifications.to names somebody, but smtp.host no mail server.",
        "smtp.password_file: /no/such cannot be read.",
    )
