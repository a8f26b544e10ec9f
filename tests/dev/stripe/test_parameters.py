"""What the emulator takes, beside what the official SDK may send."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin

import pytest
import stripe.params as sent
from stripe._request_options import RequestOptions
from stripe.params import billing_portal, checkout
from typing_extensions import get_type_hints, is_typeddict

from dev.stripe.app import CALLS
from dev.stripe.wire.fields import Choice, Needed, OrEmpty, metadata, moments
from dev.stripe.wire.server import Call
from tests.support.stripe_works import SECRET_KEY, StripeEmulator

# What older versions of the API took and the official CLI still sends
OLDER = {
    "POST /v1/checkout/sessions": {"payment_method_types"},
    "POST /v1/payment_intents": {"payment_method_types"},
    "POST /v1/setup_intents": {"payment_method_types"},
    "POST /v1/promotion_codes": {"coupon"},
}
NAMES = {
    "checkout/sessions": (checkout, "Session"),
    "billing_portal/sessions": (billing_portal, "Session"),
}
OF_THE_REQUEST = set(RequestOptions.__annotations__)
VERBS = {"": {"POST": "Create", "GET": "List"}, "{id}": {"POST": "Update", "GET": "Retrieve"}}
PUBLIC = [each for each in CALLS if not each.private and each.method != "DELETE"]


def name_of(call: Call) -> str:
    return f"{call.method} {call.path}"


def typed(call: Call) -> Any:
    """The SDK's table of the parameters of a call."""
    path = call.path.removeprefix("/v1/")
    resource, _, rest = path.partition("/{id}")
    rest = path.removeprefix(resource).strip("/")
    plural = resource.rpartition("/")[2]
    module, noun = NAMES.get(
        resource, (sent, "".join(word.title() for word in plural[:-1].split("_")))
    )
    verb = VERBS[rest][call.method] if rest in VERBS else rest.removeprefix("{id}/").title()
    if verb == "Line_Items":
        return checkout.SessionListLineItemsParams
    return getattr(module, f"{noun}{verb}Params")


def hints(table: Any) -> dict[str, Any]:
    """The names of a table of the SDK's, without those of the request itself."""
    module = vars(sys.modules[table.__module__]) | {"StripeContext": object, "Mapping": Mapping}
    found = get_type_hints(table, module)
    return {name: kind for name, kind in found.items() if name not in OF_THE_REQUEST}


def parts(kind: Any) -> list[Any]:
    """What a value may be: the members of a union, each by itself."""
    if get_origin(kind) is Union:
        return [part for each in get_args(kind) for part in parts(each)]
    return [kind]


def strangers(reader: Any, kinds: list[Any], where: str) -> Iterator[str]:
    """What a reader takes although the SDK could not send it."""
    if isinstance(reader, Needed | OrEmpty):
        yield from strangers(reader.reader, kinds, where)
    elif isinstance(reader, Mapping):
        tables = [hints(each) for each in kinds if is_typeddict(each)]
        for name, inner in reader.items():
            place = f"{where}[{name}]"
            known = [table[name] for table in tables if name in table]
            if not known:
                yield place
            yield from strangers(inner, [p for each in known for p in parts(each)], place)
    elif isinstance(reader, list):
        items = [get_args(each)[0] for each in kinds if get_origin(each) is list]
        yield from strangers(reader[0], [p for each in items for p in parts(each)], where)
    elif isinstance(reader, Choice):
        words = {word for each in kinds if get_origin(each) is Literal for word in get_args(each)}
        if words and not set(reader.allowed) <= words:
            yield f"{where}: {sorted(set(reader.allowed) - words)}"
    elif reader in (metadata, moments) and not kinds:
        yield where


@pytest.mark.parametrize("call", PUBLIC, ids=name_of)
def test_it_takes_nothing_that_stripe_does_not_know(call: Call) -> None:
    known, found = hints(typed(call)), []
    for name, reader in call.table.items():
        if name in OLDER.get(name_of(call), ()):
            assert name not in known
        elif name not in known:
            found.append(name)
        else:
            found += strangers(reader, parts(known[name]), name)
    assert found == []


@pytest.mark.parametrize("call", PUBLIC, ids=name_of)
def test_it_refuses_what_it_does_not_play(seller: StripeEmulator, call: Call) -> None:
    """Each name alone: the emulator must not accept in silence what it then ignores."""
    for name in [*sorted(set(hints(typed(call))) - set(call.table)), "no_such_thing"]:
        path = call.path.replace("{id}", "any_1")
        fields = {name: "1"}
        headers = {"Authorization": f"Bearer {SECRET_KEY}"}
        if call.method == "POST":
            answer = seller.http.post(path, data=fields, headers=headers)
        else:
            answer = seller.http.get(path, params=fields, headers=headers)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, "parameter_unknown"), name
        assert error["param"] == name


def test_the_comparison_sees_a_stranger() -> None:
    (call,) = [each for each in PUBLIC if name_of(each) == "POST /v1/checkout/sessions"]
    known = hints(typed(call))
    assert list(strangers({"colour": metadata}, parts(known["line_items"]), "line_items"))
    assert list(strangers(Choice(("red",)), parts(known["mode"]), "mode")) == ["mode: ['red']"]
    assert not list(strangers(call.table["line_items"], parts(known["line_items"]), "line_items"))
