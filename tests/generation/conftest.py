"""What holds after every test of generations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _sentences_and_flags_agree(request: pytest.FixtureRequest) -> Iterator[None]:
    """Of everything that failed in any test: it says "try again" if, and only if, it may be."""
    if "backends" in request.path.parts:  # no database
        yield
        return
    connection = request.getfixturevalue("admin_connection")
    yield
    told = connection.execute(
        "SELECT error_code, error_message, error_retryable FROM generation_generation"
        " WHERE state = 'failed' AND (error_message ILIKE '%try again%') <> error_retryable"
    )
    assert told.fetchall() == []
