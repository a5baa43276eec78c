"""Which words of a command are hidden from those who may only look."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronpilot.domain.command_secrets import mask_command, mask_words

SECRETS = [
    ("curl -u me:word https://x", "curl -u me:*** https://x"),
    ("curl -ume:word https://x", "curl -ume:*** https://x"),
    ("/usr/bin/curl -s --user me:word x", "/usr/bin/curl -s --user me:*** x"),
    ("curl --user=me:word x", "curl --user=me:*** x"),
    ("curl -U 'me:two words' x", "curl -U 'me:***' x"),
    ("mysql -pword shop", "mysql -p*** shop"),
    ("mysqldump -u me -pword -h db shop", "mysqldump -u me -p*** -h db shop"),
    ("mysql --password=word shop", "mysql --password=*** shop"),
    ("PGPASSWORD=x pg_dump shop", "PGPASSWORD=*** pg_dump shop"),
    ("PGPASSWORD='a b' pg_dump shop", "PGPASSWORD=*** pg_dump shop"),
    ('export API_KEY="a b"; run', "export API_KEY=***; run"),
    ("sudo MYSQL_PWD=x mysql", "sudo MYSQL_PWD=*** mysql"),
    ("pg_dump postgres://me:word@db:5432/shop", "pg_dump postgres://me:***@db:5432/shop"),
    ("tool --password x --host h", "tool --password *** --host h"),
    ("tool --db-password x", "tool --db-password ***"),
    ('tool --token "a b" next', 'tool --token "***" next'),
    ("tool --token=x", "tool --token=***"),
    ("tool --api-key x && other", "tool --api-key *** && other"),
    ("aws --secret-key=x s3 ls", "aws --secret-key=*** s3 ls"),
    ("curl -H 'Authorization: Bearer abc' x", "curl -H 'Authorization: Bearer ***' x"),
    ('curl -H "Authorization: Basic bWU6dw==" x', 'curl -H "Authorization: Basic ***" x'),
    ("curl -H 'X-Api-Key: abc' x", "curl -H 'X-Api-Key: ***' x"),
    ("sshpass -p word ssh -p 22 host", "sshpass -p *** ssh -p 22 host"),
    ("redis-cli -a word ping", "redis-cli -a *** ping"),
    ("docker login -u me -p word host", "docker login -u me -p *** host"),
    ("cd /x; mysql -pword|gzip >f", "cd /x; mysql -p***|gzip >f"),
    ("sh -c 'mysql -pword shop'", "sh -c 'mysql -p*** shop'"),
    ("true\ncurl -u a:b x", "true\ncurl -u a:*** x"),
]  # fmt: skip

NONE = [
    "ssh -p 22 me@host",
    "docker run -p 80:80 -u 0:0 image",
    "mysql -p -h db shop",
    "mysql -P 3306 -h db shop",
    "mysql --password shop",
    "pg_dump --password shop",
    "pg_dump --no-password shop",
    "rsync --password-file=/etc/secret host::x /srv",
    "gpg --passphrase-fd 3 --passphrase-file /x -d y",
    "tool --password --host db",
    "tool --token-ttl 5 --tokens 3",
    'tool --password "$PASSWORD"',
    "tool --token $(cat /run/token)",
    "PGPASSFILE=/x PASSWORD_FILE=/y pg_dump shop",
    "curl -u me https://x:8443/y",
    "curl -H 'Content-Type: text/plain' -A a:b x",
    "curl --user-agent a:b x",
    "nc -u host:53",
    "sort -k2 --key=2 keys",
    "tar -pxf a.tar",
    "mkdir -p /srv/a",
    "python -m http.server 8000",
    "echo it's fine",
    "kill -9 $PID; echo 'a \"b' | tee -a x",
    "PATH=/bin:/usr/bin MONKEY=1 run",
]


@pytest.mark.parametrize(("command", "shown"), SECRETS, ids=[one for one, _ in SECRETS])
def test_what_is_hidden(command, shown):
    assert mask_command(command) == shown


@pytest.mark.parametrize("command", NONE)
def test_what_is_no_secret_stays(command):
    assert mask_command(command) == command


@pytest.mark.parametrize(("command", "shown"), [
    (["curl", "-u", "me:two words", "x"], ["curl", "-u", "me:***", "x"]),
    (["mysql", "-pa b", "shop"], ["mysql", "-p***", "shop"]),
    (["tool", "--token", "x", "--port", "80"], ["tool", "--token", "***", "--port", "80"]),
    (["curl", "-H", "Authorization: Bearer abc", "x"],
     ["curl", "-H", "Authorization: Bearer ***", "x"]),
    (["sh", "-c", "mysql -pword"], ["sh", "-c", "mysql -p***"]),
    (["ssh", "-p", "22", "host"], ["ssh", "-p", "22", "host"]),
])  # fmt: skip
def test_a_list_is_looked_at_as_the_shell_would_see_it(command, shown):
    assert mask_words(command) == shown


@given(st.text(alphabet="ab \t\n'\"\\$;&|()=:-pu", max_size=60))
def test_any_text_can_be_masked_and_what_is_masked_stays(command):
    once = mask_command(command)
    assert mask_command(once) == once


@given(st.text(alphabet="abc19 :/'\"\\", min_size=4).filter(lambda word: word.strip("ab c")))
def test_a_password_that_is_quoted_for_the_shell_never_stays(word):
    secret = f"Zz{word}zZ"
    assert "Zz" not in mask_command(f"tool --password {shlex.quote(secret)} --host h")
