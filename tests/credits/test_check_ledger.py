"""``check_ledger`` and ``check_generations`` find what the constraints would have refused."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import uuid
from collections.abc import Callable

import httpx
import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from credits import books, ledger
from credits.books import check_ledger
from credits.management.progress import Bar
from credits.models import BooksCheck
from events.models import Event
from generation import interventions, lifecycle
from generation.books import check_generations
from generation.models.states import State
from tests.support.bring_to import reached
from tests.support.people import Person, make_person

Api = Callable[..., httpx.Client]
ENTRY = "credits_ledgerentry"


@pytest.fixture
def tamper(admin_connection: psycopg.Connection) -> Callable[..., None]:
    """Runs a statement as nobody but a superuser can: without triggers and foreign keys."""

    def run(statement: str, *values: object) -> None:
        admin_connection.execute("SET session_replication_role = replica")
        try:
            assert admin_connection.execute(statement, values).rowcount == 1
        finally:
            admin_connection.execute("SET session_replication_role = DEFAULT")

    return run


def make_video(api: Api, person: Person) -> uuid.UUID:
    answer = api(person.key).post("/api/v1/generate/video/", json={"prompt": "a red fox"})
    return uuid.UUID(answer.json()["data"]["generation_id"])


def problems(person: Person) -> list[str]:
    found = check_ledger().differences + check_generations().differences
    assert {difference.account for difference in found} <= {person.account.pk}
    return [difference.problem for difference in found]


def call(name: str, *arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command(name, *arguments, stdout=out)
    except SystemExit as error:
        return int(str(error.code)), out.getvalue()
    return 0, out.getvalue()


def test_what_is_right_is_counted(api: Api, alice: Person, bob: Person):
    lifecycle.cancel(make_video(api, alice))
    make_video(api, alice)
    assert (alice.balance, problems(alice)) == (760, [])
    assert check_ledger().counts == {"wallets": 2, "entries": 5}
    assert check_generations().counts == {"generations": 2, "charges and refunds": 3}
    code, text = call("check_ledger")
    assert (code, text) == (0, "The ledger: 2 wallets, 5 entries: adds up\n")
    assert call("check_generations")[0] == 0


def test_a_run_is_a_row_that_says_so_to_operators():
    assert call("check_ledger")[0] == 0
    run = BooksCheck.objects.get()
    assert str(run) == f"check_ledger at {run.checked_at}: 0 differences"


def test_a_copy_that_takes_no_rows_is_checked_nevertheless(capsys: pytest.CaptureFixture[str]):
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        try:
            assert call("check_ledger") == (0, "The ledger: 0 wallets, 0 entries: adds up\n")
        finally:
            cursor.execute("SET default_transaction_read_only = off")
    assert "This run was not noted: cannot execute INSERT" in capsys.readouterr().err
    assert not BooksCheck.objects.exists()


def test_an_empty_ledger_adds_up():
    assert check_ledger().to_dict() == {"wallets": 0, "entries": 0, "differences": []}


def test_a_balance_that_is_not_the_sum(alice: Person, bob: Person, tamper: Callable[..., None]):
    tamper("UPDATE credits_wallet SET balance = 1001 WHERE account_id = %s", alice.account.pk)
    assert problems(alice) == ["the balance is 1001, the entries add up to 1000"]
    code, text = call("check_ledger", "--json")
    shown = json.loads(text)
    assert code == 1
    assert shown["wallets"] == 2
    assert [found["account"] for found in shown["differences"]] == [str(alice.account.pk)]
    code, text = call("check_ledger")
    assert code == 1
    assert text.splitlines()[0].startswith(f"account {alice.account.pk}: the balance is 1001")
    assert text.endswith("1 differences\n")


def test_an_entry_that_is_gone(alice: Person, tamper: Callable[..., None]):
    for amount in (10, 20):
        ledger.grant(alice.account.pk, amount, description="more")
    tamper(f"DELETE FROM {ENTRY} WHERE wallet_id = %s AND sequence = 2", alice.account.pk)
    found = problems(alice)
    assert "the sequence breaks off at number 2" in found
    assert "the balance after number 3 is wrong" in found
    assert "the balance is 1030, the entries add up to 1020" in found


def test_the_newest_entry_that_is_gone(alice: Person, tamper: Callable[..., None]):
    ledger.grant(alice.account.pk, 10, description="more")
    tamper(f"DELETE FROM {ENTRY} WHERE wallet_id = %s AND sequence = 2", alice.account.pk)
    assert "the wallet counts 2 entries, the newest is number 1" in problems(alice)


def test_a_refund_that_is_not_whole(api: Api, alice: Person, tamper: Callable[..., None]):
    generation_id = make_video(api, alice)
    lifecycle.cancel(generation_id)
    tamper(
        f"UPDATE {ENTRY} SET amount = 239, balance_after = 999 WHERE kind = 'refund'"
        " AND generation_id = %s",
        generation_id,
    )
    tamper("UPDATE credits_wallet SET balance = 999 WHERE account_id = %s", alice.account.pk)
    found = problems(alice)
    assert len(found) == 2
    assert found[0].endswith("it fits no charge")
    assert found[1] == f"generation {generation_id} is canceled, and not refunded whole"


def test_open_charges_that_are_not_open_generations(
    api: Api, alice: Person, tamper: Callable[..., None]
):
    make_video(api, alice)
    tamper("UPDATE credits_wallet SET open_charges = 3 WHERE account_id = %s", alice.account.pk)
    assert problems(alice) == ["3 charges are open, 1 generations are"]
    code, text = call("check_generations")
    assert code == 1
    assert "3 charges are open" in text


def test_a_charge_without_its_generation(api: Api, alice: Person, tamper: Callable[..., None]):
    generation_id = make_video(api, alice)
    charge = alice.entries[-1].pk
    lifecycle.cancel(generation_id)
    tamper("DELETE FROM generation_generation WHERE id = %s", generation_id)
    found = problems(alice)
    assert f"charge {charge} belongs to 0 generations" in found
    assert any("belongs to no generation that was not delivered" in text for text in found)


def granted(person: Person) -> uuid.UUID:
    """A retry that the house pays for, still open."""
    answer = interventions.order_again(
        reached(person, State.FAILED),
        actor=person.user,
        reason="sorry",
        paid_by="grant",
        token=uuid.uuid4(),
    )
    return answer.generation_id


def test_a_grant_that_did_not_go_back(alice: Person, tamper: Callable[..., None]) -> None:
    generation_id = granted(alice)
    lifecycle.cancel(generation_id)
    assert problems(alice) == []
    adjustment = alice.entries[-1].pk
    tamper(
        "UPDATE generation_generation SET adjustment_id = grant_id WHERE id = %s",
        generation_id,
    )
    assert problems(alice) == [
        f"generation {generation_id} is canceled, and its grant did not go back",
        f"adjustment {adjustment} is of no grant whose generation was not delivered",
    ]


def test_an_adjustment_that_is_not_its_grant(alice: Person, tamper: Callable[..., None]) -> None:
    generation_id = granted(alice)
    lifecycle.cancel(generation_id)
    adjustment = alice.entries[-1].pk
    tamper(
        f"UPDATE {ENTRY} SET amount = -241, balance_after = 999 WHERE id = %s",
        adjustment,
    )
    tamper("UPDATE credits_wallet SET balance = 999 WHERE account_id = %s", alice.account.pk)
    assert problems(alice) == [
        f"adjustment {adjustment} takes back what was not granted",
        f"generation {generation_id} is canceled, and its grant did not go back",
    ]


def test_a_grant_of_something_else(alice: Person, tamper: Callable[..., None]) -> None:
    generation_id = granted(alice)
    other = alice.entries[0].pk
    tamper(
        "UPDATE generation_generation SET grant_id = %s WHERE id = %s",
        other,
        generation_id,
    )
    assert problems(alice) == [f"generation {generation_id} was not paid for by grant {other}"]


def test_what_reversals_took_is_what_the_wallet_notes(
    alice: Person, tamper: Callable[..., None]
) -> None:
    ledger.reverse(alice.account.pk, 1500, reversal_id=uuid.uuid4(), description="d")
    assert problems(alice) == []
    tamper("UPDATE credits_wallet SET reversed = 1499 WHERE account_id = %s", alice.account.pk)
    assert problems(alice) == ["the wallet notes 1499 reversed, the entries add up to 1500"]


def test_a_reinstatement_that_no_reversal_explains(
    alice: Person, tamper: Callable[..., None]
) -> None:
    reversal = uuid.uuid4()
    ledger.reverse(alice.account.pk, 1500, reversal_id=reversal, description="d")
    ledger.reinstate(alice.account.pk, 1500, reversal_id=reversal, description="d")
    assert problems(alice) == []
    entry = alice.entries[-1].pk
    for change in ("reference = 'reversal:other'", "amount = 1501"):
        tamper(f"UPDATE {ENTRY} SET {change} WHERE id = %s", entry)
        assert f"entry {entry} reinstates what no reversal took" in problems(alice)
        tamper(f"UPDATE {ENTRY} SET reference = 'reversal:{reversal}' WHERE id = %s", entry)


def test_wallets_are_read_in_batches_and_none_is_left_out(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every wallet once, whatever the batches are; the last one says that all is read."""
    more = [make_person(f"person-{number}") for number in range(5)]
    for batch in (1, 3, 1000):
        monkeypatch.setattr(books, "BATCH", batch)
        told: list[tuple[int, int]] = []

        def tell(done: int, of: int, told: list[tuple[int, int]] = told) -> None:
            told.append((done, of))

        result = books.check_ledger(tell)
        assert result.counts == {"wallets": 2 + len(more), "entries": 2 + len(more)}
        assert told == sorted(told)
        assert told[-1][0] == told[-1][1]
        assert (len(told) > 2) == (batch < 1000)


