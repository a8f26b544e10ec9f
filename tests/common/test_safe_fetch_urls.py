"""What the API can say about a source image's URL without looking at the network."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.fetchable import check_url

PORT = "must not name a port other than 80 and 443"
ADDRESS = "must not name a private or reserved address"


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://example.com/a.png", None),
        ("http://example.com:443/a.png?x=1#y", None),
        ("http://example.com:8080/a.png?x=1#y", PORT),
        ("http://93.184.216.34:8080/x.png", PORT),
        ("https://example.com:22/", PORT),
        ("https://93.184.216.34/", None),
        ("https://10.0.0.1/", ADDRESS),
        ("https://169.254.169.254/", ADDRESS),
        ("http://127.1/", ADDRESS),
        ("http://2130706433/", ADDRESS),
        ("http://0x7f000001:80/", ADDRESS),
        ("http://[::1]/", ADDRESS),
        ("http://[::ffff:10.0.0.1]/", ADDRESS),
        (
            "http://ten.0.0.1/",
            "must be a valid URL",
        ),  # the URL standard: who ends in a number is one
        ("HTTPS://EXAMPLE.com", None),
        ("https://bücher.example/ä.png", None),
        ("https://a_b.example/", None),
        ("https://[2606:4700::1111]/", None),
        ("https://example.com/" + "a" * 2028, None),
        ("https://example.com/" + "a" * 2029, "must be at most 2048 characters"),
        ("ftp://example.com/a.png", "must be an http or https URL"),
        ("example.com/a.png", "must be an http or https URL"),
        ("", "must be an http or https URL"),
        ("https://user:pass@example.com/", "must not contain a user name or password"),
        ("https:///a.png", "must be a valid URL"),
        ("https://example.com:0/", "must be a valid URL"),
        ("https://example.com:65536/", "must be a valid URL"),
        ("https://example.com:x/", "must be a valid URL"),
        ("https://[::1", "must be a valid URL"),
        ("https://a..b/", "must be a valid URL"),
        ("https://" + "a" * 64 + ".example/", "must be a valid URL"),
        ("https://exa%6dple.com/", "must be a valid URL"),
        ("https://example.com\\@evil.example/", "must be a valid URL"),
        ("https://exam ple.com/", "must not contain spaces or control characters"),
        ("https://example.com/\n", "must not contain spaces or control characters"),
        ("https://example.com/\x00", "must not contain spaces or control characters"),
        ("https://example.com/\ud800", "must not contain spaces or control characters"),
    ],
)
def test_check_url_says_what_is_wrong(url, fault):
    assert check_url(url) == fault


DATA = "must be an http or https URL; data: URLs are not taken"


@pytest.mark.parametrize("scheme", ["data:", "DATA:", "Data:", " data:"])
@pytest.mark.parametrize("size", [0, 100, 5000, 1_000_000])
def test_a_data_url_has_its_own_sentence(scheme, size):
    assert check_url(f"{scheme}image/png;base64," + "A" * size) == DATA
    assert check_url(scheme + "\x00" * size) == DATA


@pytest.mark.parametrize("origin", ["http://127.0.0.1:9000", "https://images.example:8443"])
def test_an_origin_of_the_setting_may_be_anywhere(origin):
    assert check_url(f"{origin}/a.png", frozenset({origin})) is None
    other = origin.replace("00", "01").replace("84", "85")
    assert check_url(f"{other}/a.png", frozenset({origin})) == PORT


@given(st.text())
def test_check_url_never_raises(text):
    check_url(text)
    check_url("https://" + text)
