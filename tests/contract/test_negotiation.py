"""What browsers and odd clients send of every route: no Accept that names anything, and OPTIONS."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.contract.test_isolation import routes
from tests.support.packages import ROOT
from tests.support.people import Person

SERVERS = "This API is for servers: browsers may not call it from other pages (no CORS)"
ROUTES = routes()


def path_of(route: str) -> str:
    name = "00000000-0000-0000-0000-000000000000"
    return "/" + route.replace("<str:generation_id>", name).replace("<str:key_id>", name)


@pytest.mark.parametrize("accept", ["", " ", ",", " , ,"])
def test_an_accept_that_names_nothing_is_like_none(
    accept: str, client: Client, alice: Person
) -> None:
    secret = {"Authorization": f"Bearer {alice.key}"}
    for route in ROUTES:
        # force: a secret may be rotated a second time
        for method, body in (("GET", ""), ("POST", '{"force": true}')):
            asked = (method, path_of(route), body, "application/json")
            plain = client.generic(*asked, headers=secret)
            answer = client.generic(*asked, headers=secret | {"Accept": accept})
            assert answer.status_code == plain.status_code != 406, route
            assert answer["Content-Type"] == plain["Content-Type"], route


@pytest.mark.parametrize("accept", ["text/html; x*=a; x*0=b", "text/html; x*=bogus''a"])
def test_an_accept_that_nobody_can_parse_names_nothing_that_we_have(
    accept: str, client: Client, alice: Person
) -> None:
    headers = {"Authorization": f"Bearer {alice.key}", "Accept": accept}
    for path in ("/api/v1/models/", "/api/schema/"):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")


@pytest.mark.parametrize("page", ["README.md", "templates/api_introduction.md"])
def test_who_reads_hears_of_it_before_he_tries(page: str) -> None:
    said = " ".join((ROOT / page).read_text().split())
    assert "The API is for servers: it sends no CORS headers" in said


def test_a_preflight_is_told_that_this_is_for_servers(client: Client, alice: Person) -> None:
    preflight = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    for route in sorted(set(ROUTES) - {"api/docs/", "api/schema/"}):  # documents
        for secret in ({}, {"Authorization": f"Bearer {alice.key}"}):
            answer = client.options(path_of(route), headers=preflight | secret)
            assert answer.status_code in {401, 405}, route
            assert answer.json()["error"] == SERVERS, route
            assert answer.json()["code"] in {"not_authenticated", "method_not_allowed"}
            assert not [name for name in answer.headers if name.startswith("Access-Control-")]
