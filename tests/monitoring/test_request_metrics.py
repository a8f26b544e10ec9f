"""Requests are counted by what they were for, cheaply, and in a bounded number of series."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from dev.embedded.paths import CHECKOUT
from tests.support.people import Person
from tests.support.scraped import Samples, samples, value

Api = Callable[..., httpx.Client]
REQUESTS = "reelmint_http_requests_total"
SECONDS = "reelmint_http_request_duration_seconds_count"
MOST = 30e-6  # seconds a request; the target is in the design of the metrics


@pytest.fixture
def counted(base_url: str) -> Callable[[], Samples]:
    return lambda: samples(httpx.get(f"{base_url}/metrics").raise_for_status().text)


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/api/v1/credits/", "credits", "200"),
        ("GET", "/api/v1/credits", "credits", "200"),
        ("GET", "/api/v1/generate/no-such-id/", "generation", "404"),
        ("DELETE", "/api/v1/credits/", "credits", "405"),
        ("GET", "/nowhere/at/all", "none", "404"),
        ("GET", "/static/no-such-file.css", "static", "404"),
        ("GET", "/admin/login/", "admin", "200"),
        ("GET", "/", "console", "200"),
        ("BREW", "/api/v1/credits/", "credits", "405"),
    ],
)
def test_a_request_is_counted_by_its_route(
    method: str,
    path: str,
    route: str,
    status: str,
    api: Api,
    alice: Person,
    counted: Callable[[], Samples],
) -> None:
    labels = {"route": route, "method": "OTHER" if method == "BREW" else method}
    before = counted()
    assert str(api(alice.key).request(method, path).status_code) == status
    after = counted()
    assert value(after, REQUESTS, status=status, **labels) == (
        value(before, REQUESTS, status=status, **labels) + 1
    )
    assert value(after, SECONDS, **labels) == value(before, SECONDS, **labels) + 1
    assert value(after, "reelmint_http_requests_in_progress") == 0


def test_what_a_client_invents_makes_no_series(
    api: Api, alice: Person, counted: Callable[[], Samples]
) -> None:
    client = api(alice.key)
    client.get("/api/v1/generate/first/")
    client.request("FIRST", "/x")
    before = set(counted())
    for number in range(5):
        client.get(f"/api/v1/generate/other-{number}/?q={number}")
        client.request(f"OTHER{number}", f"/x/{number}")
    assert set(counted()) == before


COST = """
import os, sys, time
import django
django.setup()
from django.http import HttpRequest, HttpResponse
from monitoring.request_metrics import RequestMetricsMiddleware

class Match:
    namespaces, url_name, route = [], "generation", "x"

request, response = HttpRequest(), HttpResponse()
request.method, request.resolver_match = "GET", Match()
bare = lambda request: response
counting = RequestMetricsMiddleware(bare)

def fastest(call, rounds=20, times=500):
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(times):
            call(request)
        best = min(best, (time.process_time() - began) / times)
    return best

print(fastest(counting) - fastest(bare))
"""


def test_counting_costs_a_request_next_to_nothing(tmp_path: Path) -> None:
    """With the files of several processes, as under gunicorn."""
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings"
    done = subprocess.run(
        [sys.executable, "-c", COST], env=environment, cwd=CHECKOUT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("counter_*.db"))
    assert float(done.stdout) < MOST
