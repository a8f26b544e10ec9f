"""/metrics is for whoever has the token or comes from an internal address; nobody else."""

from __future__ import annotations

import socket
import threading
from ipaddress import ip_network

import httpx
import pytest
from django.conf import LazySettings, settings
from django.test import RequestFactory

from common.web.client_address import direct_address
from monitoring import server

TOKEN = "a-token-of-the-operators"


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "METRICS_TOKEN", "")
    monkeypatch.setattr(settings, "METRICS_NETWORKS", [ip_network("127.0.0.0/8")])
    monkeypatch.setattr(settings, "NUM_PROXIES", 0)


def status(base_url: str, **headers: str) -> int:
    spelled = {name.replace("_", "-"): text for name, text in headers.items()}
    answer = httpx.get(f"{base_url}/metrics", headers=spelled)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert (b"reelmint_" in answer.content) == answer.is_success
    return answer.status_code


def test_loopback_may(base_url: str) -> None:
    assert status(base_url) == 200
    assert httpx.get(f"{base_url}/metrics/").status_code == 200
    assert httpx.post(f"{base_url}/metrics").status_code == 405


def test_a_pod_is_asked_by_its_address(base_url: str) -> None:
    """Prometheus sends whatever address it found; ALLOWED_HOSTS is for customers."""
    assert status(base_url, Host="10.1.2.3:8000") == 200


def test_another_address_needs_the_token(base_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "METRICS_NETWORKS", [ip_network("10.0.0.0/8")])
    assert status(base_url) == 403
    assert status(base_url, Authorization="Bearer x") == 403  # no token is no open door
    monkeypatch.setattr(settings, "METRICS_TOKEN", TOKEN)
    assert status(base_url) == 403
    assert status(base_url, Authorization=f"Bearer {TOKEN}x") == 403
    assert status(base_url, Authorization=f"Basic {TOKEN}") == 403
    assert status(base_url, Authorization=f"Bearer {TOKEN}") == 200
    assert status(base_url, Authorization=f"bearer {TOKEN}") == 200


def test_a_wrong_token_is_refused_from_inside_too(
    base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "METRICS_TOKEN", TOKEN)
    assert status(base_url, Authorization="Bearer wrong") == 403


@pytest.mark.parametrize("header", ["X_Forwarded_For", "X_Real_IP", "Forwarded", "Via"])
def test_who_came_through_a_proxy_is_not_loopback(base_url: str, header: str) -> None:
    assert status(base_url, **{header: "127.0.0.1"}) == 403


@pytest.mark.parametrize(
    ("proxies", "forwarded", "may"),
    [
        (1, "203.0.113.7", False),
        (1, "127.0.0.1, 203.0.113.7", False),  # the first is the client's invention
        (1, "127.0.0.1", True),
        (2, "127.0.0.1", False),  # came round one of the two
        (2, "127.0.0.1, 10.0.0.9", True),
        (2, "203.0.113.7, 10.0.0.9", False),
    ],
)
def test_behind_proxies_the_outermost_ones_word_counts(
    base_url: str, monkeypatch: pytest.MonkeyPatch, proxies: int, forwarded: str, may: bool
) -> None:
    monkeypatch.setattr(settings, "NUM_PROXIES", proxies)
    assert (status(base_url, X_Forwarded_For=forwarded) == 200) is may
    assert status(base_url) == 200  # Prometheus, not through the proxy


@pytest.mark.parametrize("address", ["", "not an address"])
def test_a_nameless_socket_is_nobody(address: str) -> None:
    assert direct_address(RequestFactory().get("/", REMOTE_ADDR=address)) is None


def test_a_mapped_address_is_what_it_maps() -> None:
    found = direct_address(RequestFactory().get("/", REMOTE_ADDR="::ffff:127.0.0.1"))
    assert str(found) == "127.0.0.1"


@pytest.fixture
def port(free_port: int, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(settings, "WORKER_METRICS_PORT", free_port)
    return free_port


def test_a_worker_asks_the_same_of_its_readers(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    base = f"http://127.0.0.1:{port}"
    assert server.start() == server.start() == port
    try:
        assert status(base) == 200
        assert httpx.get(f"{base}/else").status_code == 404
        monkeypatch.setattr(settings, "METRICS_NETWORKS", [ip_network("10.0.0.0/8")])
        monkeypatch.setattr(settings, "METRICS_TOKEN", TOKEN)
        assert status(base) == 403
        assert status(base, Authorization=f"Bearer {TOKEN}") == 200
    finally:
        server.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{base}/metrics")


def test_silent_clients_keep_no_scraper_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do they cost more than a few threads, nor for longer than a while."""
    monkeypatch.setattr(server, "SECONDS", 5.0)  # a busy machine takes more than one for a scrape
    server.start()
    others = threading.active_count()
    silent = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(60)]
    try:
        for number, client in enumerate(silent):
            client.send(b"GET /metrics" if number % 2 else b"")
        assert status(f"http://127.0.0.1:{port}") == 200
        assert threading.active_count() - others <= server.CONNECTIONS
        for client in silent:
            assert client.recv(100) == b""
    finally:
        for client in silent:
            client.close()
        server.stop()


def test_a_port_that_is_taken_stops_no_worker(
    port: int, base_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settings, "WORKER_METRICS_PORT", httpx.URL(base_url).port)
    assert server.start() == 0
    assert "no metrics at 127.0.0.1" in caplog.text


def test_without_a_port_nothing_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "WORKER_METRICS_PORT", 0)
    assert server.start() == 0


def test_the_defaults_let_loopback_alone() -> None:
    fresh = LazySettings()
    assert fresh.METRICS_TOKEN == ""
    assert [str(network) for network in fresh.METRICS_NETWORKS] == ["127.0.0.0/8", "::1/128"]
    assert fresh.WORKER_METRICS_HOST == "127.0.0.1"