def _all_of(terminal: int) -> str:
    """A terminal gives what was written in as many parts as it likes, and at its end an error."""
    parts = []
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 1000):
            parts.append(part)
    return b"".join(parts).decode()


def test_the_bar_is_for_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    Bar("entries")(5, 10)
    assert "entries" not in capsys.readouterr().err  # another test's thread may log there
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, contextlib.redirect_stderr(terminal):
        bar = Bar("entries")
        bar(5, 10)
        bar(10, 10)
    shown = _all_of(ours)
    os.close(ours)
    assert " 50% of 10 entries" in shown
    assert "[" + "#" * 30 + "] 100%" in shown


def test_ends_and_events_that_do_not_agree(alice: Person, tamper: Callable[..., None]) -> None:
    untold, other, kept = (reached(alice, State.CANCELED, model="image") for _ in range(3))
    tamper("DELETE FROM events_event WHERE generation_id = %s", untold.pk)
    assert problems(alice) == []  # the release before may have ended it
    tamper(
        "UPDATE django_migrations SET applied = applied - interval '2 days'"
        " WHERE app = 'events' AND name = '0001_initial'"
    )
    try:
        assert problems(alice) == [f"generation {untold.pk} is canceled, and no event tells of it"]
        event = Event.objects.get(generation_id=other.pk)
        tamper("UPDATE events_event SET type = 'generation.failed' WHERE id = %s", event.pk)
        assert sorted(problems(alice)) == sorted(
            [
                f"generation {untold.pk} is canceled, and no event tells of it",
                f"generation {other.pk} is canceled, and no event tells of it",
                f"event {event.pk} tells of no generation that ended so",
            ]
        )
        for pk in (untold.pk, other.pk):  # so long ago that retention has taken the event
            old = "UPDATE generation_generation SET finished_at = now() - interval '31 days'"
            tamper(f"{old} WHERE id = %s", pk)
        assert problems(alice) == [f"event {event.pk} tells of no generation that ended so"]
        assert Event.objects.filter(generation_id=kept.pk).exists()
    finally:
        tamper(
            "UPDATE django_migrations SET applied = applied + interval '2 days'"
            " WHERE app = 'events' AND name = '0001_initial'"
        )
