"""Every rule of the database is broken by some test."""

from __future__ import annotations

import re

from django.db import connection

from tests.credits import test_constraints as money
from tests.events import test_constraints as log
from tests.generation import test_constraints as work
from tests.mail import test_constraints as mails
from tests.payments import test_constraints as payments
from tests.signup import test_constraints as joining
from tests.staff import test_audit as audit
from tests.support.packages import with_migrations

# Names that Django makes up (primary keys, foreign keys, its own many-to-many tables).
GENERATED = re.compile(r"_pkey$|_[0-9a-f]{8}_(fk_|uniq$)")
OURS = f"'^({'|'.join(with_migrations())})_'"
RULES = f"""
    SELECT conname FROM pg_constraint
     WHERE conrelid::regclass::text ~ {OURS} AND contype <> 'n'
    UNION
    SELECT tgname FROM pg_trigger
     WHERE tgrelid::regclass::text ~ {OURS} AND NOT tgisinternal
    UNION
    SELECT indexrelid::regclass::text FROM pg_index
     WHERE indrelid::regclass::text ~ {OURS} AND indisunique
"""


def test_no_rule_is_without_its_breach() -> None:
    """A new constraint, unique index or trigger needs a line in one of the lists."""
    with connection.cursor() as cursor:
        cursor.execute(RULES)
        rules = {name for (name,) in cursor.fetchall() if not GENERATED.search(name)}
    rest = (joining.BREACHES, audit.BREACHES, log.BREACHES, mails.BREACHES)
    lists = (money.BREACHES, work.BREACHES, payments.BREACHES, *rest)
    assert rules == {breach.rule for breaches in lists for breach in breaches}
