"""No spelling of a forbidden address ever leads to a connect."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.guarded_sockets import MAX_TRIES
from common.public_address import is_public_address
from common.safe_fetch import FetchError, FetchFailed, FetchRefused, fetch
from tests.support.forbidden import DENIED_ANSWERS, DENIED_LITERALS, PUBLIC
from tests.support.loopback import Names, answering, ok, recording, redirect, serving

# pytest-socket would stop a connect before recording() sees it, and so prove nothing; recording()
# itself lets nothing leave the machine.
pytestmark = pytest.mark.enable_socket


def get(url: str, names: Names | None = None, **limits) -> tuple[list[tuple[str, int]], object]:
    """(attempted connects, what fetch returned or raised)."""

    async def main() -> object:
        options: dict[str, Any] = {
            "max_bytes": 1000,
            "total_timeout": 5.0,
            "resolver": names,
        } | limits
        try:
            return await fetch(url, **options)
        except FetchError as error:
            return error

    with recording() as connects:
        outcome = asyncio.run(main())
    return connects, outcome


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", DENIED_LITERALS)
def test_a_forbidden_literal_is_never_connected_to(scheme, host):
    connects, outcome = get(f"{scheme}://{host}/latest/meta-data/")
    assert connects == []
    assert isinstance(outcome, FetchError)
    assert str(outcome) == "The URL could not be fetched"


def test_what_another_thread_connects_to_is_not_the_fetchers():
    """An earlier test may have left one that asks Redis whether it is back."""

    def elsewhere() -> None:
        with socket.socket() as other:
            other.connect_ex(("127.0.0.1", 9))

    with recording() as connects:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert connects == []
        elsewhere()
        assert connects == [("127.0.0.1", 9)]


@pytest.mark.parametrize("answer", DENIED_ANSWERS, ids=" ".join)
def test_a_forbidden_dns_answer_is_never_connected_to(answer):
    connects, outcome = get("http://name.test/", Names({"name.test": [answer]}))
    assert connects == []
    assert isinstance(outcome, FetchRefused)


def test_the_next_answer_is_checked_too_when_the_first_does_not_connect():
    names = Names({"name.test": [[PUBLIC, "127.0.0.1"]]})
    connects, outcome = get("http://name.test/", names)
    assert connects == [(PUBLIC, 80)]
    assert isinstance(outcome, FetchRefused)


def test_public_addresses_are_tried_one_after_the_other():
    names = Names({"name.test": [[PUBLIC, "2606:2800:220:1::1"]]})
    connects, outcome = get("https://name.test/", names)
    assert connects == [(PUBLIC, 443), ("2606:2800:220:1::1", 443)]
    assert isinstance(outcome, FetchFailed)


def test_a_name_of_many_addresses_is_given_up_after_some():
    many = [f"93.184.216.{number}" for number in range(100)]
    connects, outcome = get("http://name.test/", Names({"name.test": [many]}))
    assert connects == [(address, 80) for address in many[:MAX_TRIES]]
    assert isinstance(outcome, FetchFailed)
    assert outcome.is_passing


def test_a_rebound_name_is_looked_up_once_a_hop_and_checked_at_each():
    names = Names({"rebound.test": [[PUBLIC], ["127.0.0.1"]]})
    connects, _ = get("http://rebound.test/", names)
    assert connects == [(PUBLIC, 80)]
    assert names.asked == ["rebound.test"]
    connects, outcome = get("http://rebound.test/", names)
    assert connects == []
    assert isinstance(outcome, FetchRefused)


@pytest.mark.parametrize(
    "url",
    [
        f"http://{PUBLIC}:22/",
        f"http://{PUBLIC}:8080/",
        f"http://user@{PUBLIC}/",
        f"http://user:pass@{PUBLIC}/",
        f"http://@{PUBLIC}/",
        f"ftp://{PUBLIC}/",
        f"gopher://{PUBLIC}:80/",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "",
        "//host/x",
        "http://host/\r\nX: y",
    ],
)
def test_other_ports_schemes_and_user_names_are_refused(url):
    connects, outcome = get(url)
    assert connects == []
    assert isinstance(outcome, FetchRefused)


def test_the_environments_proxy_is_not_used(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    connects, outcome = get("http://name.test/", Names({"name.test": [[PUBLIC]]}))
    assert connects == [(PUBLIC, 80)]
    assert isinstance(outcome, FetchFailed)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_from_an_allowed_origin_is_checked_again(status):
    async def main() -> None:
        async with (
            serving(answering(ok(b"secret"))) as inside,
            serving(answering(redirect(f"http://127.0.0.1:{inside}/", status))) as outside,
        ):
            allowed = frozenset({f"http://127.0.0.1:{outside}"})
            url = f"http://127.0.0.1:{outside}/"
            with recording() as connects, pytest.raises(FetchRefused):
                await fetch(url, max_bytes=9, total_timeout=5, allowed_origins=allowed)
            assert connects == [("127.0.0.1", outside)]

    asyncio.run(main())


def test_the_exemption_is_for_the_exact_origin_only():
    async def main() -> None:
        async with serving(answering(ok(b"sample"))) as port:
            allowed = frozenset({f"http://127.0.0.1:{port}"})
            names = Names({"name.test": [["127.0.0.1"]]})
            limits: dict[str, Any] = {
                "max_bytes": 9,
                "total_timeout": 5,
                "allowed_origins": allowed,
            }
            body = await fetch(f"http://127.0.0.1:{port}/a.png", **limits)
            assert body.data == b"sample"
            for other in (
                f"http://name.test:{port}/",
                f"https://127.0.0.1:{port}/",
                f"http://127.0.0.2:{port}/",
                f"http://127.0.0.1.:{port}/",
                f"http://[::ffff:127.0.0.1]:{port}/",
            ):
                with recording() as connects, pytest.raises(FetchError):
                    await fetch(other, resolver=names, **limits)
                assert connects == []

    asyncio.run(main())


@given(st.ip_addresses())
def test_nothing_that_the_standard_library_calls_private_is_public(address):
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert not is_public_address(str(address))


@given(st.ip_addresses(v=4))
def test_no_ipv6_spelling_carries_an_ipv4_address(address):
    number = int(address)
    for carrier in (
        number,
        0xFFFF << 32 | number,
        0x64FF9B << 96 | number,
        0x2002 << 112 | number << 80,
        0x2001 << 112 | number,
    ):
        assert not is_public_address(str(ipaddress.IPv6Address(carrier)))


def test_ordinary_addresses_are_public():
    for address in (PUBLIC, "8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::200e"):
        assert is_public_address(address)
