"""The buttons of verbs, for all pages that have any: who is shown which."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import Account, ApiKey
from events.models import WebhookDelivery, WebhookEndpoint
from generation.models import Generation
from generation.models.states import State
from payments.models import Payment
from staff import roles
from staff.pages.verb import VerbPages
from tests.support.bring_to import reached
from tests.support.people import Person, inside, make_staff
from tests.support.purchases import a_payment
from tests.support.webhook_rows import a_delivery, an_endpoint

NONE = "/admin/generation/generation/none/retry/"
HAVE_VERBS = {Account, ApiKey, Generation, Payment, WebhookDelivery, WebhookEndpoint}


@pytest.mark.parametrize("role", roles.NAMES)
def test_a_button_is_shown_to_who_may_press_it(role: str, alice: Person) -> None:
    browser = inside(make_staff(role))
    things = [
        *(alice.account, ApiKey.objects.get(), reached(alice, State.FAILED), a_payment(alice)),
        *(an_endpoint(alice), a_delivery(alice)),
    ]
    assert {type(thing) for thing in things} == HAVE_VERBS
    for thing in things:
        pages = admin.site._registry[type(thing)]
        assert isinstance(pages, VerbPages)
        prefix = f"admin:{thing._meta.app_label}_{thing._meta.model_name}"
        page = browser.get(reverse(f"{prefix}_change", args=[thing.pk])).text
        for verb in pages.verbs:
            allowed = role == roles.SUPERUSER or verb.permission in roles.ROLES[role]
            path = reverse(f"{prefix}_{verb.name}", args=[thing.pk])
            shown = f'href="{path}"' in page
            assert shown == (allowed and verb.possible(thing)), (role, verb.name)


def test_every_page_with_verbs_is_looked_at() -> None:
    found = {model for model, page in admin.site._registry.items() if isinstance(page, VerbPages)}
    assert found == HAVE_VERBS


def test_an_id_that_is_none_is_not_found() -> None:
    assert inside(make_staff()).get(NONE).status_code == 404
