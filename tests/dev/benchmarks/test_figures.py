"""What wrk and pgbench say is read right or not at all; ratios are of the same round."""

from __future__ import annotations

import json

import pytest

from dev.benchmarks import pgbench, wrk
from dev.benchmarks.__main__ import COMMANDS, arguments
from dev.benchmarks.failure import BenchmarkFailed
from dev.benchmarks.figures import Measured, Rounds, last_line, percentile
from dev.benchmarks.growth import ratios
from dev.benchmarks.report import FIGURES, create_figures, history_figures, status_figures
from generation.creation import CREATE

WRK = {"requests": 500, "microseconds": 2_000_000, "bytes": 9, "refused": 0, "broken": 0}
WRK |= {"p50_us": 1500, "p99_us": 25_000}
PGBENCH = """number of transactions actually processed: 8123
number of failed transactions: 0 (0.000%)
latency average = 7.4 ms
initial connection time = 12.1 ms
tps = 2150.526400 (without initial connection time)
"""


def test_wrk_s_last_line_is_read() -> None:
    answered = wrk.parse("Running 2s test\n  Requests/sec: 1\n" + json.dumps(WRK) + "\n")
    assert (answered.per_second, answered.p50_ms, answered.p99_ms) == (250, 1.5, 25)


@pytest.mark.parametrize("change", [{"refused": 1}, {"broken": 1}, {"requests": 0}])
def test_a_load_that_was_not_answered_is_no_figure(change: dict[str, int]) -> None:
    with pytest.raises(BenchmarkFailed, match="Not every request"):
        wrk.parse(json.dumps(WRK | change))


def test_a_wrk_that_says_nothing_is_no_figure() -> None:
    with pytest.raises(BenchmarkFailed, match="did not say"):
        wrk.parse("unable to connect\n")


def test_pgbench_is_read_unless_something_failed() -> None:
    assert pgbench.parse(PGBENCH) == 2150.5264
    for output in (PGBENCH.replace("transactions: 0", "transactions: 3"), "pgbench: error\n"):
        with pytest.raises(BenchmarkFailed):
            pgbench.parse(output)


def test_pgbench_sends_the_statement_that_a_create_sends() -> None:
    statement = CREATE.sql
    script = pgbench.script_of(statement, "tag", 1000)
    assert script.startswith("\\set customer random(0, 999)\n")
    assert "%(" not in script
    # what is left when the values are taken out of both is the same
    begin, end = statement.index("WITH"), statement.index("%(")
    assert (
        script.partition("\n\n")[0].splitlines()[2].startswith(statement[begin:end].split("\n")[0])
    )
    assert script.count("INSERT INTO") == statement.count("INSERT INTO")


def test_a_parameter_that_pgbench_does_not_know_is_named() -> None:
    with pytest.raises(BenchmarkFailed, match="does not know colour"):
        pgbench.script_of("SELECT %(colour)s", "tag", 1)


def rounds_of(**rates: list[float]) -> Rounds:
    rounds = Rounds()
    for name, values in rates.items():
        for value in values:
            rounds.add(name, Measured(value, cpu_ms=1000 / value))
    return rounds


def test_a_ratio_compares_within_rounds() -> None:
    rounds = rounds_of(ours=[100, 900, 300], theirs=[100, 50, 10])
    assert rounds.ratio("ours", "theirs") == 18  # of 1, 18 and 30
    assert "ours" in (table := rounds.table())
    assert "(100-900)" in table


def test_what_was_not_measured_has_no_ratio() -> None:
    with pytest.raises(BenchmarkFailed, match="theirs was not measured"):
        rounds_of(ours=[1]).ratio("ours", "theirs")


def test_percentiles() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert [percentile(values, share) for share in (0.5, 0.99, 1.0)] == [50, 99, 100]
    assert percentile([7.0], 0.99) == 7
    with pytest.raises(BenchmarkFailed):
        percentile([], 0.5)


def test_growth_is_how_many_times_longer_the_larger_one_takes() -> None:
    rounds = Rounds()
    rates = {"create": 1, "status": 1, "transactions": 1, "history, first page": 2}
    rates |= {"history, offset 9,900": 3}
    for name, times in rates.items():
        rounds.add(f"{name} of 10,000", Measured(300.0))
        rounds.add(f"{name} of 1,000,000", Measured(300.0 / times))
    for kind in ("submit", "poll"):
        rounds.add(f"claim, {kind} of 1,000,000", Measured(500.0, p50_ms=2.0))
        rounds.add(f"claim, {kind} statement of 1,000,000", Measured(1000.0, p50_ms=1.0))
    found = ratios(rounds, 1_000_000)
    assert found["growth"] == {name: float(times) for name, times in rates.items()}
    assert (found["history_10m_vs_10k"], found["claim_poll_ms"]) == (3, 2)
    assert found["claim_submit_statement_ms"] == 1


def test_every_figure_of_the_report_is_in_the_last_line() -> None:
    rounds = Rounds()
    for name in ("create", "create, textbook", "create, pgbench", "create, one wallet"):
        rounds.add(name, Measured(200.0, 1.0, 2.0, 3.0, 4.0))
    for name in ("create, open loop at half", "empty DRF view", "history, first page"):
        rounds.add(name, Measured(100.0, 1.0, 2.0, 3.0, 4.0))
    for form in ("", ", not modified"):
        for name in ("processing", "completed"):
            rounds.add(f"status, {name}{form}", Measured(50.0, 1.0, 2.0, 3.0, 4.0))
    told = create_figures(rounds) | status_figures(rounds) | history_figures(rounds)
    assert told.keys() <= set(FIGURES)
    assert (told["create_vs_textbook"], told["status_vs_floor"]) == (1, 0.5)
    assert json.loads(last_line({"a": 1 / 3, "b": {"c": 2 / 3}})) == {"a": 0.333, "b": {"c": 0.667}}


def test_every_command_can_be_named_and_all_is_the_default() -> None:
    assert arguments([]).what == "all"
    assert [arguments([name]).what for name in COMMANDS] == list(COMMANDS)
