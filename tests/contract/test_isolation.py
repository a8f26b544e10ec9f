"""No account sees another's data: every route of the service, with somebody else's key."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import ApiKey
from events.models import DefaultSecret, WebhookDelivery, WebhookEndpoint
from generation.models import Generation
from generation.models.states import State
from payments.models import Payment
from payments.models.states import State as PaymentState
from tests.support.bring_to import reached
from tests.support.people import Person, make_token
from tests.support.purchases import a_payment
from webhooks import again, endpoints, keys, public

Api = Callable[..., httpx.Client]

Found = Callable[[Person, Generation], str]
HOOK = "https://hooks.example.com/alices-path"


def _generation(_: Person, generation: Generation) -> str:
    return str(generation.pk)


def _secret(kind: str) -> Found:
    def found(person: Person, _: Generation) -> str:
        return str(ApiKey.objects.get(account=person.account, kind=kind).pk)

    return found


def _payment(person: Person, _: Generation) -> str:
    return str(Payment.objects.get(account=person.account).pk)


def _endpoint(person: Person, _: Generation) -> str:
    return public.endpoint_id(WebhookEndpoint.objects.get(account=person.account).pk)


def _delivery(person: Person, generation: Generation) -> str:
    (delivery,) = WebhookDelivery.objects.filter(account=person.account)
    return f"{_endpoint(person, generation)} {public.delivery_id(delivery.pk)}"


ENDPOINT = "api/v1/webhook-endpoints/<str:endpoint_id>/"
DELIVERY = f"{ENDPOINT}deliveries/<str:delivery_id>/"
# Routes that name one thing: the methods they have, and whose id Alice's is.
ONE_THING = {
    "api/v1/generate/<str:generation_id>/": (["GET"], _generation),
    "api/v1/generate/<str:generation_id>/download/": (["GET"], _generation),
    "api/v1/generate/<str:generation_id>/cancel/": (["POST"], _generation),
    "api/v1/generate/<str:generation_id>/events/": (["GET"], _generation),
    "api/v1/credits/payments/<str:payment_id>/": (["GET"], _payment),
    ENDPOINT: (["GET", "PATCH", "DELETE"], _endpoint),
    **{
        f"{ENDPOINT}{verb}/": (["POST"], _endpoint) for verb in ("rotate-secret", "test", "recover")
    },
    f"{ENDPOINT}deliveries/": (["GET"], _endpoint),
    DELIVERY: (["GET"], _delivery),
    f"{DELIVERY}retry/": (["POST"], _delivery),
    "api/api-keys/<str:key_id>/": (["DELETE"], _secret("key")),
    "api/tokens/<str:token_id>/": (["DELETE"], _secret("token")),
}
# Of these, the ones where a key is refused before anything is looked for.
WITH_A_TOKEN = {"api/api-keys/<str:key_id>/", "api/tokens/<str:token_id>/", "api/tokens/"}
# Routes that list what is the caller's.
LISTS = {
    "api/v1/generate/history/",
    "api/v1/events/",
    "api/v1/credits/",
    "api/v1/credits/transactions/",
    "api/v1/credits/payments/",
    "api/v1/webhook-endpoints/",
    "api/v1/webhook-endpoints/default-secret/",
    "api/api-keys/",
    "api/account/",
    "api/tokens/",
}
# Routes that only make something for the caller, or show everybody the same.
NOTHING_TO_SEE = {
    "api/register/",
    "api/login/",
    "api/logout/",
    "api/password/",
    "api/v1/generate/",
    "api/v1/generate/image/",
    "api/v1/generate/video/",
    "api/v1/uploads/",
    "api/v1/quote/",
    "api/v1/credits/packs/",
    "api/v1/credits/checkout/",
    "api/v1/webhook-endpoints/default-secret/rotate/",
    "api/v1/models/",
    "api/v1/models/video/",
    "api/v1/models/image/",
    "api/schema/",
    "api/docs/",
    "api/docs/webhooks/",
}
# The signed links are files' own matter, see tests/generation/outputs/test_links.py. What Stripe
# tells shows nothing.
OUTSIDE_THE_API = {
    "admin",
    "favicon.ico",
    "media/<path:key>",
    "livez",
    "readyz",
    "webhooks/stripe/",
}


def routes(under: str = "api/") -> list[str]:
    """Every route below ``under``, as it is written in the urls modules, but the console's.

    Those have a table of their own, with other people in it: tests/console/test_routes.py.
    """
    return sorted(route for route in _walk(get_resolver(), "") if route.startswith(under))


def _walk(resolver: URLResolver, before: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.app_name == "console":
                continue
            yield from _walk(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield route


def test_no_route_is_forgotten() -> None:
    """A new route has to say here what of an account's it shows."""
    assert set(routes()) == set(ONE_THING) | LISTS | NOTHING_TO_SEE
    others = {route for route in routes("") if not route.startswith(("api/", "admin/"))}
    assert others == OUTSIDE_THE_API


