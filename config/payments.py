"""The settings of buying credits. What contradicts itself is named with every other bad setting."""

from __future__ import annotations

import re

from config.env import Env

KEY = re.compile(r"(sk|rk)_(test|live)_\w+", re.ASCII)
SHORTEST_SECRET = 12  # characters; Stripe's own have 38


def stripe_keys(env: Env) -> tuple[str, list[str]]:
    """The key that asks Stripe, and the secrets that its webhooks are signed with."""
    key = env.text("STRIPE_SECRET_KEY")
    given = env.text("STRIPE_WEBHOOK_SECRETS")
    secrets = [word.strip() for word in given.split(",")] if given else []
    if key and not KEY.fullmatch(key):
        env.problems.append(
            "STRIPE_SECRET_KEY: is no key of Stripe's; they begin with sk_test_, sk_live_, "
            "rk_test_ or rk_live_"
        )
    if key and not secrets:
        env.problems.append(
            "STRIPE_WEBHOOK_SECRETS: must be set with STRIPE_SECRET_KEY; without a secret anybody "
            "could sign a webhook"
        )
    if any(len(secret) < SHORTEST_SECRET for secret in secrets):
        env.problems.append(
            f"STRIPE_WEBHOOK_SECRETS: one is empty or below {SHORTEST_SECRET} characters"
        )
    return key, secrets


def not_for_money(env: Env, may_be_emulated: bool) -> tuple[str, bool]:
    """Where Stripe is (empty = the real one), and whether a key of its test mode may sell."""
    key, url = env.text("STRIPE_SECRET_KEY"), env.text("STRIPE_BASE_URL").rstrip("/")
    if url and is_live(key):
        env.problems.append("STRIPE_BASE_URL: a live key is shown to nobody but Stripe; unset it")
    elif url and not may_be_emulated:
        env.problems.append(
            "STRIPE_BASE_URL: is not Stripe's; unset it, or set ALLOW_EMULATOR=1 where nobody pays"
        )
    allowed = env.flag("ALLOW_TEST_PAYMENTS", may_be_emulated)
    if key and not is_live(key) and not allowed:
        env.problems.append(
            "STRIPE_SECRET_KEY: is of test mode, in which nobody pays; use a live key, or set "
            "ALLOW_TEST_PAYMENTS=1 where credits may be had for nothing"
        )
    return url, allowed


def stripe_switches(env: Env) -> tuple[bool, bool]:
    """Whether Stripe adds tax, and whether it takes promotion codes."""
    return env.flag("STRIPE_TAX", False), env.flag("STRIPE_PROMOTIONS", False)


def purchase_limits(env: Env) -> tuple[int, int, int]:
    """In the currency's minor unit: a day, a day of a new account, and what a person reviews."""
    return (
        env.integer("PURCHASE_MAX_PER_DAY", 50_000, least=1),
        env.integer("PURCHASE_MAX_PER_DAY_NEW", 20_000, least=1),
        env.integer("PURCHASE_REVIEW_FIRST_ABOVE", 0),
    )


def checkout_limits(env: Env) -> tuple[int, int]:
    """How many links an hour may be made for an account, and from a client address."""
    return (
        env.integer("RATE_LIMIT_CHECKOUTS", 10, least=1),
        env.integer("RATE_LIMIT_CHECKOUTS_ADDRESS", 30, least=1),
    )


def is_live(key: str) -> bool:
    """Whether the key moves real money."""
    return "_live_" in key[:8]
