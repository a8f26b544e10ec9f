"""What the longest and worst text costs in any field of the console, seen by walking its routes.

Its ways in are open to everybody, and whoever signs up gets to the rest.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.console import test_me, test_reset
from tests.console.test_routes import ACCOUNT, GET, PEOPLE, POST, PUBLIC, Route, address
from tests.support.console import browser
from tests.support.people import PASSWORD, Person
from tests.support.second_factors import enrol
from tests.support.walked_forms import cookies, fields, post
from tests.support.worst_texts import BOUND, TOKEN, WORST, cost, marks

# A letter takes six bytes in a form, of which there may be 1 MiB.
TEXTS = (marks(100_000), WORST["an address of marks"](20_000))
LINE = marks(600)  # of a request's first line gunicorn takes 4094 bytes
FIELD = marks(4095)  # of one field of the head 8190
HEADERS = (
    "USER_AGENT",
    "ACCEPT_LANGUAGE",
    "REFERER",
    "ORIGIN",
    "COOKIE",
    "HX_TARGET",
    "HX_REQUEST",
)
ROUTES = PUBLIC | PEOPLE | ACCOUNT
WITH_POST = [name for name, route in ROUTES.items() if POST in route.methods.split()]
WITH_GET = [name for name, route in ROUTES.items() if GET in route.methods.split()]
# A button and nothing to fill in, or a form that a test of its own sends.
BARE = {"log-out", "confirm-email", "me-recovery-codes", "me-session-end", "verify-resend"}
BARE |= {"create-upload", "generation-cancel", "key-delete", "webhook-delete", "webhook-test"}
BARE |= {"webhook-again"}
# What a route reads beside the fields of its page, and the form of one that has no page.
ALSO = {
    "buy": {"pack", "order"},
    "create": {"remove", "code"},
    "me-second-factor": {"off"},
    "webhook-switch": {"enabled"},
    "webhook-rotate": {"keep", "force"},
}
ASKED = (
    *("next", "done", "sent", "seen", "last", "again", "example", "prompt", "model", "pack"),
    *("form", "tries", "checks", "state", "kind", "q", "before", "after", "cursor", "page"),
)


@pytest.fixture(autouse=True)
def _limits_aside(settings: Any) -> None:
    for name in ("ANONYMOUS", "READS", "CREATES", "LOGINS", "REGISTRATIONS", "UPLOADS"):
        setattr(settings, f"RATE_LIMIT_{name}", 1_000_000)
    settings.ALLOW_EMULATOR = True  # mails can be sent
    settings.VERTEX_BASE_URL = "http://127.0.0.1:9"


def visit(name: str, alice: Person) -> tuple[Client, str]:
    """A browser in which Alice may see the page, and its path."""
    route: Route = ROUTES[name]
    if name in ACCOUNT:
        return browser(alice.user), address(name, route, alice, alice)
    client = Client() if name in PUBLIC else browser(alice.user)
    if name == "log-in-code":
        enrol(alice.user)
        client.post("/log-in/", {"identity": "alice", "password": PASSWORD})
    elif name == "me-recovery-codes":
        enrol(alice.user)
        client = browser(alice.user)
    elif name == "reset-set":
        return client, test_reset.link(client)
    elif name == "confirm-email":
        return client, test_me.link(browser(alice.user), "new@example.com")
    elif name == "verify":
        client = Client()
        client.post("/sign-up/", {"email": "ada@example.com", "password": PASSWORD})
    return client, reverse(f"console:{name}", args=route.args)


@pytest.mark.parametrize("name", WITH_POST)
def test_every_field_of_a_form(name: str, alice: Person) -> None:
    client, path = visit(name, alice)
    has_page = name in WITH_GET and name != "buy"
    names = (fields(client, path) if has_page else set()) | ALSO.get(name, set())
    assert (not names) == (name in BARE), names
    walked(client, path, names or {"unknown"})


def test_a_form_that_is_kept_for_a_stranger(alice: Person) -> None:
    """He is asked to log in, and finds there what he had typed."""
    client, path = visit("create", alice)
    walked(Client(), path, fields(client, path) | ALSO["create"])


def walked(client: Client, path: str, names: set[str]) -> None:
    good = dict.fromkeys(names, "x")
    for field in sorted(names):
        for text in TEXTS:
            post(client, path, good | {field: text}, field)


@pytest.mark.parametrize("name", WITH_GET)
def test_what_a_page_is_asked_for(name: str, alice: Person) -> None:
    client, path = visit(name, alice)
    asked = dict.fromkeys(ASKED, LINE)
    status, took = cost("GET", path, query=asked, head=cookies(client))
    assert (took < BOUND, status < 500) == (True, True)


@pytest.mark.parametrize("name", [name for name in ACCOUNT if ACCOUNT[name].thing])
def test_the_name_of_a_thing(name: str, alice: Person) -> None:
    for args in ([LINE, LINE], [alice.account.pk, LINE]):
        path = reverse(f"console:{name}", args=args)
        for method in ACCOUNT[name].methods.split():
            form = {"x": "x"} if method == POST else None
            status, took = cost(method, path, form=form, head=cookies(browser(alice.user)))
            assert (took < BOUND, status) == (True, 404), args


@pytest.mark.parametrize("name", ["landing", "log-in", "sign-up", "create"])
def test_every_field_of_the_head(name: str, alice: Person) -> None:
    client, path = visit(name, alice)
    for header in HEADERS:
        head = cookies(client) | {
            f"HTTP_{header}": ",".join([FIELD.encode().decode("latin-1")] * 20)
        }
        for form in (None, {"x": "x"}):
            status, took = cost("GET" if form is None else "POST", path, form=form, head=head)
            assert (took < BOUND, status < 500) == (True, True), header


@pytest.mark.parametrize("name", ["create", "create-upload"])
def test_a_form_with_a_file(name: str, alice: Person) -> None:
    """Names of fields, of files and kinds stand in lines of their own in the body."""
    client, path = visit(name, alice)
    text = marks(200_000)
    for said in (f'name="{text}"', f'name="image"; filename="{text}"', f'name="x"; x*0="{text}"'):
        part = f"Content-Disposition: form-data; {said}\r\nContent-Type: {text[:20_000]}"
        body = f"--b\r\n{part}\r\n\r\n{text}\r\n--b--\r\n".encode()
        head = {"CONTENT_TYPE": "multipart/form-data; boundary=b", "HTTP_X_CSRFTOKEN": TOKEN}
        known = f"csrftoken={TOKEN}; {cookies(client)['HTTP_COOKIE']}"
        status, took = cost("POST", path, body=body, head=head | {"HTTP_COOKIE": known})
        assert (took < BOUND, status < 500) == (True, True), said[:20]
