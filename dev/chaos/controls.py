"""Control runs: the same fire with one guard removed. The driver has to notice, or it is blind."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import httpx
import psycopg

from dev.chaos import money, told
from dev.chaos.fleet import Fleet
from dev.chaos.hooks import Hooks
from dev.chaos.invariants import asked_of_rows
from dev.chaos.judge import bought

# What is left out in the workers of a control run, see the modules.
MODULES = {
    "naive-resubmit": "dev.chaos.without_doubt",
    "no-refund-guard": "dev.chaos.without_guard",
    "no-look-at-payment-status": "dev.chaos.without_status",
    "told-in-the-transaction": "dev.chaos.without_outbox",
    "told-from-memory": "dev.chaos.without_row",
    "silence-is-success": "dev.chaos.without_answer",
    "new-id-each-time": "dev.chaos.without_id",
}
# The database would refuse the second refund, whatever the code does; so it has to look away.
LOOK_AWAY = (
    "DROP INDEX ledger_charge_refunded_once",
    "ALTER TABLE credits_wallet DROP CONSTRAINT wallet_open_charges_not_negative",
)


REFUNDED = "I3 failed or canceled: exactly one refund"


def paid_twice(fleet: Fleet) -> str | None:
    """What the provider bills, as the verdict of a run asks it."""
    return bought(f"{fleet.stack.emulator_url}").overspent


def refunded_twice(fleet: Fleet) -> str | None:
    """The invariant of the rows, as the verdict of a run asks it."""
    try:
        with psycopg.connect(fleet.stack.owner_url) as connection:
            found = {each.sentence: each.problem for each in asked_of_rows(connection)}
    except psycopg.OperationalError:
        return None  # the database is being restarted
    return found[REFUNDED]


def credited_for_nothing(fleet: Fleet) -> str | None:
    """The invariant of payments, as the verdict of a run asks it."""
    try:
        with closing(fleet.stripe_page()) as stripe:
            till = money.look(fleet.stack.owner_url, stripe)
    except psycopg.OperationalError:
        return None  # the database is being restarted
    found = {each.sentence: each.problem for each in money.findings(till, {})}
    return found[money.TOOK]


def told_wrongly(*sentences: str) -> Callable[[Fleet], str | None]:
    """The first of these rules about webhooks that is broken, as the verdict of a run asks it."""

    def look(fleet: Fleet) -> str | None:
        try:
            with closing(Hooks(fleet.receiver_url)) as hooks:
                found = told.meanwhile(fleet.stack.owner_url, hooks)
        except (psycopg.OperationalError, httpx.TransportError):
            return None  # database or receiver are being restarted
        broken = (each.problem for each in found if each.sentence in sentences)
        return next(filter(None, broken), None)

    return look


# What notices that it is missing.
LOOKS: dict[str, Callable[[Fleet], str | None]] = {
    "naive-resubmit": paid_twice,
    "no-refund-guard": refunded_twice,
    "no-look-at-payment-status": credited_for_nothing,
    "told-in-the-transaction": told_wrongly(told.COMMITTED, told.KNOWN),
    "told-from-memory": told_wrongly(told.ONE_EACH),
    "silence-is-success": told_wrongly(told.TAKEN),
    "new-id-each-time": told_wrongly(told.KNOWN),
}


def prepare(control: str, owner_url: str) -> None:
    """Take out of the database what would cover for the missing guard."""
    if control == "no-refund-guard":
        with psycopg.connect(owner_url, autocommit=True) as connection:
            for statement in LOOK_AWAY:
                connection.execute(statement.encode())
