"""Answers that may be a little old."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from common.fresh import Fresh

PATIENCE = 10


class Slow:
    """A question whose next answers come when the test says so."""

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Semaphore(0), threading.Event()
        self.count = 0
        self.may_answer.set()

    def __call__(self) -> int:
        self.count += 1
        answer = self.count
        self.asked.release()
        assert self.may_answer.wait(PATIENCE)
        return answer


def test_an_answer_holds_for_its_time() -> None:
    answers = iter(range(9))
    fresh = Fresh(60.0, lambda: next(answers))
    assert [fresh(), fresh()] == [0, 0]
    fresh.seconds = 0.0
    assert [fresh(), fresh()] == [1, 2]


def test_each_key_has_an_answer_of_its_own() -> None:
    asked: list[tuple[str, int]] = []

    def ask(name: str, number: int) -> str:
        asked.append((name, number))
        return name * number

    fresh = Fresh(60.0, ask)
    assert [fresh("a", 2), fresh("b", 1), fresh("a", 2)] == ["aa", "b", "aa"]
    assert asked == [("a", 2), ("b", 1)]


def test_clear_all_forgets_every_answer() -> None:
    one, other = Fresh(60.0, time.monotonic), Fresh(60.0, time.monotonic)
    before = one(), other()
    Fresh.clear_all()
    assert (one() != before[0], other() != before[1]) == (True, True)


def test_others_get_the_old_answer_while_one_asks() -> None:
    slow = Slow()
    fresh = Fresh(0.0, slow, grace=PATIENCE)
    assert fresh() == 1
    slow.may_answer.clear()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(fresh)
        assert slow.asked.acquire(timeout=PATIENCE)
        assert slow.asked.acquire(timeout=PATIENCE)
        assert fresh() == 1
        slow.may_answer.set()
        assert asking.result(PATIENCE) == 2


def test_an_answer_that_is_too_old_is_given_to_nobody() -> None:
    """A process that idled for hours must not sell at the price of then."""
    slow = Slow()
    fresh = Fresh(0.0, slow, grace=0.0)
    assert (fresh(), slow.asked.acquire(timeout=PATIENCE)) == (1, True)
    slow.may_answer.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(fresh)
        assert slow.asked.acquire(timeout=PATIENCE)
        second = pool.submit(fresh)
        assert slow.asked.acquire(timeout=PATIENCE), "it asks as well, and waits for nobody"
        slow.may_answer.set()
        assert {first.result(PATIENCE), second.result(PATIENCE)} == {2, 3}


def test_without_an_old_answer_the_others_wait_for_the_one_who_asks() -> None:
    slow = Slow()
    fresh = Fresh(60.0, slow)
    slow.may_answer.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(fresh)
        assert slow.asked.acquire(timeout=PATIENCE)
        second = pool.submit(fresh)
        time.sleep(0.05)
        assert not second.done()
        slow.may_answer.set()
        assert first.result(PATIENCE) == second.result(PATIENCE) == 1


def test_where_an_old_answer_is_worth_nothing_the_others_wait() -> None:
    slow = Slow()
    fresh = Fresh(0.0, slow, others_wait=True)
    assert (fresh(), slow.asked.acquire(timeout=PATIENCE)) == (1, True)
    slow.may_answer.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(fresh)
        assert slow.asked.acquire(timeout=PATIENCE)
        second = pool.submit(fresh)
        time.sleep(0.05)
        assert not second.done()
        slow.may_answer.set()
        assert (first.result(PATIENCE), second.result(PATIENCE)) == (2, 3)


def test_who_fails_leaves_the_question_to_the_next() -> None:
    answers = iter([ZeroDivisionError, None])

    def ask() -> str:
        if (error := next(answers)) is not None:
            raise error
        return "well"

    fresh = Fresh(60.0, ask)
    with pytest.raises(ZeroDivisionError):
        fresh()
    assert fresh() == "well"


def test_no_more_keys_are_remembered_than_it_may() -> None:
    asked: list[int] = []

    def ask(key: int) -> int:
        asked.append(key)
        return key

    fresh = Fresh(60.0, ask, most=10)
    assert [fresh(key) for key in range(10)] == list(range(10))
    assert (fresh(0), len(asked)) == (0, 10)
    assert (fresh(10), fresh(10), fresh(9), len(asked)) == (10, 10, 9, 11)  # 0 and 1 are gone
    assert (fresh(2), len(asked)) == (2, 11)
    assert (fresh(1), fresh(0), len(asked)) == (1, 0, 13)
    assert len(fresh._locks) == len(fresh._known) <= 10
