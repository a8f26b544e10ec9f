"""Ours, without any middleware."""

from __future__ import annotations

from config.settings import *  # noqa: F403 - they differ in two names

ROOT_URLCONF = "benchmarks.bare"
MIDDLEWARE = []
