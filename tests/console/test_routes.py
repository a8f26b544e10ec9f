"""Every route of the console, and what each kind of visitor gets of it.

A new route needs a line here. ``PEOPLE`` are those of whoever is logged in; the routes of an
account are tried with somebody else's account, and with somebody else's thing under one's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from accounts.models import Account
from console import urls
from generation.models.states import State
from tests.support.bring_to import created, reached
from tests.support.console import browser
from tests.support.people import Person, make_person
from tests.support.purchases import a_payment
from tests.support.webhook_rows import a_delivery, an_endpoint

GET, POST, BOTH = "GET", "POST", "GET POST"


class Route(NamedTuple):
    """Its methods; what makes the id of its last argument, if it has one.

    ``args`` are those of a route that is no account's.
    """

    methods: str
    thing: Callable[[Person], str] | None = None
    args: tuple[str, ...] = ()


def _payment(person: Person) -> str:
    return str(a_payment(person).pk)


def _generation(person: Person) -> str:
    return str(created(person).pk)


def _key(person: Person) -> str:
    return str(person.account.api_keys.get().pk)


def _endpoint(person: Person) -> str:
    return str(an_endpoint(person).pk)


def _delivery(person: Person) -> str:
    generation = reached(person, State.CANCELED)
    return str(a_delivery(person, of=generation).pk)


PUBLIC = {
    "landing": Route(GET),
    "sign-up": Route(BOTH),
    "log-in": Route(BOTH),
    "log-in-code": Route(BOTH),
    "log-out": Route(POST),
    "mailbox": Route(GET),
    "reset": Route(BOTH),
    "reset-set": Route(BOTH, args=("x", "y")),
    "confirm-email": Route(BOTH, args=("x",)),
}
PEOPLE = {
    "confirm": Route(BOTH),
    "me": Route(BOTH),
    "me-password": Route(BOTH),
    "me-email": Route(BOTH),
    "me-second-factor": Route(BOTH),
    "me-recovery-codes": Route(BOTH),
    "me-sessions": Route(GET),
    "me-session-end": Route(POST, args=("x",)),
    "start": Route(GET),
    "verify": Route(BOTH),
    "verify-resend": Route(POST),
}
# console:… with the account as the first argument
ACCOUNT = {
    "home": Route(GET),
    "ledger": Route(GET),
    "ledger-csv": Route(GET),
    "billing": Route(GET),
    "buy": Route(BOTH),
    "payment-pay": Route(GET, _payment),
    "payment-status": Route(GET, _payment),
    "payment-receipt": Route(GET, _payment),
    "create": Route(BOTH),
    "create-upload": Route(POST),
    "generation": Route(GET, _generation),
    "generation-progress": Route(GET, _generation),
    "generation-cancel": Route(POST, _generation),
    "gallery": Route(GET),
    "keys": Route(BOTH),
    "key-delete": Route(POST, _key),
    "key-used": Route(GET, _key),
    "settings": Route(BOTH),
    "webhooks": Route(BOTH),
    "webhook-orders": Route(GET),
    "webhook": Route(BOTH, _endpoint),
    "webhook-switch": Route(POST, _endpoint),
    "webhook-rotate": Route(POST, _endpoint),
    "webhook-delete": Route(POST, _endpoint),
    "webhook-test": Route(POST, _endpoint),
    "webhook-delivery": Route(GET, _delivery),
    "webhook-again": Route(POST, _delivery),
}
# Tried in tests of their own. Stripe leads everybody back to a payment, so it refuses nobody.
ELSEWHERE = {"mailbox-mail", "payment"}


@pytest.fixture
def alice() -> Person:
    return make_person("alice", 1000)


@pytest.fixture
def bob() -> Person:
    return make_person("bob", 1000)


def test_no_route_is_forgotten() -> None:
    known = {*PUBLIC, *PEOPLE, *ACCOUNT, *ELSEWHERE}
    assert known == set(_names(urls.urlpatterns))


def _names(patterns: Iterable[object]) -> list[str]:
    found = []
    for each in patterns:
        if isinstance(each, URLResolver):
            found += _names(each.url_patterns)
        elif isinstance(each, URLPattern):
            found.append(str(each.name))
    return found


def address(name: str, route: Route, account: Person, owner: Person) -> str:
    """The page of ``owner``'s thing below ``account``."""
    more = [route.thing(owner)] if route.thing else []
    return reverse(f"console:{name}", args=[account.account.pk, *more])


def ask(client: Client, method: str, path: str) -> HttpResponseBase:
    return client.generic(method, path)


@pytest.mark.parametrize("name", ACCOUNT)
def test_an_accounts_page(name: str, alice: Person, bob: Person) -> None:
    route = ACCOUNT[name]
    hers = address(name, route, alice, alice)
    his, nobody = browser(bob.user), Client()
    for method in route.methods.split():
        refused = ask(nobody, method, hers)
        assert refused.status_code == 303
        assert refused.headers["Location"].startswith("/log-in/?next=")
        assert ask(his, method, hers).status_code == 404
        if route.thing:
            assert ask(his, method, address(name, route, bob, alice)).status_code == 404
            for odd in ("x", "a\0b", "00000000-0000-4000-8000-000000000000"):
                path = reverse(f"console:{name}", args=[bob.account.pk, odd])
                assert ask(his, method, path).status_code == 404
    if GET in route.methods.split():
        for method in ("GET", "HEAD"):
            answer = ask(browser(alice.user), method, hers)
            assert answer.status_code in {200, 302, 303}, answer


@pytest.mark.parametrize("name", ACCOUNT)
def test_a_suspended_account_can_be_read(name: str, alice: Person) -> None:
    hers = address(name, ACCOUNT[name], alice, alice)
    Account.objects.filter(pk=alice.account.pk).update(suspended_at=timezone.now())
    client = browser(alice.user)
    if GET in ACCOUNT[name].methods.split():
        assert ask(client, "GET", hers).status_code in {200, 303}


@pytest.mark.parametrize("name", PEOPLE)
def test_a_persons_page(name: str, alice: Person) -> None:
    path = reverse(f"console:{name}", args=PEOPLE[name].args)
    for method in PEOPLE[name].methods.split():
        assert ask(Client(), method, path).status_code == 303
    if GET in PEOPLE[name].methods.split():
        assert ask(browser(alice.user), "GET", path).status_code in {200, 303}


@pytest.mark.parametrize("name", [*PUBLIC, *PEOPLE, *ACCOUNT])
def test_a_form_of_another_site_is_refused(name: str, alice: Person) -> None:
    client = browser(alice.user, enforce_csrf_checks=True)
    if name in ACCOUNT:
        path = address(name, ACCOUNT[name], alice, alice)
    else:
        path = reverse(f"console:{name}", args=(PUBLIC | PEOPLE)[name].args)
    assert client.post(path, {"pack": "x"}).status_code == 403


@pytest.mark.parametrize("name", [*PUBLIC, *PEOPLE, *ACCOUNT])
def test_other_methods_are_refused(name: str, alice: Person) -> None:
    route = (PUBLIC | PEOPLE | ACCOUNT)[name]
    if name in ACCOUNT:
        path = address(name, route, alice, alice)
    else:
        path = reverse(f"console:{name}", args=route.args)
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "NONSENSE"} - set(
        route.methods.split()
    ):
        answer = ask(browser(alice.user), method, path)
        assert answer.status_code == 405, method
        assert answer.headers["Allow"]
