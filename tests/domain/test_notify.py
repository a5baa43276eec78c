"""Who is to be told: one word, or all of it."""

from __future__ import annotations

import pytest

from cronpilot.domain.notify import NotifyRules


@pytest.mark.parametrize(("given", "told"), [
    ("never", "never"), ({}, "failure"), ({"on": "always"}, "always"),
    ({"to": "a@example.org, root, a@example.org"}, {"to": ["a@example.org", "root"]}),
    ({"to": []}, {"to": []}),
    ({"on": "never", "channels": ["chat"], "after": 3},
     {"on": "never", "channels": ["chat"], "after": 3}),
    ({"ping": "https://hc.example/abc/"}, {"ping": {
        "start": "https://hc.example/abc/start", "success": "https://hc.example/abc",
        "fail": "https://hc.example/abc/fail"}}),
    ({"ping": {"fail": "http://x/f?a=1"}}, {"ping": {"fail": "http://x/f?a=1"}}),
])  # fmt: skip
def test_it_is_written_as_short_as_it_can_be(given, told):
    rules = NotifyRules.model_validate(given)

    assert rules.model_dump(mode="json") == told
    assert NotifyRules.model_validate(told) == rules


@pytest.mark.parametrize("address", [
    "a b@example.org", "a@example.org\nBcc: all@example.org", "<a@example.org>", "a@b@c", "",
    "ä@example.org", "a@example.org,", "a@exa mple.org", "x" * 400,
])  # fmt: skip
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError, match=r"address|characters|at least"):
        NotifyRules.model_validate({"to": [address]})


@pytest.mark.parametrize("url", [
    "ftp://x/y", "hc.example/abc", "https://x/a b", "https://x/\n", "file:///etc/passwd", "https://",
])  # fmt: skip
def test_what_cannot_be_pinged_is_refused(url):
    with pytest.raises(ValueError, match="web page"):
        NotifyRules.model_validate({"ping": {"start": url}})


def test_an_address_with_a_query_needs_all_three_names():
    with pytest.raises(ValueError, match="name start, success and fail"):
        NotifyRules.model_validate({"ping": "https://x/?key=1"})
