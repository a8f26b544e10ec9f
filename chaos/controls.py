"""Control runs: the same fire with one guard removed. The driver has to notice, or it is blind."""

from __future__ import annotations

import psycopg

# What is left out in the workers of a control run, see the modules.
MODULES = {
    "naive-resubmit": "chaos.without_doubt",
    "no-refund-guard": "chaos.without_guard",
}
# Words of the violation that each of them has to end with.
CAUGHT_BY = {"naive-resubmit": "paid twice", "no-refund-guard": "exactly one refund"}

# The database would refuse the second refund, whatever the code does; so it has to look away.
LOOK_AWAY = (
    "ALTER TABLE credits_ledgerentry DROP CONSTRAINT ledger_charge_refunded_once",
    "ALTER TABLE credits_wallet DROP CONSTRAINT wallet_open_charges_not_negative",
)


def prepare(control: str, owner_url: str) -> None:
    """Take out of the database what would cover for the missing guard."""
    if control == "no-refund-guard":
        with psycopg.connect(owner_url, autocommit=True) as connection:
            for statement in LOOK_AWAY:
                connection.execute(statement.encode())
