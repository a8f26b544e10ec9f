"""A fault met in one connection ends this one alone."""

from __future__ import annotations

import logging

import pytest

from common.web.alone import alone


class Loop:
    log = logging.getLogger("tests")

    def __init__(self) -> None:
        self.dropped: list[str] = []

    def drop(self, connection: str) -> None:
        self.dropped.append(connection)

    @alone
    def step(self, connection: str, what: BaseException | None) -> None:
        if what is not None:
            raise what


def test_a_fault_drops_its_connection_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    loop = Loop()
    loop.step("good", None)
    loop.step("bad", AttributeError("headers"))
    loop.step("gone", OSError("of a closed socket"))
    assert loop.dropped == ["bad", "gone"]
    assert "a fault in step" in caplog.text


def test_an_end_of_the_process_is_none() -> None:
    loop = Loop()
    with pytest.raises(SystemExit):
        loop.step("any", SystemExit())
    assert loop.dropped == []
