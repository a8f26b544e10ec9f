"""The load keeps to what is finished, and the faults to what is done."""

from __future__ import annotations

import os

import psycopg
import pytest

from dev.chaos import pulse
from dev.chaos.pulse import Pulse


@pytest.fixture
def heart() -> Pulse:
    return Pulse(os.environ["TEST_ADMIN_URL"])


def test_it_counts_and_does_not_ask_too_often(heart: Pulse) -> None:
    assert heart.look()
    nothing = "0 open, 0 completed, 0 refunded; 0 payments under way, 0 paid"
    assert str(heart) == f"{nothing}; 0 webhooks to send, 0 taken"
    assert not heart.look()
    assert heart.look(now=True)
    heart.close()


def test_no_more_may_be_open_than_is_finished_in_time(
    heart: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert heart.places == pulse.LEAST_OPEN
    heart._ends.extend([(1.0, 100), (9.0, 160)])
    heart.open = 20
    assert heart.places == 60 - 20
    heart._ends.append((12.0, 1000))
    assert heart.places == pulse.MOST_OPEN - 20


def test_a_database_that_is_away_is_no_answer() -> None:
    heart = Pulse("postgresql://127.0.0.1:9/none")
    assert not heart.look()
    heart._url = os.environ["TEST_ADMIN_URL"]
    assert heart.look(now=True)
    heart.close()


def test_a_session_that_was_cut_is_made_anew(heart: Pulse) -> None:
    heart.look()
    assert heart._connection is not None
    with psycopg.connect(os.environ["TEST_ADMIN_URL"]) as other:
        query = "SELECT pg_terminate_backend(%s)"
        other.execute(query, [heart._connection.info.backend_pid])
    assert not heart.look(now=True)
    assert heart.look(now=True)
    heart.close()
