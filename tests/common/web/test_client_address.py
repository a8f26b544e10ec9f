"""Whose failures are counted together."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from common.web.client_address import client_address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "expected"),
    [
        (0, None, "203.0.113.5", "203.0.113.5"),
        (0, "198.51.100.1", "203.0.113.5", "203.0.113.5"),
        (1, "198.51.100.1", "10.0.0.1", "198.51.100.1"),
        (1, "6.6.6.6, 198.51.100.1", "10.0.0.1", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 10.0.0.2", "10.0.0.1", "198.51.100.1"),
        (2, "6.6.6.6", "203.0.113.5", "203.0.113.5"),  # came past a proxy of ours
        (1, None, "203.0.113.5", "203.0.113.5"),
        (1, "198.51.100.1:40123", "10.0.0.1", "198.51.100.1"),
        (1, "[2001:db8:1:2:3:4:5:6]:40123", "10.0.0.1", "2001:db8:1:2::/64"),
        (0, None, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (0, None, "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        (0, None, "::ffff:203.0.113.5", "203.0.113.5"),
        (0, None, "fe80::1%eth0", "fe80::/64"),
        (0, None, "", "unknown"),
        (1, "no address", "10.0.0.1", "unknown"),
        (1, "٦.٦.٦.٦", "10.0.0.1", "unknown"),
    ],
)
def test_client_address(settings, proxies, forwarded, remote, expected):
    settings.NUM_PROXIES = proxies
    extra = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    request = RequestFactory().get("/", REMOTE_ADDR=remote, **extra)
    assert client_address(request) == expected
