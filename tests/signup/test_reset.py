"""A forgotten password: nobody learns who is known, and a link works once."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts import second_factor
from accounts.models import ApiKey, User
from common.errors import RateLimited
from mail.models import Mail
from signup import reset
from signup.links import LinkOver
from tests.support.deliveries import default_of
from tests.support.people import Person, make_staff, make_token
from tests.support.racing import race
from tests.support.second_factors import enrol
from tests.support.webhook_rows import an_endpoint
from webhooks import keys, signing

ADDRESS = "192.0.2.7"
NEW = "a-new-one-9-battery"
LINK = re.compile(r"https://x\.example/reset/(\S+)/(\S+)/")


@pytest.fixture(autouse=True)
def _a_way_to_send(settings: Any) -> None:
    settings.ALLOW_EMULATOR = True
    settings.VERTEX_BASE_URL = "http://127.0.0.1:9"


def link(uid: str, token: str) -> str:
    return f"https://x.example/reset/{uid}/{token}/"


def ask(email: str, address: str = ADDRESS) -> None:
    reset.ask(email, address, link)


def newest() -> tuple[str, str]:
    """Id and token of the newest link that was mailed."""
    found = LINK.search(Mail.objects.filter(kind="reset").latest("created_at").text)
    assert found is not None
    return found[1], found[2]


def verify(person: Person) -> None:
    User.objects.filter(pk=person.user.pk).update(email_verified_at=timezone.now())


def test_a_stranger_who_joined_with_somebodys_address_is_out(alice: Person, bob: Person) -> None:
    """Nobody had proven it, so key and second factor may be the stranger's."""
    make_token(alice)
    enrol(alice.user)
    hers, his = an_endpoint(alice), an_endpoint(bob)
    read = default_of(alice, signing.new_secret())
    ask("alice@example.com")
    reset.set_password(*newest(), NEW)
    hers.refresh_from_db()
    assert (hers.secret, hers.enabled, hers.deleted_at is None) == ("", False, False)
    assert keys.default_of(alice.account.pk).secret != read.secret
    his.refresh_from_db()
    assert (his.enabled, his.deleted_at) == (True, None)
    assert not ApiKey.objects.filter(created_by=alice.user).live().exists()
    assert not second_factor.has_one(alice.user)
    assert "API keys go on" not in Mail.objects.get(kind="password_changed").text
    assert ApiKey.objects.filter(created_by=bob.user).live().exists()


def test_who_has_the_link_sets_a_password(alice: Person) -> None:
    verify(alice)
    make_token(alice)
    enrol(alice.user)
    endpoint = an_endpoint(alice)
    ask("ALICE@example.com")
    uid, token = newest()
    assert reset.person_of(uid, token) == alice.user
    reset.set_password(uid, token, NEW)
    fresh = User.objects.get(pk=alice.user.pk)
    assert fresh.check_password(NEW)
    assert not ApiKey.objects.tokens().live().exists()
    assert ApiKey.objects.keys().live().count() == 1
    endpoint.refresh_from_db()
    assert endpoint.deleted_at is None
    assert second_factor.has_one(fresh)
    assert list(Mail.objects.order_by("created_at").values_list("kind", "to")) == [
        ("reset", "alice@example.com"),
        ("password_changed", "alice@example.com"),
    ]
    with pytest.raises(LinkOver):
        reset.set_password(uid, token, "another-one-9-battery")
    assert User.objects.get(pk=alice.user.pk).check_password(NEW)


def inactive(person: Person) -> None:
    User.objects.filter(pk=person.user.pk).update(is_active=False)


def staff(person: Person) -> None:
    User.objects.filter(pk=person.user.pk).update(is_staff=True)


def without_password(person: Person) -> None:
    person.user.set_unusable_password()
    person.user.save()


@pytest.mark.parametrize("become", [inactive, staff, without_password])
def test_who_gets_no_link_and_can_use_none(alice: Person, become: Callable[[Person], None]) -> None:
    ask("alice@example.com")
    uid, token = newest()
    Mail.objects.all().delete()
    become(alice)
    ask("alice@example.com")
    assert not Mail.objects.exists()
    for use in (reset.person_of, partial(reset.set_password, password=NEW)):
        with pytest.raises(LinkOver):
            use(uid, token)


