"""The rows of a benchmark could have been written by the product."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest

from credits.books import check_ledger
from dev.benchmarks import customers, probes
from dev.benchmarks.bulk import CONSTRAINTS, INDEXES
from dev.benchmarks.failure import BenchmarkFailed
from dev.benchmarks.seed import TABLES, check_space, seed
from generation.books import check_generations
from generation.models import CatalogModel, Generation

ACCOUNTS = 2
EACH = 31  # the 11th and the 31st failed: here the newest of an account is one of them
OPEN_EACH = {31: 2, 30: 3}  # of the newest three those that did not fail


@pytest.fixture
def owner() -> Iterator[psycopg.Connection]:
    """What the migrations ran as."""
    with psycopg.connect(os.environ["TEST_ADMIN_URL"], autocommit=True) as connection:
        connection.execute("SET ROLE reelmint_owner")
        yield connection


def definitions(connection: psycopg.Connection) -> list[tuple[str, ...]]:
    """Every key, constraint and index that the tables have."""
    found = [connection.execute(query, {"tables": TABLES}) for query in (CONSTRAINTS, INDEXES)]
    return sorted(row for cursor in found for row in cursor.fetchall())


@pytest.mark.parametrize("each", [EACH, EACH - 1])
def test_what_is_seeded_adds_up_and_every_constraint_is_back(
    owner: psycopg.Connection, each: int
) -> None:
    before = definitions(owner)
    made = customers.make(owner, ACCOUNTS + 1)
    assert seed(owner, made, ACCOUNTS * each, ACCOUNTS) == ACCOUNTS * each
    ledger, generations = check_ledger(), check_generations()
    assert (ledger.differences, generations.differences) == ([], [])
    failed = Generation.objects.filter(state="failed").count()
    assert failed == ACCOUNTS * (2 if each == EACH else 1)
    assert ledger.counts["entries"] == ACCOUNTS + 1 + ACCOUNTS * each + failed
    open_rows = Generation.objects.filter(next_attempt_at__isnull=False)
    assert sorted(open_rows.values_list("state", flat=True)) == sorted(
        ["queued", "running"] * OPEN_EACH[each]
    )
    assert definitions(owner) == before
    assert before


def test_what_a_constraint_refuses_leaves_nothing_behind(owner: psycopg.Connection) -> None:
    before = definitions(owner)
    made = customers.make(owner, 1)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        seed(owner, made, 2, 2)  # the second account does not exist
    assert definitions(owner) == before
    assert not Generation.objects.exists()


def test_claims_of_seeded_rows_are_of_whole_batches_and_leave_nothing(
    owner: psycopg.Connection,
) -> None:
    seed(owner, customers.make(owner, ACCOUNTS), ACCOUNTS * 300, ACCOUNTS)
    with pytest.raises(ValueError, match="of 20 queued rows were claimed"):
        probes.claims(1)  # more than the model's quota lets through
    CatalogModel.objects.update(submits_per_minute=1_000_000)
    assert min(probes.claims(2).values()) > 0
    assert not Generation.objects.exclude(lease_token=None).exists()
    assert probes.ledger()["entries"] == ACCOUNTS + ACCOUNTS * (300 + 15)


def test_a_disk_that_is_too_small_is_noticed(tmp_path: object) -> None:
    check_space(tmp_path, 1)  # type: ignore[arg-type]
    with pytest.raises(BenchmarkFailed, match="3500002 GB"):
        check_space(tmp_path, 10**12)  # type: ignore[arg-type]
