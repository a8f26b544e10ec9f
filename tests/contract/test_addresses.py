"""Addresses that lead nowhere, or are no text at all, of every route that is not an operator's."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from django.test import Client

from tests.contract.test_isolation import routes
from tests.support.people import Person, inside, make_staff

Api = Callable[..., httpx.Client]
NO_TEXT = ("%00", "a%00b", "%ff", "a%c3", "%ed%a0%80")
PAGES = ("admin", "c/", "favicon.ico")
ROUTES = [each for each in routes("") if each and not each.startswith(PAGES)]
PAGE = "/c/{}/billing/payments/{}/"


@pytest.mark.parametrize("route", [route for route in ROUTES if "<" in route])
def test_a_path_that_is_no_text_leads_nowhere(route: str, client: Client, alice: Person) -> None:
    before, after = route[: route.index("<")], route[route.index(">") + 1 :]
    for name in NO_TEXT:
        for method in ("GET", "POST", "DELETE", "HEAD"):
            headers = {"Authorization": f"Bearer {alice.key}"}
            answer = client.generic(method, f"/{before}{name}{after}", headers=headers)
            assert answer["Content-Type"] == "application/json"
            assert answer.status_code in {403, 404, 405}


@pytest.mark.parametrize("route", ROUTES)
def test_a_query_that_is_no_text_is_refused(route: str, client: Client, alice: Person) -> None:
    path = "/" + route.replace("<str:generation_id>", str(alice.account.pk)).replace(
        "<str:key_id>", str(alice.account.pk)
    ).replace("<path:key>", "x.mp4")
    for value in NO_TEXT:
        for query in (f"status={value}", f"{value}=1", f"a&limit=1&cursor={value}"):
            headers = {"Authorization": f"Bearer {alice.key}"}
            answer = client.generic("GET", f"{path}?{query}", headers=headers)
            assert answer.status_code == 400, query
            body = answer.json()
            assert body["code"] == "invalid_request"
            fault = "contains a NUL character" if "%00" in value else "is not valid UTF-8"
            assert body["error"] == f"The query {fault}"
            named = [name for name in ("status", "cursor") if f"{name}={value}" in query]
            assert list(body.get("details", {})) == named
            assert body["request_id"] == answer["X-Request-ID"]
    assert alice.balance == 1000


def test_a_page_is_answered_with_pages(client: Client) -> None:
    for name in NO_TEXT:
        for path in (PAGE.format(name, "x"), PAGE.format("x", name)):
            answer = client.get(path)
            assert answer.status_code == (404 if "%00" in name else 200)
            assert answer["Content-Type"].startswith("text/html")
        refused = client.get(f"{PAGE.format('x', 'y')}?status={name}")
        assert (refused.status_code, refused["Content-Type"][:9]) == (400, "text/html")


def test_bytes_as_they_are_are_refused_too(api: Api, alice: Person) -> None:
    answer = api(alice.key).get("/api/v1/generate/history/?status=%C3%28")
    assert answer.json()["error"] == "The query is not valid UTF-8"
    assert api(alice.key).get("/api/v1/generate/history/?note=%C3%A9%20%F0%9F%8E%AC").is_success


@pytest.mark.parametrize("path", ["livez", "readyz"])
def test_probes_answer_with_and_without_slash(path: str, client: Client) -> None:
    for address in (f"/{path}", f"/{path}/"):
        answer = client.get(address)
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")
        match = answer.wsgi_request.resolver_match
        assert match is not None
        assert match.route == path  # the log and the metrics know it by one name


@pytest.mark.parametrize(
    "path",
    ["", "/login", "/accounts", "/generation/generation", "/accounts/account/add", "/x", "/a/b/c"],
)
def test_who_leaves_out_the_last_slash_is_a_person(path: str, client: Client) -> None:
    """A redirect with the query, or a page; as a stranger and as one who is in."""
    for browser in (client, inside(make_staff(name=f"boss{path.count('/')}{len(path)}"))):
        for method in ("get", "head", "post"):
            answer = getattr(browser, method)(f"/admin{path}?days=7&q=%C3%A9")
            assert answer.status_code in {302, 403, 404, 405}, (method, answer.status_code)
            assert answer.headers.get("Content-Type", "text/html").startswith("text/html")
    answer = browser.get(f"/admin{path}?days=7&q=%C3%A9")
    if path not in ("/x", "/a/b/c"):
        assert answer.headers["Location"] == f"/admin{path}/?days=7&q=%C3%A9"
    else:
        assert answer.status_code == 404
        assert 'href="/admin/"' in answer.text