def test_it_takes_the_same_time_for_everybody(alice: Person, bob: Person) -> None:
    inactive(bob)
    operator = make_staff()
    times: dict[str, list[float]] = {}
    for turn in range(5):
        for who in ("alice@example.com", "bob@example.com", "x@example.com", operator.email):
            begun = time.perf_counter()
            ask(who, f"192.0.2.{turn}")
            times.setdefault(who, []).append(time.perf_counter() - begun)
    medians = [statistics.median(each) for each in times.values()]
    assert max(medians) <= 1.2 * min(medians), times
    assert {mail.to for mail in Mail.objects.all()} == {"alice@example.com"}


def test_a_user_name_is_no_address(alice: Person) -> None:
    for text in ("alice", "", "@", "alice@example.com" + "x" * 300, "a\u0301" * 5000):
        ask(text)
    assert not Mail.objects.exists()


def test_how_often_one_may_ask(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reset, "ANSWERED_AFTER", 0)
    for turn in range(5):
        ask("alice@example.com" if turn % 2 else "Alice@Example.com", f"192.0.2.{turn}")
    with pytest.raises(RateLimited):
        ask("alice@example.com", "192.0.2.9")
    for turn in range(20):
        ask(f"x{turn}@example.com")
    with pytest.raises(RateLimited):
        ask("y@example.com")


def test_nobodys_mailbox_is_filled(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reset, "ANSWERED_AFTER", 0)
    begun = timezone.now()
    for minute in range(4):
        with time_machine.travel(begun + timedelta(minutes=2 * minute), tick=False):
            for turn in range(4):
                ask("alice@example.com", f"192.0.2.{turn}")
    assert Mail.objects.count() == reset.MAILS


def test_a_link_lives_for_an_hour(alice: Person) -> None:
    begun = timezone.now()
    ask("alice@example.com")
    uid, token = newest()
    with time_machine.travel(begun + timedelta(minutes=59)):
        reset.person_of(uid, token)
    with time_machine.travel(begun + timedelta(minutes=61)), pytest.raises(LinkOver):
        reset.person_of(uid, token)


def test_a_link_ends_with_the_password_and_the_address(alice: Person) -> None:
    ask("alice@example.com")
    before = newest()
    User.objects.filter(pk=alice.user.pk).update(email="alice@example.net")
    with pytest.raises(LinkOver):
        reset.person_of(*before)
    ask("alice@example.net")
    before = newest()
    alice.user.set_password(NEW)
    alice.user.save(update_fields=["password"])
    with pytest.raises(LinkOver):
        reset.person_of(*before)


def test_of_two_at_once_one_sets_it(alice: Person) -> None:
    ask("alice@example.com")
    uid, token = newest()
    tries = [partial(reset.set_password, uid, token, f"{NEW}-{turn}") for turn in range(6)]
    answers = race(tries, at_once=6)
    assert sum(isinstance(answer, LinkOver) for answer in answers) == 5, answers
    winner = next(at for at, answer in enumerate(answers) if isinstance(answer, User))
    assert User.objects.get(pk=alice.user.pk).check_password(f"{NEW}-{winner}")
    assert Mail.objects.filter(kind="password_changed").count() == 1


def test_a_link_is_one_persons(alice: Person, bob: Person) -> None:
    ask("alice@example.com")
    uid, token = newest()
    odd = ("", "x", uid.upper() + "0", "0" * 5000, "\0", str(bob.user.pk))
    for other in odd:
        with pytest.raises(LinkOver):
            reset.person_of(other, token)
    for other in ("", "x", "-", "a-b-c", "0" * 5000, f"{token}0", token.swapcase() + "-"):
        with pytest.raises(LinkOver):
            reset.person_of(uid, other)
    assert reset.person_of(uid.upper(), token) == alice.user
