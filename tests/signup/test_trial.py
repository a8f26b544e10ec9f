"""Trial credits: whom they are given, how often, and how many a day."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Membership, User
from credits import ledger
from signup import mailboxes, trial
from signup.models import Trial, TrialDay
from signup.trial import Outcome, WhyNot
from tests.support.people import Person, make_person, make_staff
from tests.support.racing import race

GIFT = 300
CLIENT = "203.0.113.7"


@pytest.fixture(autouse=True)
def _offered(settings) -> None:
    settings.SIGNUP_CREDITS = GIFT


def newcomer(name: str, email: str = "") -> Person:
    person = make_person(name, balance=0)
    if email:
        person.user.email = email
        person.user.save(update_fields=["email"])
    return person


def give(person: Person, client: str = CLIENT) -> Outcome:
    with transaction.atomic():
        return trial.give(person.user, client)


def not_given(why: WhyNot) -> Outcome:
    return Outcome(why_not=why)


def test_a_gift_is_a_ledger_entry() -> None:
    ada = newcomer("ada", "a.d.a+x@Gmail.com")
    assert give(ada) == Outcome(credits=GIFT)
    (entry,) = ada.entries
    assert (entry.kind, entry.amount, entry.balance_after) == ("grant", GIFT, GIFT)
    assert (entry.description, entry.reference) == (
        "Trial credits",
        f"trial:{mailboxes.digest('ada@gmail.com')}",
    )
    day = TrialDay.objects.get()
    assert (day.day, day.granted) == (timezone.now().date(), GIFT)
    assert Trial.objects.get().address == CLIENT


def test_none_are_offered_by_default(settings, alice: Person) -> None:
    settings.SIGNUP_CREDITS = 0
    assert give(alice) == not_given(WhyNot.NOT_OFFERED)
    assert not TrialDay.objects.exists()


def test_once_a_person_even_with_another_address() -> None:
    ada = newcomer("ada")
    give(ada)
    ada.user.email = "elsewhere@example.org"
    ada.user.save(update_fields=["email"])
    assert give(ada) == not_given(WhyNot.HAD_THEIRS)
    assert ada.balance == GIFT


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a+1@example.com", "a+2@example.com"),
        ("a.d.a@gmail.com", "ada@googlemail.com"),
        ("ada@example.com", '"ada"@example.com'),
    ],
)
def test_once_a_mailbox(first: str, second: str) -> None:
    assert give(newcomer("one", first)).credits == GIFT
    two = newcomer("two", second)
    assert give(two) == not_given(WhyNot.MAILBOX)
    assert two.balance == 0
    assert TrialDay.objects.get().granted == GIFT


def test_once_a_mailbox_when_two_race() -> None:
    """The constraint decides, and what the day had counted for the later one is given back."""
    people = [newcomer(f"p{n}", f"p+{n}@example.com") for n in range(8)]
    outcomes = race([partial(give, person) for person in people], at_once=8)
    assert outcomes.count(Outcome(credits=GIFT)) == 1
    assert outcomes.count(not_given(WhyNot.MAILBOX)) == 7
    assert TrialDay.objects.get().granted == GIFT
    assert Trial.objects.count() == 1


def test_a_gift_that_another_rule_refuses_is_a_fault_of_ours(settings) -> None:
    """To call it one more person with the same mailbox would hide it."""
    settings.SIGNUP_CREDITS = -5
    ada = newcomer("ada")
    with pytest.raises(IntegrityError, match="trial_day_granted_not_negative"):
        give(ada)
    assert (ada.balance, Trial.objects.count()) == (0, 0)


def test_none_for_a_disposable_address() -> None:
    ada = newcomer("ada", "ada@sub.mailinator.com")
    assert give(ada) == not_given(WhyNot.DISPOSABLE)
    assert ada.entries == []


def test_a_day_gives_no_more_than_its_total(settings) -> None:
    settings.TRIAL_CREDITS_PER_DAY = 2 * GIFT + 1
    people = [newcomer(f"p{n}") for n in range(3)]
    outcomes = [give(person, f"203.0.113.{n}") for n, person in enumerate(people)]
    assert outcomes == [Outcome(GIFT), Outcome(GIFT), not_given(WhyNot.DAY)]
    TrialDay.objects.update(day=timezone.now().date() - timedelta(days=1))
    assert give(people[2]).credits == GIFT


@pytest.mark.parametrize("limit", [0, GIFT - 1])
def test_a_total_below_one_gift_gives_none(limit: int, settings, alice: Person) -> None:
    settings.TRIAL_CREDITS_PER_DAY = limit
    assert give(alice) == not_given(WhyNot.DAY)
    assert not TrialDay.objects.exists()


def test_three_a_client_address() -> None:
    outcomes = [give(newcomer(f"p{n}")) for n in range(4)]
    assert outcomes == [*[Outcome(GIFT)] * 3, not_given(WhyNot.ADDRESS)]
    assert TrialDay.objects.get().granted == 3 * GIFT
    assert give(newcomer("else"), "203.0.113.8").credits == GIFT
    Trial.objects.update(day=timezone.now().date() - timedelta(days=1))
    assert give(newcomer("next-day")).credits == GIFT


def test_three_a_client_address_when_many_race() -> None:
    people = [newcomer(f"p{n}") for n in range(20)]
    outcomes = race([partial(give, person) for person in people])
    assert outcomes.count(Outcome(GIFT)) == 3
    assert outcomes.count(not_given(WhyNot.ADDRESS)) == 17
    assert TrialDay.objects.get().granted == 3 * GIFT


def test_three_of_unknown_address() -> None:
    outcomes = [give(newcomer(f"p{n}"), "unknown") for n in range(4)]
    assert [outcome.credits for outcome in outcomes] == [GIFT] * 3 + [0]


def test_a_wider_network_of_ipv6_is_bounded_too() -> None:
    """Who has a /48 has 65,536 of the networks that are one client elsewhere."""
    nets = [f"2001:db8:0:{n:x}::/64" for n in range(7)]
    outcomes = [give(newcomer(f"p{n}"), net) for n, net in enumerate(nets)]
    assert [outcome.credits for outcome in outcomes] == [GIFT] * 6 + [0]
    nets = [f"2001:db8:0:{n:x}00::/64" for n in range(1, 8)]
    outcomes = [give(newcomer(f"q{n}"), net) for n, net in enumerate(nets)]
    assert [outcome.credits for outcome in outcomes] == [GIFT] * 6 + [0]


def test_who_was_welcomed_at_registration_had_theirs() -> None:
    """As the release before gave them, which may still run beside this one."""
    ada = newcomer("ada")
    ledger.grant(ada.account.pk, 50, description="Welcome credits")
    ledger.grant(ada.account.pk, 50, description="more")
    assert give(ada) == not_given(WhyNot.HAD_THEIRS)
    assert ada.balance == 100


def test_a_grant_of_an_operator_is_no_welcome() -> None:
    ada = newcomer("ada")
    by = make_staff().pk
    ledger.grant(ada.account.pk, 50, description="Welcome credits", created_by=by)
    assert give(ada).credits == GIFT


def test_who_owns_no_account_has_nowhere_to_put_them(alice: Person) -> None:
    operator = make_staff()
    Membership.objects.create(user=operator, account=alice.account, role=Membership.Role.MEMBER)
    with transaction.atomic():
        assert trial.give(operator, CLIENT) == not_given(WhyNot.NO_ACCOUNT)
    assert alice.balance == 1000


def test_nothing_is_left_of_a_verification_that_failed(alice: Person) -> None:
    class Broken(Exception):
        pass

    def broken() -> None:
        with transaction.atomic():
            trial.give(alice.user, CLIENT)
            raise Broken

    with pytest.raises(Broken):
        broken()
    assert alice.balance == 1000
    assert not TrialDay.objects.exists()
    assert not User.objects.filter(trial__isnull=False).exists()
