"""The settings of joining: whether anybody can, and what they are given."""

from __future__ import annotations

from config.env import Env


def joining(env: Env) -> tuple[bool, int, int]:
    """Whether it is open; credits of a first verification; what all of them are given a UTC day."""
    return (
        env.flag("REGISTRATION_OPEN", True),
        env.integer("SIGNUP_CREDITS", 0),
        env.integer("TRIAL_CREDITS_PER_DAY", 10_000),
    )
