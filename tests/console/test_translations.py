"""Every text of a page can be translated: in a language of brackets nothing stands outside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from common.fresh import Fresh
from events.models import AttemptError, DeliveryState, DisabledReason, FailedReason
from generation.models import Generation
from generation.models.states import State
from payments.models.states import State as Payment
from tests.support.bring_to import reached
from tests.support.console import browser
from tests.support.people import Person, make_person
from tests.support.purchases import a_payment
from tests.support.webhook_rows import a_delivery, an_attempt, an_endpoint, switched_off

OPEN, CLOSE = (
    "\N{MATHEMATICAL LEFT WHITE SQUARE BRACKET}",
    "\N{MATHEMATICAL RIGHT WHITE SQUARE BRACKET}",
)
INNERMOST = re.compile(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
# What is no text of ours: names, numbers, times, and code that is to be copied.
NO_TEXT = re.compile(
    r"<(script|style|pre|code|time|option|textarea|title)\b.*?</\1>|<!--.*?-->", re.DOTALL
)
SPOKEN = re.compile(r'\b(?:aria-label|title|placeholder|alt)="([^"]*[a-z][^"]*)"')
NAMES = re.compile(
    # of the product, of formats, and of things that customers, operators and the provider named
    r"\w+ generation|Reelmint|alice\S*|veo3_fast|veo3|image|curl|Python|Node|Stripe|UTC|CSV|API|"
    r"JPEG|PNG|WebP|"
    r"MB|GB|\d+p|a red fox|standard|premium|\d+-\d+ seconds|\btest\b|for the test|"
    r"Too late\. Try again later|Refund: timeout|[0-9a-f]{8}-[0-9a-f-]{27}|"
    r"\d{1,2} [A-Z][a-z]{2}\b|(?:dlv|evt|we)_[0-9a-f]{32}|https://example\.com/webhooks"
)
OUTSIDE = ("landing", "sign-up", "log-in", "reset")
PERSON = ("verify", "confirm", "me", "me-password", "me-email", "me-second-factor", "me-sessions")
ACCOUNT = (
    "home",
    "create",
    "gallery",
    "keys",
    "webhooks",
    "webhook-orders",
    "ledger",
    "billing",
    "settings",
)


@pytest.fixture
def brackets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every translation is the text itself, in brackets."""
    real: Any = translation._trans  # type: ignore[attr-defined]

    def one(text: str) -> str:
        return f"{OPEN}{text}{CLOSE}" if text else text

    def many(singular: str, plural: str, number: int) -> str:
        return one(singular if number == 1 else plural)

    monkeypatch.setattr(real, "gettext", one)
    monkeypatch.setattr(real, "ngettext", many)
    monkeypatch.setattr(real, "pgettext", lambda context, text: one(text))
    Fresh.clear_all()
    yield
    Fresh.clear_all()


def outside(page: str) -> list[str]:
    """The words of ours that were not translated."""
    page = NO_TEXT.sub(" ", page)
    spoken = [each for each in SPOKEN.findall(page) if OPEN not in each]
    text = unescape(re.sub(r"<[^>]*>", " ", page))
    while (shorter := INNERMOST.sub(" ", text)) != text:
        text = shorter
    words = re.findall(r"[^\W\d_]{2,}", NAMES.sub(" ", text))
    return [*words, *(each for each in spoken if re.search("[a-z]{2}", NAMES.sub(" ", each)))]


def test_nothing_is_left_out(brackets: None) -> None:
    alice = make_person("alice", 5000)
    made = reached(alice, State.COMPLETED)
    failed = reached(alice, State.FAILED)
    payment = a_payment(alice, Payment.OPEN)
    client, nobody = browser(alice.user), Client()
    mine = alice.account.pk
    paths = [reverse(f"console:{name}", args=[mine]) for name in ACCOUNT]
    paths += [reverse(f"console:{name}") for name in PERSON]
    paths += [reverse("console:generation", args=[mine, each.pk]) for each in (made, failed)]
    paths += [reverse("console:payment", args=[mine, payment.pk]), "/nothing/"]
    paths += _webhooks(alice, failed)
    found = {path: outside(client.get(path).content.decode()) for path in paths}
    for name in OUTSIDE:
        path = reverse(f"console:{name}")
        found[f"nobody at {path}"] = outside(nobody.get(path).content.decode())
    left = {path: words for path, words in found.items() if words}
    assert not left, "\n".join(f"{path}: {words}" for path, words in left.items())


def _webhooks(alice: Person, generation: Generation) -> list[str]:
    """Endpoints that are on and off for every reason, and deliveries with every outcome."""
    mine = alice.account.pk
    on = an_endpoint(alice, last_attempt_succeeded=False, event_types=["*"])
    reasons = (None, *DisabledReason)
    rows = [a_delivery(alice, of=generation)]
    for number, reason in enumerate(FailedReason):
        failed = a_delivery(an_endpoint(alice), DeliveryState.FAILED, of=generation)
        failed.failed_reason = reason
        failed.save(update_fields=["failed_reason"])
        errors: list[str] = ["", *AttemptError.values]
        for place, error in enumerate(errors if number == 0 else ()):
            an_attempt(failed, place, error=error)
        rows.append(failed)
    endpoints = [on, *(switched_off(alice, reason) for reason in reasons)]
    paths = [reverse("console:webhook", args=[mine, each.pk]) for each in endpoints]
    return [*paths, *(reverse("console:webhook-delivery", args=[mine, each.pk]) for each in rows)]


def test_it_finds_what_was_forgotten() -> None:
    page = f'<p title="Say">{OPEN}Yes{CLOSE} no</p>'
    assert outside(page) == ["no", "Say"]
