"""The ledger against a model in plain Python: any sequence of its verbs, on real commits.

After every step both wallets and every entry, in its sequence with the balance after it, are
exactly what the model says, and ``check_ledger`` has nothing to add. A verb must be refused for
the model's reason, and leave no trace.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.caller import Caller
from accounts.models import ApiKey
from common.idempotency import IdempotencyKeyReused
from credits import ledger
from credits.books import check_ledger
from credits.ledger import LedgerRefusal
from credits.models import LedgerEntry, Wallet
from generation.creation import create
from generation.models import CatalogModel
from generation.offer.parameters import Parameters
from generation.order import CreateResult, Order
from generation.refusals import InsufficientCredits, TooManyOpenGenerations
from tests.support.ledger_model import COLUMNS, Bought, Purse
from tests.support.machines import profile, refused_by, start_over
from tests.support.people import Person, make_person

OPEN_LIMIT = 3  # low, so that it is met
TABLES = ("generation_generationevent", "generation_generation", "credits_ledgerentry")
WHO = st.integers(0, 1)
CREDITS = st.integers(1, 600)
REFERENCES = st.sampled_from(["r1", "r2", "r3"])
REVERSALS = [uuid.UUID(int=number) for number in range(2)]


class LedgerMachine(RuleBasedStateMachine):
    """Two accounts, so that nothing may leak from one to the other."""

    owner: psycopg.Connection
    people: list[tuple[Person, ApiKey]]
    catalog: dict[str, CatalogModel]

    def __init__(self) -> None:
        super().__init__()
        start_over(self.owner, *TABLES)
        self.purses = [Purse(person, Caller.with_key(key)) for person, key in self.people]
        self.bought: list[Bought] = []
        self.keys: dict[tuple[int, str], Bought] = {}
        self.references: set[tuple[str, str]] = set()
        self.taken: dict[uuid.UUID, tuple[Purse, int]] = {}  # by reversal

    @initialize(amounts=st.tuples(CREDITS, CREDITS))
    def first_grants(self, amounts: tuple[int, int]) -> None:
        for who, amount in enumerate(amounts):
            self.give(who, amount, None)

    @rule(who=WHO, amount=CREDITS, reference=st.none() | REFERENCES)
    def give(self, who: int, amount: int, reference: str | None) -> None:
        purse = self.purses[who]
        author = purse.person.user.pk
        self._credit(
            purse,
            "grant",
            amount,
            reference,
            lambda: ledger.grant(
                purse.account,
                amount,
                description="d",
                created_by=author if amount % 2 else None,  # some by staff, some by nobody
                reference=reference,
            ),
        )

    @rule(who=WHO, amount=CREDITS, reference=REFERENCES)
    def buy_credits(self, who: int, amount: int, reference: str) -> None:
        """The same payment may be reported again, also for somebody else: it counts once."""
        purse = self.purses[who]
        self._credit(
            purse,
            "purchase",
            amount,
            reference,
            lambda: ledger.purchase(purse.account, amount, reference=reference, description="d"),
        )

    def _credit(
        self,
        purse: Purse,
        kind: str,
        amount: int,
        reference: str | None,
        verb: Callable[[], ledger.Posted],
    ) -> None:
        if reference is not None and (kind, reference) in self.references:
            with refused_by("ledger_reference_credits_once"):
                verb()
            return
        purse.post(kind, amount, reference)
        assert verb().balance == purse.balance
        if reference is not None:
            self.references.add((kind, reference))

    @rule(who=WHO, amount=CREDITS, reversal=st.sampled_from(REVERSALS))
    def reverse(self, who: int, amount: int, reversal: uuid.UUID) -> None:
        """Always possible, whatever is left of it; once for everybody."""
        purse = self.purses[who]
        is_new = reversal not in self.taken
        reference = f"reversal:{reversal}"
        self._credit(
            purse,
            "reversal",
            -amount,
            reference,
            lambda: ledger.reverse(purse.account, amount, reversal_id=reversal, description="d"),
        )
        if is_new:
            self.taken[reversal] = purse, amount
            purse.reversed += amount

    @rule(reversal=st.sampled_from(REVERSALS), part=st.booleans())
    def reinstate(self, reversal: uuid.UUID, part: bool) -> None:
        """What that reversal took, or a part; never more, and of nobody else."""
        owner, taken = self.taken.get(reversal, (None, 0))

        def verb(purse: Purse, amount: int) -> ledger.Posted:
            return ledger.reinstate(purse.account, amount, reversal_id=reversal, description="d")

        for purse in self.purses:
            with pytest.raises(LedgerRefusal):
                verb(purse, taken + 1 if purse is owner else 1)
        if owner is not None:
            given = 1 if part else taken
            reference = f"reversal:{reversal}"
            self._credit(owner, "reinstated", given, reference, lambda: verb(owner, given))

    @rule(who=WHO, amount=st.integers(-700, 700))
    def adjust(self, who: int, amount: int) -> None:
        purse = self.purses[who]

        def verb() -> ledger.Posted:
            author = purse.person.user.pk
            return ledger.adjust(purse.account, amount, description="d", created_by=author)

        if purse.balance + amount < 0:
            with pytest.raises(LedgerRefusal):
                verb()
        elif amount == 0:
            with refused_by("ledger_sign_follows_kind"):
                verb()
        else:
            purse.post("adjustment", amount)
            assert verb().balance == purse.balance

    @rule(
        who=WHO,
        model=st.sampled_from(["image", "veo3_fast"]),
        key=st.none() | st.sampled_from(["k1", "k2"]),
        prompt=st.sampled_from(["a", "a", "a", "b"]),
    )
    def order(self, who: int, model: str, key: str | None, prompt: str) -> None:
        """A charge the way customers cause it, replays and refusals included."""
        purse, price = self.purses[who], self.catalog[model].price
        known = self.keys.get((who, key)) if key is not None else None
        order = self._order(purse, model, key, prompt)
        if known is not None and known.prompt == f"{model} {prompt}":
            assert create(order) == replace(known.answer, replayed=True)
        elif known is not None:
            with pytest.raises(IdempotencyKeyReused):
                create(order)
        elif purse.balance < price:
            with pytest.raises(InsufficientCredits):
                create(order)
        elif purse.open >= OPEN_LIMIT:
            with pytest.raises(TooManyOpenGenerations):
                create(order)
        else:
            self._charge(who, create(order), f"{model} {prompt}", key)

    def _order(self, purse: Purse, model: str, key: str | None, prompt: str) -> Order:
        found, body = self.catalog[model], {"prompt": prompt, "model": model}
        asked = Parameters.filled(found, {})
        return Order(purse.caller, found, prompt, asked, None, key, "/api/v1/generate/", body)

    def _charge(self, who: int, answer: CreateResult, prompt: str, key: str | None) -> None:
        purse = self.purses[who]
        purse.post("charge", -answer.price)
        purse.open += 1
        assert (answer.balance, answer.replayed) == (purse.balance, False)
        charge = LedgerEntry.objects.get(generation_id=answer.generation_id, kind="charge").pk
        bought = Bought(purse, answer, charge, prompt)
        self.bought.append(bought)
        if key is not None:
            self.keys[who, key] = bought

    @precondition(lambda self: self.bought)
    @rule(number=st.integers(0, 30))
    def refund(self, number: int) -> None:
        """Whole and once, whatever the caller believes."""
        bought = self.bought[number % len(self.bought)]
        purse = bought.purse
        if purse.open == 0 or bought.refunded:
            none_open, twice = "wallet_open_charges_not_negative", "ledger_charge_refunded_once"
            with refused_by(twice if purse.open else none_open):
                ledger.refund(bought.charge, "d")
            return
        ledger.refund(bought.charge, "d")
        purse.post("refund", bought.answer.price, reverses=bought.charge)
        purse.open -= 1
        bought.refunded = True

    @rule(who=WHO)
    def refund_what_is_no_charge(self, who: int) -> None:
        entry = LedgerEntry.objects.filter(wallet=self.purses[who].account, kind="grant").first()
        for strange in (uuid.uuid4(), entry.pk if entry else uuid.uuid4()):
            with pytest.raises(LedgerRefusal):
                ledger.refund(strange, "d")

    @rule(number=st.integers(0, 30))
    def take_back(self, number: int) -> None:
        """A grant whole and once; below nothing only where a reversal has been."""
        grants = [
            (purse, entry)
            for purse in self.purses
            for entry in LedgerEntry.objects.filter(wallet=purse.account, kind="grant")
        ]
        purse, entry = grants[number % len(grants)]
        reference = f"taken-back-{entry.pk}"
        if purse.balance < entry.amount and purse.reversed == 0:
            with refused_by("wallet_negative_only_after_a_reversal"):
                ledger.take_back(entry.pk, uuid.uuid4(), "d")
        elif entry.created_by_id is None:
            with refused_by("ledger_adjustment_has_author_and_reason"):
                ledger.take_back(entry.pk, uuid.uuid4(), "d")
        elif ("adjustment", reference) in self.references:
            with refused_by("ledger_reference_credits_once"):
                ledger.take_back(entry.pk, uuid.uuid4(), "d")
        else:
            ledger.take_back(entry.pk, uuid.uuid4(), "d")
            purse.post("adjustment", -entry.amount, reference)
            self.references.add(("adjustment", reference))

    @rule(who=WHO)
    def take_back_what_is_no_grant(self, who: int) -> None:
        entry = LedgerEntry.objects.filter(wallet=self.purses[who].account, kind="charge").first()
        for strange in (uuid.uuid4(), entry.pk if entry else uuid.uuid4()):
            with pytest.raises(LedgerRefusal):
                ledger.take_back(strange, uuid.uuid4(), "d")

    @rule(who=WHO)
    def settle(self, who: int) -> None:
        purse = self.purses[who]
        if purse.open == 0:
            with refused_by("wallet_open_charges_not_negative"):
                ledger.settle(purse.account)
            return
        ledger.settle(purse.account)
        purse.open -= 1

    @rule(who=WHO, amount=CREDITS)
    def die_before_the_commit(self, who: int, amount: int) -> None:
        """Nothing of a transaction that ends badly, whatever it had done by then."""
        purse = self.purses[who]
        with transaction.atomic():
            ledger.grant(purse.account, amount, description="d", reference="lost")
            if purse.open < OPEN_LIMIT and purse.balance + amount >= 24:
                create(self._order(purse, "image", None, "lost"))
                ledger.settle(purse.account)
            transaction.set_rollback(True)

    @invariant()
    def the_rows_are_what_the_model_says(self) -> None:
        for purse in self.purses:
            entries = LedgerEntry.objects.filter(wallet=purse.account).order_by("sequence")
            assert list(entries.values_list(*COLUMNS)) == purse.lines
            wallet = Wallet.objects.values_list("balance", "sequence", "open_charges", "reversed")
            expected = (purse.balance, len(purse.lines), purse.open, purse.reversed)
            assert wallet.get(account=purse.account) == expected
        result = check_ledger()
        assert result.differences == []
        assert result.counts == {
            "wallets": 2,
            "entries": sum(len(purse.lines) for purse in self.purses),
        }


def _replay_of(answer: CreateResult) -> CreateResult:
    return CreateResult(
        **{name: getattr(answer, name) for name in answer.__slots__} | {"replayed": True}
    )


def test_any_sequence_of_the_ledgers_verbs(admin_connection: psycopg.Connection) -> None:
    people = [make_person(name, 0) for name in ("alice", "bob")]
    Wallet.objects.update(max_open_charges=OPEN_LIMIT)

    class Machine(LedgerMachine):
        owner = admin_connection

    Machine.people = [
        (person, ApiKey.objects.select_related("account").get(account=person.account))
        for person in people
    ]
    Machine.catalog = CatalogModel.objects.in_bulk()
    run_state_machine_as_test(Machine, settings=profile(max_examples=30, steps=20))
