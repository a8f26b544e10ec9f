"""What a control run takes out of the database is there to be taken out."""

from __future__ import annotations

import os

import psycopg
import pytest

from dev.chaos.controls import LOOK_AWAY


@pytest.mark.parametrize("statement", LOOK_AWAY)
def test_the_guard_that_is_taken_out_is_in_the_database(statement: str) -> None:
    with psycopg.connect(os.environ["TEST_ADMIN_URL"]) as owner:
        owner.execute("SET ROLE reelmint_owner")
        owner.execute(statement.encode())
        owner.rollback()
