"""Settings by which nobody would get what is offered."""

from __future__ import annotations

import pytest

from signup.checks import check_trial


@pytest.mark.parametrize(
    ("each", "in_all", "found"),
    [(0, 0, []), (300, 300, []), (301, 300, ["reelmint.W034"]), (300, 0, ["reelmint.W034"])],
)
def test_a_day_has_room_for_one(each: int, in_all: int, found: list[str], settings) -> None:
    settings.SIGNUP_CREDITS, settings.TRIAL_CREDITS_PER_DAY = each, in_all
    assert [message.id for message in check_trial()] == found
