"""Which URLs of webhooks are taken, by their text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.webhook_urls import check

HTTPS = "Must be an https URL"
PORT = "Must not name a port other than 443 and 8443"
ADDRESS = "Must not name a private or reserved address"
USER = "Must not contain a user name or password"
OURS = "Must not lead to this service"
SPACES = "Must not contain spaces or control characters"
INVALID = "Must be a valid URL"


@pytest.fixture(autouse=True)
def _service(settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "https://api.example.com"
    settings.ALLOWED_HOSTS = ["api.example.com", "www.example.com", ".shop.example", "*"]
    settings.WEBHOOK_ALLOWED_ORIGINS = frozenset()
    settings.WEBHOOK_ALLOW_HTTP = False


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://example.org/hooks?token=1#x", None),
        ("https://example.org:8443/hooks", None),
        ("HTTPS://EXAMPLE.ORG", None),
        ("https://bücher.example/ä", None),
        ("https://example.com/", None),
        ("https://a.shop.example/", None),
        ("https://93.184.216.34/", None),
        ("https://[2606:4700::1111]:8443/", None),
        ("https://example.org/" + "a" * 2028, None),
        ("https://example.org/" + "a" * 2029, "Must be at most 2048 characters"),
        ("http://example.org/", HTTPS),
        ("http://example.org:443/", HTTPS),
        ("ftp://example.org/", HTTPS),
        ("example.org/hooks", HTTPS),
        ("", HTTPS),
        ("data:,", f"{HTTPS}; data: URLs are not taken"),
        ("https://example.org:80/", PORT),
        ("https://example.org:22/", PORT),
        ("https://10.0.0.1/", ADDRESS),
        ("https://127.1:8443/", ADDRESS),
        ("https://[::1]/", ADDRESS),
        ("https://user@example.org/", USER),
        ("https://user:pass@example.org/", USER),
        ("https://@example.org/", USER),
        ("https://api.example.com/", OURS),
        ("https://api.example.com:8443/x", OURS),
        ("https://API.Example.com./x", OURS),
        ("https://ａｐｉ.example.com/", OURS),
        ("https://www.example.com/", OURS),
        ("https:///hooks", INVALID),
        ("https://example.org:x/", INVALID),
        ("https://exam%70le.org/", INVALID),
        ("https://example.org/\x00", SPACES),
        ("https://example.org/\r\nX: y", SPACES),
        (" https://example.org/", SPACES),
        ("https://example.org/\ud800", SPACES),
    ],
)
def test_what_is_wrong(url: str, fault: str | None) -> None:
    assert check(url) == fault


def test_plain_http_for_trying_out(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_HTTP = True
    assert check("http://example.org/") is None
    assert check("http://example.org:8443/") == "Must not name a port other than 80, 443 and 8443"
    assert check("https://example.org:80/") == "Must not name a port other than 80, 443 and 8443"
    assert check("ftp://example.org/") == "Must be an http or https URL"
    assert check("http://10.0.0.1/") == ADDRESS


def test_an_origin_of_the_setting_may_be_anywhere_and_anything(settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_ORIGINS = {"http://127.0.0.1:9001", "https://api.example.com:443"}
    assert check("http://127.0.0.1:9001/hooks") is None
    assert check("https://api.example.com/hooks") is None
    assert check("http://127.0.0.1:9002/hooks") == HTTPS
    assert check("http://127.0.0.1.:9001/hooks") == HTTPS
    assert check("https://127.0.0.1:9001/hooks") == PORT
    assert check("http://user@127.0.0.1:9001/") == USER


@given(st.text())
def test_it_never_raises(text: str) -> None:
    check(text)
    check("https://" + text)
