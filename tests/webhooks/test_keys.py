"""The secrets that sign: which are valid when, and that there is always one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from common.sealing import DoesNotOpenError
from events.models import DefaultSecret
from tests.support.people import Person
from tests.support.racing import race
from webhooks import keys
from webhooks.refusals import RotationInProgress

NOW = datetime(2026, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def signer() -> tuple[DefaultSecret, str]:
    """One that is not stored, and its secret."""
    made = keys.make()
    return DefaultSecret(secret=made.sealed, secret_hint=made.hint), made.secret


def test_a_new_secret_is_sealed() -> None:
    made = keys.make()
    assert made.secret.startswith("whsec_")
    assert made.secret.endswith(made.hint)
    assert len(made.hint) == 4
    assert made.secret not in made.sealed


def test_the_old_one_signs_for_as_long_as_was_said() -> None:
    row, first = signer()
    assert keys.valid_secrets(row, NOW) == [first]
    second = keys.rotate(row, NOW, keep_hours=24)
    assert row.secret_hint == second[-4:]
    assert keys.valid_secrets(row, NOW) == [second, first]
    assert keys.previous_ends_at(row, NOW) == NOW + 24 * HOUR
    assert keys.valid_secrets(row, NOW + 24 * HOUR - timedelta(microseconds=1)) == [second, first]
    assert keys.valid_secrets(row, NOW + 24 * HOUR) == [second]
    assert keys.previous_ends_at(row, NOW + 24 * HOUR) is None
    third = keys.rotate(row, NOW + 24 * HOUR, keep_hours=0)
    assert keys.valid_secrets(row, NOW + 24 * HOUR) == [third]


def test_there_are_never_three() -> None:
    row, first = signer()
    second = keys.rotate(row, NOW, keep_hours=1)
    with pytest.raises(RotationInProgress) as refused:
        keys.rotate(row, NOW + HOUR / 2, keep_hours=0)
    assert refused.value.extra == {"previous_secret_expires_at": "2026-12-01T01:00:00Z"}
    assert keys.valid_secrets(row, NOW) == [second, first]
    third = keys.rotate(row, NOW + HOUR / 2, keep_hours=2, force=True)
    assert keys.valid_secrets(row, NOW + HOUR) == [third, second]
    fourth = keys.rotate(row, NOW + HOUR, keep_hours=0, force=True)
    assert keys.valid_secrets(row, NOW + HOUR) == [fourth]


def test_one_that_does_not_open_is_not_left_out(settings: Settings) -> None:
    row, _ = signer()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", []
    with pytest.raises(DoesNotOpenError):
        keys.valid_secrets(row, NOW)
    secret = keys.rotate(row, NOW, keep_hours=24)
    assert keys.valid_secrets(row, NOW) == [secret], "the lost one is not kept"


def test_of_many_who_need_it_first_all_get_the_same(alice: Person, bob: Person) -> None:
    found = race([lambda: keys.default_of(alice.account.pk)] * 10, at_once=10)
    secrets = {
        tuple(keys.valid_secrets(row, NOW)) for row in found if isinstance(row, DefaultSecret)
    }
    assert len(found) == 10
    assert len(secrets) == 1
    assert DefaultSecret.objects.count() == 1
    assert keys.valid_secrets(keys.default_of(bob.account.pk), NOW) not in [*map(list, secrets)]


def test_of_two_rotations_at_once_one_is_refused(alice: Person) -> None:
    found = race([lambda: keys.rotate_default(alice.account.pk)] * 4, at_once=4)
    refused = [each for each in found if isinstance(each, RotationInProgress)]
    assert len(refused) == 3
    (row,) = DefaultSecret.objects.all()
    (made,) = [each[1] for each in found if not isinstance(each, BaseException)]
    assert keys.valid_secrets(row, row.previous_secret_expires_at or NOW) == [made]
