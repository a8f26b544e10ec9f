"""The ledger's verbs on a real database."""

from tests.people import Person


def test_a_grant_raises_the_balance_and_leaves_an_entry(alice: Person) -> None:
    assert alice.balance == 1000
    assert [entry.amount for entry in alice.entries] == [1000]
