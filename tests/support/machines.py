"""How the model-based tests run: one small, repeatable profile and a big one.

``make test`` takes the same examples every time, so that a red run is red for everybody.
``HYPOTHESIS_PROFILE=nightly`` looks at 5,000 new ones of up to 50 steps. A failure prints the
shortest sequence of steps that shows it, and the ``@reproduce_failure`` blob that repeats it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import IntegrityError
from hypothesis import HealthCheck, settings

EVERY_TIME = settings(
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
NIGHTLY = settings(
    EVERY_TIME, derandomize=False, max_examples=5_000, stateful_step_count=50
)  # its seed is printed, too


def profile(max_examples: int, steps: int) -> settings:
    """So many examples of so many steps, unless the environment names a bigger profile."""
    named = os.environ.get("HYPOTHESIS_PROFILE", "")
    if named == "nightly":
        return NIGHTLY
    assert not named, f"HYPOTHESIS_PROFILE={named} is not known"
    return settings(EVERY_TIME, max_examples=max_examples, stateful_step_count=steps)


@contextmanager
def refused_by(rule: str) -> Iterator[None]:
    """The database itself must refuse what happens inside, by this rule and no other."""
    with pytest.raises(IntegrityError) as caught:
        yield
    cause = caught.value.__cause__
    assert isinstance(cause, psycopg.Error)
    assert cause.diag.constraint_name == rule


def start_over(owner: psycopg.Connection, *tables: str) -> None:
    """Empty ``tables`` between two examples, wallets included, as only a superuser can."""
    owner.execute(
        "SET session_replication_role = replica;"
        + "".join(f"DELETE FROM {table};" for table in tables)
        + "UPDATE credits_wallet SET balance = 0, sequence = 0, open_charges = 0, reversed = 0;"
        + "SET session_replication_role = DEFAULT;"
    )
