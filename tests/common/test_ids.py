"""New ids lie in the order in which they were made, and tell nothing else."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta

from common import ids


def test_a_new_id_is_of_version_7_and_says_when() -> None:
    began = time.time_ns() // 1_000_000
    new = ids.new()
    ended = time.time_ns() // 1_000_000
    assert (new.version, new.variant) == (7, uuid.RFC_4122)
    assert began <= new.int >> 80 <= ended


def test_later_ids_are_greater_within_a_millisecond_too() -> None:
    made = []
    for _ in range(200):
        made.append(ids.new())
        time.sleep(1e-6)  # longer than the fraction's step of 244 ns
    assert made == sorted(made)


def test_no_two_are_the_same() -> None:
    many = {ids.new() for _ in range(20_000)}
    assert len(many) == 20_000
    # 62 random bits: of the 64 lower ones only the variant is fixed
    lower = [new.int & (1 << 62) - 1 for new in many]
    assert all(0.4 < sum(number >> bit & 1 for number in lower) / 20_000 < 0.6 for bit in range(62))


def test_the_short_forms_of_one_minutes_ids_differ() -> None:
    many = [ids.new() for _ in range(100)]
    assert len({str(new)[:8] for new in many}) <= 2
    assert len({ids.short(new) for new in many}) == 100
    assert ids.short(many[0]) == many[0].hex[-8:]


def test_an_id_says_when_it_was_made_and_no_other_kind_does() -> None:
    new, now = ids.new(), datetime.now(UTC)
    made = ids.made_at(new)
    assert made is not None
    assert abs(now - made) < timedelta(seconds=5)
    assert ids.made_at(uuid.uuid4()) is None
    assert ids.made_at(uuid.UUID(int=0)) is None
    last = (1 << 48) - 1 << 80 | 7 << 76 | 2 << 62  # a year that Python does not have
    assert ids.made_at(uuid.UUID(int=last)) is None


def test_the_least_id_of_a_moment_lies_between_those_before_and_after() -> None:
    before = ids.new()
    time.sleep(0.002)
    least = ids.least_of(datetime.now(UTC))
    assert before < least < ids.new()
