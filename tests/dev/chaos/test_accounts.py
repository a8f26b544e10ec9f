"""The lab's customers are given credits as by an operator, and the books still balance."""

from __future__ import annotations

import os

from django.core.management import call_command

from dev.chaos.accounts import PLENTY, endow
from tests.support.people import Person, make_person


def test_who_never_had_credits_is_endowed_once(alice: Person) -> None:
    newcomers = [make_person(f"n{n}", balance=0) for n in range(2)]
    for _ in range(2):
        endow(os.environ["TEST_ADMIN_URL"])
    for each in newcomers:
        assert each.balance == PLENTY
        assert [(entry.kind, entry.sequence) for entry in each.entries] == [("grant", 1)]
    assert alice.balance == 1000
    call_command("check_ledger", verbosity=0)
