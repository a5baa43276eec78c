"""Which variables are hidden before they are kept with a run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronpilot.domain.secrets import is_secret_name, mask, mask_value


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD", "PGPASSWORD", "db_passwd", "MYSQL_PWD", "SMTP_PASS", "SMTPPASS",
        "SSH_PASSPHRASE", "CLIENT_SECRET", "SecretThing", "GITHUB_TOKEN", "TOKEN", "API_KEY",
        "apikey", "KEY",
        "AWS_SECRET_ACCESS_KEY", "GOOGLE_CREDENTIALS", "HTTP_AUTH", "SENTRY_DSN", "SESSION_COOKIE",
        "SLACK_WEBHOOK_URL", "GITLAB_PAT",
    ],
)  # fmt: skip
def test_names_of_secrets(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["PATH", "PWD", "OLDPWD", "HOME", "MONKEY", "KEYBOARD", "AUTHOR", "PATTERN", "PINE", "LANG",
     "CRONPILOT_TASK", "COMPASS_NORTH", "DATABASE_URL"],
)  # fmt: skip
def test_names_of_no_secrets(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param("postgres://shop:hunter2@db/shop", "postgres://shop:***@db/shop",
                     id="the password of a URL"),
        pytest.param("redis://:hunter2@cache:6379/0", "redis://:***@cache:6379/0",
                     id="a password without a user"),
        pytest.param("https://x:p@ss@host/", "https://x:***@host/", id="a password with an @"),
        pytest.param("https://ghp_abc@github.com/o/r", "https://***@github.com/o/r",
                     id="a token as the user"),
        pytest.param("ssh://git@host/repo", "ssh://git@host/repo", id="a user alone is none"),
        pytest.param("a@b.example", "a@b.example", id="an address is none"),
        pytest.param("Server=db;User=shop;Password=hunter2;Pool=3",
                     "Server=db;User=shop;Password=***;Pool=3", id="a connection string"),
        pytest.param("https://x/hook?token=abc&n=1", "https://x/hook?token=***&n=1",
                     id="the token of a query"),
        pytest.param("Authorization: Bearer abc.def", "Authorization: Bearer ***", id="a bearer"),
        pytest.param("-----BEGIN RSA PRIVATE KEY-----\nabc", "***", id="a private key"),
        pytest.param("two://a:b@c two://d:e@f", "two://a:***@c two://d:***@f", id="each of two"),
        pytest.param("deep green = 3", "deep green = 3", id="plain words"),
    ],
)  # fmt: skip
def test_secrets_inside_of_values(value, kept):
    assert mask_value(value) == kept


def test_a_secret_that_is_empty_is_seen_to_be_empty():
    assert mask({"PASSWORD": "", "TOKEN": "x", "HOME": "/root"}) == {
        "PASSWORD": "", "TOKEN": "***", "HOME": "/root",
    }  # fmt: skip


@given(st.text(alphabet="abc://@?= ;&#\n", max_size=60))
def test_masking_what_is_masked_changes_nothing(value):
    once = mask_value(value)
    assert mask_value(once) == once


@given(st.text(alphabet="pqr#9", min_size=1, max_size=20), st.sampled_from(["db", "h.example"]))
def test_the_password_of_a_url_never_stays(password, host):
    if "#" not in password:
        assert f":{password}@" not in mask_value(f"amqp://user:{password}@{host}/x")
