"""No bytes in an operator's address make a 500: every page, list, filter and column."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from generation.models import Generation
from generation.models.states import State
from staff.models import AuditEntry
from tests.support.bring_to import reached
from tests.support.people import Person, inside, make_staff

# as they stand in an address: percent-encoded
NO_TEXT = ("%00", "a%00b", "%ff", "a%c3", "%ed%a0%80", "%f5%80%80%80")
HUGE = "1" + "0" * 30
ODD = (HUGE, "9" * 2000, "-1", "(", "%2500", "")
ODD_IDS = (HUGE, "9" * 2000, "9223372036854775808", "_00", "%0a", "x")
# what Django and unfold take on a list beside filters
LISTS_OWN: tuple[str, ...] = (
    "q",
    "p",
    "o",
    "ot",
    "e",
    "all",
    "_facets",
    "_popup",
    "_to_field",
    "_source_model",
)
LISTS_OWN += ("_changelist_filters", "unheard_of")
LOOKUPS = ("__in", "__regex")
# answers that tell a person what to do next
FINE = {200, 302, 400, 403, 404, 405}


@pytest.fixture
def browser() -> Client:
    client = inside(make_staff())
    client.raise_request_exception = False
    return client


def pages() -> list[ModelAdmin[Any]]:
    return list(admin.site._registry.values())


def address_of(page: ModelAdmin[Any]) -> str:
    return f"/admin/{page.opts.app_label}/{page.opts.model_name}/"


def offered_by(page: ModelAdmin[Any]) -> set[str]:
    names: set[str] = set(page.linked_by)  # type: ignore[attr-defined]
    for each in page.list_filter:
        if isinstance(each, str):
            names |= {each, f"{each}__exact", f"{each}__isnull"}
        else:
            names.add(each.parameter_name)  # type: ignore[union-attr]
    return names


def looked_at(browser: Client, address: str) -> int:
    answer = browser.get(address)
    content_type = answer.headers.get("Content-Type", "text/html")
    assert answer.status_code in FINE, address
    assert content_type.startswith(("text/html", "text/javascript", "text/csv")), address
    return answer.status_code


@pytest.mark.parametrize("page", pages(), ids=address_of)
def test_what_a_list_is_asked_for(page: ModelAdmin[Any], browser: Client) -> None:
    address = address_of(page)
    assert looked_at(browser, address) == 200
    for name in offered_by(page) | {*LISTS_OWN}:
        assert looked_at(browser, f"{address}?{name}=%00") == 400, name
    for value in NO_TEXT:
        assert looked_at(browser, f"{address}?q={value}") == 400, value
        assert looked_at(browser, f"{address}?{value}=q") == 400, value
    for name, value in itertools.product((*offered_by(page), "q", "p"), ODD):
        looked_at(browser, f"{address}?{name}={value}")
    for name in LISTS_OWN:
        looked_at(browser, f"{address}?{name}={HUGE}")


@pytest.mark.parametrize("page", pages(), ids=address_of)
def test_a_list_is_filtered_by_nothing_that_it_does_not_offer(
    page: ModelAdmin[Any],
    browser: Client,
) -> None:
    """Any look-up of any column would be a regular expression over a table of millions."""
    address, columns = address_of(page), [field.name for field in page.model._meta.get_fields()]
    for column, lookup in itertools.product(columns, LOOKUPS):
        if f"{column}{lookup}" not in offered_by(page):
            assert looked_at(browser, f"{address}?{column}{lookup}=(") == 400, (column, lookup)


@pytest.mark.parametrize("path", ["credits/ledgerentry/export/", "search/", "autocomplete/", ""])
def test_pages_that_are_no_lists(path: str, browser: Client) -> None:
    names = ["p", "page", "term", "wallet__exact", "app_label"]
    for name, value in itertools.product(names, ("%00", HUGE, "-1", "x")):
        status = looked_at(browser, f"/admin/{path}?s=a&{name}={value}")
        assert status == 400 or value != "%00"
    assert not AuditEntry.objects.filter(changes__icontains="u0000").exists()


def routes(resolver: URLResolver, before: str = "/") -> Iterator[tuple[str, list[str]]]:
    """The operators' routes with their arguments: ``("/admin/x/{}/change/", ["object_id"])``."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, before + str(pattern.pattern))
        elif isinstance(pattern, URLPattern) and before.startswith("/admin/"):
            yield before + str(pattern.pattern), list(pattern.pattern.converters)


def written(route: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        for kind in ("path", "str", "int", "uuid"):
            route = route.replace(f"<{kind}:{name}>", value).replace(f"<{name}>", value)
    return route


def test_every_page_about_one_thing(browser: Client, alice: Person) -> None:
    reached(alice, State.QUEUED)
    asked = 0
    for route, names in routes(get_resolver()):
        for value, name in itertools.product(("%00", "%ff", *ODD_IDS), names):
            address = written(route, {each: value if each == name else "1" for each in names})
            status = looked_at(browser, address)
            assert status == 404 or value != "%00", address
            asked += 1
    assert asked > 200


def test_things_of_every_type_are_looked_for(browser: Client) -> None:
    """``view on site`` takes the number of any table and whatever is said to be an id in it."""
    for kind in ContentType.objects.all():
        for value in ("x", "%00"):
            assert looked_at(browser, f"/admin/r/{kind.pk}/{value}/") == 404


def test_who_is_not_in_gets_a_page_too(client: Client) -> None:
    answer = client.get("/admin/generation/generation/?error_code=%00")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Generations" not in answer.text  # the menu of who is logged in


def test_a_refused_host_is_a_page_too(client: Client) -> None:
    answer = client.get("/admin/", headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (400, "text/html")


def test_what_is_offered_still_filters(browser: Client, alice: Person) -> None:
    found = reached(alice, State.FAILED)
    for query in (
        *("state=failed", f"error={found.error_code}", "model=veo3_fast"),
        *(f"account__id__exact={alice.account.pk}", f"q={alice.user.email}"),
    ):
        text = browser.get(f"/admin/generation/generation/?{query}").text
        assert f"/admin/generation/generation/{found.pk}/change/" in text, query
    assert Generation.objects.count() == 1
    for query in (f"wallet__exact={alice.account.pk}", "kind__exact=refund", "kind=refund&days=7"):
        assert "refund" in browser.get(f"/admin/credits/ledgerentry/?{query}").text
    quoted = quote("Ünïcode ✓")
    assert browser.get(f"/admin/generation/generation/?q={quoted}").status_code == 200
