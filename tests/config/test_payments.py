"""The settings of buying credits: what contradicts itself is refused, all of it at once."""

from __future__ import annotations

import pytest

from config import payments
from config.env import Env

SECRET = "whsec_" + "s" * 32
TEST = {"STRIPE_SECRET_KEY": "sk_test_abc", "STRIPE_WEBHOOK_SECRETS": SECRET}
LIVE = {"STRIPE_SECRET_KEY": "rk_live_abc", "STRIPE_WEBHOOK_SECRETS": SECRET}


def problems(values: dict[str, str], may_be_emulated: bool = False) -> list[str]:
    env = Env(values)
    payments.stripe_keys(env)
    payments.not_for_money(env, may_be_emulated)
    payments.stripe_switches(env)
    payments.purchase_limits(env)
    return env.problems


def test_without_a_key_payments_are_off_and_nothing_is_asked_for():
    env = Env({})
    assert payments.stripe_keys(env) == ("", [])
    assert payments.not_for_money(env, False) == ("", False)
    assert payments.stripe_switches(env) == (False, False)
    assert payments.purchase_limits(env) == (50_000, 20_000, 0)
    assert env.problems == []


def test_what_may_be_set_together():
    assert problems(LIVE) == []
    assert problems(TEST | {"ALLOW_TEST_PAYMENTS": "1"}) == []
    assert problems(TEST, may_be_emulated=True) == []
    assert problems(TEST | {"STRIPE_BASE_URL": "http://127.0.0.1:9"}, may_be_emulated=True) == []
    env = Env(LIVE | {"STRIPE_WEBHOOK_SECRETS": f"{SECRET}, {SECRET}2"})
    assert payments.stripe_keys(env) == ("rk_live_abc", [SECRET, f"{SECRET}2"])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"STRIPE_SECRET_KEY": "pk_live_abc"}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_SECRET_KEY": "sk_live_"}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_SECRET_KEY": "sk_test_abc"}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_WEBHOOK_SECRETS": ""}, "STRIPE_WEBHOOK_SECRETS"),
        ({"STRIPE_WEBHOOK_SECRETS": "  "}, "STRIPE_WEBHOOK_SECRETS"),
        ({"STRIPE_WEBHOOK_SECRETS": f"{SECRET},"}, "STRIPE_WEBHOOK_SECRETS"),
        ({"STRIPE_WEBHOOK_SECRETS": f"{SECRET}, ,{SECRET}"}, "STRIPE_WEBHOOK_SECRETS"),
        ({"STRIPE_WEBHOOK_SECRETS": "whsec_short"}, "STRIPE_WEBHOOK_SECRETS"),
        ({"STRIPE_BASE_URL": "http://127.0.0.1:9"}, "STRIPE_BASE_URL"),
        ({"PURCHASE_MAX_PER_DAY": "0"}, "PURCHASE_MAX_PER_DAY"),
        ({"PURCHASE_REVIEW_FIRST_ABOVE": "-1"}, "PURCHASE_REVIEW_FIRST_ABOVE"),
    ],
)
def test_what_stops_the_start_is_named_and_no_secret_is(changes: dict[str, str], named: str):
    (problem,) = problems(LIVE | changes)
    assert problem.startswith(f"{named}: ")
    assert "abc" not in problem
    assert SECRET not in problem


def test_a_live_key_is_never_shown_to_an_emulator():
    assert len(problems(LIVE | {"STRIPE_BASE_URL": "http://127.0.0.1:9"}, True)) == 1


def test_everything_that_is_wrong_is_named_at_once():
    values = {"STRIPE_SECRET_KEY": "sk_test_abc", "STRIPE_BASE_URL": "http://127.0.0.1:9"}
    found = problems(values)
    assert [problem.partition(":")[0] for problem in found] == [
        "STRIPE_WEBHOOK_SECRETS",
        "STRIPE_BASE_URL",
        "STRIPE_SECRET_KEY",
    ]
