"""What a create cannot be talked into, below the view."""

from __future__ import annotations

import psycopg
import pytest
from django.db import IntegrityError

from generation import creation
from generation.models import Generation
from tests.support.bring_to import order
from tests.support.people import Person


@pytest.mark.parametrize("price", [0, -5])
def test_a_price_that_is_none_charges_nothing(price: int, alice: Person) -> None:
    """The catalog's own rule says so first; without it the ledger's still does."""
    asked = order(alice, "key")
    asked.model.price = price
    with pytest.raises(IntegrityError) as caught:
        creation.create(asked)
    assert isinstance(caught.value.__cause__, psycopg.Error)
    assert caught.value.__cause__.diag.constraint_name == "ledger_sign_follows_kind"
    assert alice.balance == 1000
    assert not Generation.objects.exists()
