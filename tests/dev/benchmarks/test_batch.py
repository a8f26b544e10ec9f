"""What a batch of orders cost is divided by its orders, and compared within its round."""

from __future__ import annotations

import pytest

from dev.benchmarks.batch import Batch, figures, ratios, table


def ours(poll: float = 1.0, orders: int = 100, seconds: float = 4.0) -> Batch:
    return Batch(orders, seconds, 900, {"poll": poll, "postgres": 0.5, "emulator": 9.0})


def textbook(worker: float, seconds: float = 10.0) -> Batch:
    return Batch(100, seconds, 500, {"textbook-worker": worker, "postgres": 0.5, "emulator": 4.0})


def test_a_batch_is_told_for_each_of_its_generations() -> None:
    batch = ours()
    assert (batch.per_second, batch.polls_each) == (25, 9)
    assert batch.by_program() == {"poll": 10, "postgres": 5, "emulator": 90}
    assert batch.cpu_ms == 15  # the provider's is not ours


def test_a_ratio_is_of_the_same_round_and_above_one_where_ours_costs_less() -> None:
    rounds = [(ours(1.0), textbook(4.0)), (ours(9.5), textbook(9.5)), (ours(0.5), textbook(7.5))]
    assert ratios(rounds) == [1, 3, 8]  # of 45/15, 100/100 and 80/10


def test_the_rates_are_of_floods_and_the_costs_of_paced_batches() -> None:
    floods = [(ours(seconds=2.0), textbook(1.0, seconds=20.0))]
    paced = [(ours(), textbook(7.0)), (ours(2.0), textbook(9.5)), (ours(), textbook(7.0))]
    told = figures(floods, paced)
    assert (told["pipeline_per_s"], told["pipeline_textbook_per_s"]) == (50, 5)
    assert (told["pipeline_cpu_ms"], told["pipeline_textbook_cpu_ms"]) == (15, 75)
    assert (told["pipeline_vs_textbook"], told["pipeline_flood_vs_textbook"]) == (5, 1)
    assert told["pipeline_cpu_ms_by"] == {"poll": 10, "postgres": 5, "emulator": 90}
    assert told["pipeline_textbook_polls"] == 5


def test_the_table_has_a_line_for_each_program_of_either() -> None:
    lines = table("all at once", [(ours(), textbook(7.0))]).splitlines()
    cells = {line[:34].strip(): line[34:].split() for line in lines}
    assert cells["completed a second"] == ["25.00", "10.00"]
    assert cells["poll"] == ["10.00"]
    assert cells["textbook-worker"] == ["70.00"]
    assert cells["emulator (not in the sum)"] == ["90.00", "40.00"]
    assert cells["generations a CPU second, ratio"][0] == "5.00"


def test_no_round_is_no_figure() -> None:
    with pytest.raises(ValueError, match="no median"):
        figures([], [])
