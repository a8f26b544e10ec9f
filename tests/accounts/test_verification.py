"""An account of which nobody is known by a proven address."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Membership, User
from accounts.verification import has_verified_owner
from tests.support.people import Person, make_person


def proven(person: Person, **columns: Any) -> None:
    values = {"email_verified_at": timezone.now(), **columns}
    User.objects.filter(pk=person.user.pk).update(**values)


def test_an_owner_has_to_prove_it(alice: Person, bob: Person) -> None:
    proven(bob)
    assert has_verified_owner(bob.account.pk)
    assert not has_verified_owner(alice.account.pk)
    assert not has_verified_owner(uuid.uuid4())


@pytest.mark.parametrize(("role", "counts"), [("owner", True), ("member", False)])
def test_one_of_several_is_enough(role: str, counts: bool, alice: Person) -> None:
    carol = make_person("carol")
    Membership.objects.create(user=carol.user, account=alice.account, role=role)
    proven(carol)
    assert has_verified_owner(alice.account.pk) is counts


def test_who_cannot_log_in_proves_nothing(alice: Person) -> None:
    proven(alice, is_active=False)
    assert not has_verified_owner(alice.account.pk)
