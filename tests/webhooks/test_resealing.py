"""A rotation of SECRET_KEY: secrets of webhooks are sealed anew, and nothing of them changes."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from common import sealing
from events.models import DefaultSecret, WebhookEndpoint
from staff.models import AuditEntry
from tests.support.people import Person
from webhooks import resealing
from webhooks.resealing import reseal


def endpoint(person: Person, secret: str, previous: str | None = None) -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(
        account=person.account,
        url="https://example.com/hooks",
        event_types=["*"],
        secret=sealing.seal(secret),
        secret_hint=secret[-4:],
        previous_secret=sealing.seal(previous) if previous else None,
        previous_secret_expires_at=timezone.now() + dt.timedelta(hours=1) if previous else None,
    )


def default(person: Person, secret: str) -> DefaultSecret:
    return DefaultSecret.objects.create(
        account=person.account, secret=sealing.seal(secret), secret_hint=secret[-4:]
    )


def run() -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("reseal_secrets", stdout=out, stderr=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def rows(settings: Any, alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Sealed with the first key, of which the second one is a fallback no more."""
    monkeypatch.setattr(resealing, "BATCH", 2)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "first", []
    made: list[Any] = [endpoint(alice, "whsec_a1", "whsec_a0"), endpoint(alice, "whsec_a2")]
    made += [endpoint(bob, "whsec_b1"), endpoint(bob, "whsec_b2")]
    made += [default(alice, "whsec_d1"), default(bob, "whsec_d2")]
    deleted = endpoint(bob, "whsec_b3")
    deleted.secret, deleted.enabled, deleted.disabled_at = "", False, timezone.now()
    deleted.deleted_at = timezone.now()
    deleted.save()
    return made


def opened(row: Any) -> list[str]:
    row.refresh_from_db()
    return [sealing.open_sealed(each) for each in (row.secret, row.previous_secret) if each]


def test_the_former_key_may_go_afterwards(settings: Any, rows: list[Any]) -> None:
    before = [opened(row) for row in rows]
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "second", ["first"]
    assert run() == (0, "7 secrets are sealed with the newest key now, 0 were already\n")
    settings.SECRET_KEY_FALLBACKS = []
    assert [opened(row) for row in rows] == before
    assert run() == (0, "0 secrets are sealed with the newest key now, 7 were already\n")
    first, _ = AuditEntry.objects.order_by("id")
    assert first.changes["sealed_anew"] == 7
    assert "whsec" not in str(first.changes)


def test_what_no_key_opens_is_named_and_left_as_it_is(settings: Any, rows: list[Any]) -> None:
    settings.SECRET_KEY = "second"
    new = endpoint_of(rows)
    new.previous_secret = sealing.seal("whsec_a0")
    new.save(update_fields=["previous_secret"])
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "third", ["second"]
    kept = [row.secret for row in rows]
    code, said = run()
    assert code == 1
    assert "1 secrets are sealed with the newest key now, 0 were already\n" in said
    assert "6 open with no key: " in said
    for row in rows:
        assert row.pk.hex in said
        row.refresh_from_db()
    assert [row.secret for row in rows] == kept  # and a key that is found again opens them
    settings.SECRET_KEY_FALLBACKS = ["first"]
    assert run()[0] == 0
    assert opened(rows[0]) == ["whsec_a1", "whsec_a0"]


def endpoint_of(rows: list[Any]) -> WebhookEndpoint:
    found: WebhookEndpoint = rows[0]
    return found


def test_a_secret_that_is_rotated_meanwhile_is_not_put_back(
    settings: Any, rows: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "second", ["first"]
    sealed_anew = sealing.seal_anew
    rotated: list[str] = []

    def slowly(sealed: str) -> str:
        if not rotated:
            rotated.append("whsec_new")
            WebhookEndpoint.objects.filter(secret=sealed).update(secret=sealing.seal("whsec_new"))
        return sealed_anew(sealed)

    monkeypatch.setattr(sealing, "seal_anew", slowly)
    found = reseal()
    assert (found.anew, found.already, found.closed) == (6, 1, [])
    assert max(each for row in rows for each in opened(row)) == "whsec_new"
    settings.SECRET_KEY_FALLBACKS = []
    assert all(opened(row) for row in rows)


def test_nothing_to_do() -> None:
    assert run() == (0, "0 secrets are sealed with the newest key now, 0 were already\n")
