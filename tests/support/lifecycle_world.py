"""The database and its model side by side: everything is done to both, and compared."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress

import psycopg
from django.conf import settings

from accounts.caller import Caller
from accounts.models import ApiKey
from credits import ledger
from credits.models import Wallet
from generation import interventions, lifecycle
from generation.creation import create
from generation.interventions import NotAllowed, PaidBy
from generation.lifecycle import NotCancelable
from generation.models import CatalogModel, Generation
from generation.models.states import OPEN, State
from generation.offer.parameters import Parameters
from generation.order import Order
from generation.refusals import InsufficientCredits
from tests.support import lifecycle_rows as found
from tests.support.bring_to import ROUTE
from tests.support.lifecycle_model import MEANING, Row, allows
from tests.support.machines import start_over
from tests.support.people import Person
from tests.support.works import age, make_due
from work import due

TABLES = [f"generation_{name}" for name in ("generationevent", "attempt", "generation")]
TABLES += ["credits_ledgerentry", "events_event", "events_feed"]
CREDITS = 2000
ALL = 100  # more rows than there ever are


class World:
    """Two customers; any number of workers, each being what it claimed once."""

    def __init__(self, owner: psycopg.Connection, people: list[Person]) -> None:
        start_over(owner, *TABLES)
        self.people = people
        self.staff = people[-1].user
        for person in people:
            ledger.grant(person.account.pk, CREDITS, description="for the example")
        keys = [ApiKey.objects.get(account=person.account) for person in people]
        self.callers = [Caller.with_key(key) for key in keys]
        self.catalog = CatalogModel.objects.in_bulk()
        self.rows: dict[uuid.UUID, Row] = {}
        self.holds: list[Generation] = []  # what workers believe to have, newest last
        self.leases: set[uuid.UUID] = set()
        self.tried_again: dict[uuid.UUID, list[uuid.UUID]] = {}

    def order(self, who: int, model: str) -> None:
        sold = self.catalog[model]
        with suppress(InsufficientCredits):  # the wallets are compared, too
            answer = create(Order(self.callers[who], sold, "a fox", Parameters.filled(sold, {})))
            self.rows[answer.generation_id] = Row(who, sold.kind, sold.price)

    def claim(self, states: Sequence[State] = OPEN, limit: int = ALL) -> None:
        """Due rows and nothing else, as many as possible, of the suspects one."""
        wanted = {pk for pk, row in self.rows.items() if row.due and row.state in states}
        suspects = {pk for pk in wanted if self.rows[pk].strikes >= due.SUSPECT}
        got = due.claim(Generation, states, limit, settings.LEASE)
        claimed = {generation.pk for generation in got}
        assert claimed <= wanted
        assert len(claimed) == len(got) == min(limit, len(wanted - suspects) + bool(suspects))
        assert len(claimed & suspects) == bool(suspects)
        tokens = {generation.lease_token for generation in got}
        assert len(tokens) <= 1
        assert not tokens & self.leases
        for generation in got:
            assert generation.lease_token is not None
            row = self.rows[generation.pk]
            row.lease, row.due, row.strikes = generation.lease_token, False, row.strikes + 1
            self.leases.add(generation.lease_token)
        self.holds += got

    def comes_due(self, pk: uuid.UUID) -> None:
        """The next look is due, or a lease is over: to the row it is the same."""
        if self.rows[pk].is_open:
            make_due(str(pk))
            self.rows[pk].due = True

    def passes_its_deadline(self, pk: uuid.UUID) -> None:
        if self.rows[pk].is_open:
            age(str(pk), deadline_at="-1 second")
            self.rows[pk].overdue = True

    def cancel(self, pk: uuid.UUID) -> None:
        row = self.rows[pk]
        answer: bool | None = None
        with suppress(NotCancelable):
            answer = lifecycle.cancel(pk)
        if row.state == State.QUEUED and row.unknown == 0:
            assert answer is True
            row.end(State.CANCELED)
        else:
            assert answer is (False if row.state == State.CANCELED else None)

    def end_by_hand(self, pk: uuid.UUID) -> None:
        """What is open, whoever holds it; and nothing else."""
        row, ended = self.rows[pk], False
        with suppress(NotAllowed):
            interventions.fail_and_refund(Generation(pk=pk), actor=self.staff, reason="stuck")
            ended = True
        assert ended is row.is_open
        if ended:
            row.end(State.FAILED, "provider_error")

    def try_again(self, pk: uuid.UUID, paid_by: PaidBy) -> None:
        """What was not delivered, unless a try of it is open or was delivered."""
        row, tries = self.rows[pk], self.tried_again.setdefault(pk, [])
        allowed = row.is_refunded and all(self.rows[other].is_refunded for other in tries)
        with suppress(NotAllowed, InsufficientCredits):  # the wallets are compared, too
            answer = interventions.order_again(
                Generation(pk=pk),
                actor=self.staff,
                reason="sorry",
                paid_by=paid_by,
                token=uuid.uuid4(),
            )
            assert allowed
            tries.append(answer.generation_id)
            granted = paid_by == "grant"
            self.rows[answer.generation_id] = Row(row.who, row.kind, row.price, granted)
            return
        assert not (allowed and paid_by == "grant")

    def holder(self, pk: uuid.UUID) -> Generation | None:
        """Whose lease on the row is good."""
        row = self.rows[pk]
        mine = (hold for hold in self.holds if hold.pk == pk)
        return next((hold for hold in mine if row.held_by(hold.lease_token)), None)

    def call(self, verb: str, hold: Generation) -> None:
        """A worker's verb must do what it means, or nothing when the worker may not."""
        row = self.rows[hold.pk]
        expected = allows(verb, row, hold.lease_token)
        if verb == "begin_attempt":
            self._begin(hold, row, expected)
        else:
            assert found.VERBS[verb](hold) is expected, f"{verb} from {row.state}"
        if expected:
            MEANING[verb][1](row)

    def _begin(self, hold: Generation, row: Row, expected: bool) -> None:
        attempt = lifecycle.begin_attempt(hold, ROUTE)
        if expected or attempt is None:
            assert (attempt is not None) == expected
        else:  # the same intent again, as after a COMMIT without an answer
            assert (row.state, attempt.outcome) == (State.SUBMITTING, "asked")
            assert row.held_by(hold.lease_token)
            assert attempt.number == len(row.attempts)

    def compare(self) -> None:
        """Everything that is written down is what the model says, and there is nothing else."""
        rows = self.rows.items()
        accounts = [person.account.pk for person in self.people]
        assert found.generations() == {pk: row.shown(accounts[row.who]) for pk, row in rows}
        assert found.attempts() == {
            pk: list(enumerate(row.attempts, 1)) for pk, row in rows if row.attempts
        }
        assert found.events() == {pk: list(enumerate(row.events, 1)) for pk, row in rows}
        assert found.told() == {
            pk: [(f"generation.{row.state}",)] for pk, row in rows if not row.is_open
        }
        assert found.entries() == {
            pk: [
                ("charge", -row.price),
                *([("refund", row.price)] if row.is_refunded else []),
                *([("adjustment", -row.price)] if row.is_refunded and row.granted else []),
            ]
            for pk, row in rows
        }
        purses = {who: [CREDITS, 0] for who in accounts}
        for row in self.rows.values():
            # what the house pays for costs the customer nothing, and brings him nothing
            is_paid = not row.is_refunded and not row.granted
            purses[accounts[row.who]][0] -= row.price if is_paid else 0
            purses[accounts[row.who]][1] += row.is_open
        wallets = Wallet.objects.values_list("account", "balance", "open_charges")
        assert {who: money for who, *money in wallets} == purses