def everything_of(person: Person) -> dict[str, Any]:
    """Rows of the account's, as they are now."""
    return {
        "generations": list(Generation.objects.filter(account=person.account).values()),
        "payments": list(Payment.objects.filter(account=person.account).values()),
        "keys": list(ApiKey.objects.filter(account=person.account).values()),
        "endpoints": list(WebhookEndpoint.objects.filter(account=person.account).values()),
        "deliveries": list(WebhookDelivery.objects.filter(account=person.account).values()),
        "default": list(DefaultSecret.objects.filter(account=person.account).values()),
        "entries": person.entries,
    }


def named(route: str, names: str) -> str:
    """The path with these names, which blanks separate."""
    rest = iter(names.split())
    return "/" + re.sub(r"<str:\w+>", lambda _: next(rest), route)


def of_nothing(names: str) -> str:
    """Names of the same kinds that were never given to anything."""
    found = []
    for name in names.split():
        prefix, mark, _ = name.partition("_")
        found.append(f"{prefix}_{uuid.uuid4().hex}" if mark else str(uuid.uuid4()))
    return " ".join(found)


def an_endpoint(person: Person) -> str:
    """One with a test that waits; its secret."""
    made, secret = endpoints.create(person.account.pk, person.user.pk, url=HOOK)
    again.test(made)
    return secret


def asked(client: httpx.Client, method: str, route: str, names: str) -> Any:
    """All of an answer that may not differ."""
    answer = client.request(method, named(route, names))
    body = answer.json()
    del body["request_id"]
    return answer.status_code, body, sorted(answer.headers)


@pytest.mark.parametrize("state", [State.QUEUED, State.COMPLETED])
@pytest.mark.parametrize("route", ONE_THING)
def test_what_is_alices_is_to_bob_as_if_it_did_not_exist(
    route: str, state: State, api: Api, alice: Person, bob: Person
) -> None:
    generation = reached(alice, state)
    a_payment(alice, PaymentState.OPEN)
    make_token(alice)
    an_endpoint(alice)
    methods, found = ONE_THING[route]
    theirs = found(alice, generation)
    before = everything_of(alice)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        for secret in (bob.key, make_token(bob)):
            foreign = asked(api(secret), method, route, theirs)
            assert foreign == asked(api(secret), method, route, of_nothing(theirs)), method
            refused = 403 if secret == bob.key and route in WITH_A_TOKEN else 404
            assert foreign[0] == (refused if method in methods else 405)
    assert everything_of(alice) == before


@pytest.mark.parametrize("route", sorted(LISTS))
def test_lists_show_nothing_of_alices(route: str, api: Api, alice: Person, bob: Person) -> None:
    generation = reached(alice, State.COMPLETED, prompt="alices-secret-idea")
    payment = a_payment(alice, PaymentState.OPEN)
    ledger = {str(entry.pk) for entry in alice.entries}
    own_keys = {str(key.pk) for key in ApiKey.objects.filter(account=alice.account)}
    secrets = ledger | own_keys | {str(generation.pk), "alices-secret-idea", str(alice.account.pk)}
    secrets |= {str(payment.pk), an_endpoint(alice), HOOK}
    signs = keys.default_of(alice.account.pk)
    secrets |= set(keys.valid_secrets(signs, signs.now))
    mine, theirs = alice.key, bob.key
    if route in WITH_A_TOKEN:
        assert api(bob.key).get(f"/{route}").status_code == 403
        mine, theirs = make_token(alice), make_token(bob)
        secrets |= {str(key.pk) for key in ApiKey.objects.filter(account=alice.account)}
    status = "open" if route == "api/v1/credits/payments/" else "completed"
    kind = "generation.completed" if route == "api/v1/events/" else "video"
    for query in ("", "?limit=100", "?offset=0&limit=100", f"?type={kind}&status={status}"):
        text = api(theirs).get(f"/{route}{query}").raise_for_status().text
        assert not [secret for secret in secrets if secret in text]
    own = api(mine).get(f"/{route}").raise_for_status().text
    assert [secret for secret in secrets if secret in own] or route == "api/v1/credits/"


@pytest.mark.parametrize("route", sorted(set(ONE_THING) | LISTS))
def test_without_a_key_nothing_is_shown_at_all(route: str, api: Api, alice: Person) -> None:
    generation = str(reached(alice, State.COMPLETED).pk)
    path = named(route, f"{generation} {generation}")
    for method in ("GET", "POST", "DELETE"):
        answer = api().request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
