"""The SQL that writes money: for ``credits/ledger.py``, and ``CHARGE`` for a create.

No other module may import this one; a contract of ``pyproject.toml`` holds that.
"""

from __future__ import annotations

# Parts of the statement by which ``generation/creation.py`` charges and creates at once: `paid` is
# empty when the wallet refuses, and then nothing that selects from `entry` writes anything either.
# Parameters: account, price, charge, generation, description, created_by, open_limit, refund_lead;
# {when} is empty or another condition. A charge may wait for the wallet's lock, and the account may
# be suspended meanwhile. So the wallet is locked first, and only then the account is read, with a
# lock: that reads its newest row; a condition in the UPDATE would see the one of before the wait.
CHARGE = """
    wallet AS (
        SELECT account_id FROM credits_wallet WHERE account_id = %(account)s::uuid FOR UPDATE
    ), caller AS (
        SELECT account.id FROM wallet
          JOIN accounts_account account ON account.id = wallet.account_id
         WHERE account.suspended_at IS NULL{when} FOR SHARE OF account
    ), paid AS (
        UPDATE credits_wallet
           SET balance = balance - %(price)s::int, sequence = sequence + 1,
               open_charges = open_charges + 1
          FROM caller
         WHERE account_id = caller.id AND balance >= %(price)s::int
           AND open_charges < COALESCE(max_open_charges, %(open_limit)s::int)
           AND (refunds_until IS NULL
                OR refunds_until <= now() + %(refund_lead)s::float8 * interval '1 second')
        RETURNING account_id, sequence, balance
    ), entry AS (
        INSERT INTO credits_ledgerentry (id, wallet_id, sequence, kind, amount, balance_after,
                                         generation_id, description, created_by_id, created_at)
        SELECT %(charge)s::uuid, account_id, sequence, 'charge', -%(price)s::int, balance,
               %(generation)s::uuid, %(description)s::varchar, %(created_by)s::uuid, now()
          FROM paid
        RETURNING id, wallet_id, balance_after
    )
"""

REFUND = """
WITH charge AS (
    SELECT id, wallet_id, amount, generation_id FROM credits_ledgerentry
     WHERE id = %(charge)s AND kind = 'charge'
), paid AS (
    UPDATE credits_wallet w
       SET balance = w.balance - charge.amount, sequence = w.sequence + 1,
           open_charges = w.open_charges - 1,
           refunds_until = GREATEST(w.refunds_until, now())
                           + %(refund_step)s::float8 * interval '1 second'
      FROM charge WHERE w.account_id = charge.wallet_id
    RETURNING w.account_id, w.sequence, w.balance
)
INSERT INTO credits_ledgerentry (id, wallet_id, sequence, kind, amount, balance_after,
                                 generation_id, reverses, description, created_at)
SELECT %(id)s, paid.account_id, paid.sequence, 'refund', -charge.amount, paid.balance,
       charge.generation_id, charge.id, %(description)s, now()
  FROM paid, charge
"""

# The grant's amount, by its own author: there is nothing to get wrong here, either. Behind a refund
# it leaves the balance where it was before both, which may be below 0 after a reversal.
TAKE_BACK = """
WITH given AS (
    SELECT id, wallet_id, amount, created_by_id FROM credits_ledgerentry
     WHERE id = %(grant)s AND kind = 'grant'
), paid AS (
    UPDATE credits_wallet w SET balance = w.balance - given.amount, sequence = w.sequence + 1
      FROM given WHERE w.account_id = given.wallet_id
    RETURNING w.account_id, w.sequence, w.balance
)
INSERT INTO credits_ledgerentry (id, wallet_id, sequence, kind, amount, balance_after, reference,
                                 generation_id, description, created_by_id, created_at)
SELECT %(id)s, paid.account_id, paid.sequence, 'adjustment', -given.amount, paid.balance,
       'taken-back-' || given.id, %(generation)s, %(description)s, given.created_by_id, now()
  FROM paid, given
"""

# All entries but charges, their refunds and grants that are taken back. Only an adjustment asks
# where the balance ends: a purchase of 500 lifts one of -760 to -260. A reinstatement needs the
# reversal of its reference, in the same wallet, and gives no more than that took.
POST = """
WITH paid AS (
    UPDATE credits_wallet
       SET balance = balance + %(amount)s::bigint, sequence = sequence + 1,
           reversed = reversed + %(reversed)s::bigint
     WHERE account_id = %(account)s
       AND (%(kind)s <> 'adjustment' OR balance + %(amount)s::bigint >= 0)
       AND (%(kind)s <> 'reinstated' OR EXISTS (
            SELECT FROM credits_ledgerentry taken
             WHERE taken.kind = 'reversal' AND taken.reference = %(reference)s::varchar
               AND taken.wallet_id = account_id AND -taken.amount >= %(amount)s::bigint))
    RETURNING account_id, sequence, balance
)
INSERT INTO credits_ledgerentry (id, wallet_id, sequence, kind, amount, balance_after, reference,
                                 description, created_by_id, created_at)
SELECT %(id)s, account_id, sequence, %(kind)s, %(amount)s::bigint, balance, %(reference)s,
       %(description)s, %(created_by)s, now()
  FROM paid
RETURNING balance_after
"""

SETTLE = "UPDATE credits_wallet SET open_charges = open_charges - 1 WHERE account_id = %s"
