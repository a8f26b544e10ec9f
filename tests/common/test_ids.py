"""New ids lie in the order in which they were made, and tell nothing else."""

from __future__ import annotations

import time
import uuid

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
