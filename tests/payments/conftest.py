"""People who may buy."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import User
from tests.support.people import Person, make_person

CHECKOUT, PAYMENTS = "/api/v1/credits/checkout/", "/api/v1/credits/payments/"
PACK = {"pack": "credits_2500"}


def verified(person: Person) -> Person:
    """Their e-mail address is proven, so they may buy."""
    User.objects.filter(pk=person.user.pk).update(email_verified_at=timezone.now())
    return person


@pytest.fixture
def alice() -> Person:
    """May buy, and has 1000 credits."""
    return verified(make_person("alice"))


@pytest.fixture
def bob() -> Person:
    """May buy, too, and must see nothing of Alice's."""
    return verified(make_person("bob"))
