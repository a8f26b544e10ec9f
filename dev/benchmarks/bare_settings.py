"""Ours, without any middleware."""

from __future__ import annotations

from config.settings import *  # noqa: F403 - they differ in two names

ROOT_URLCONF = "dev.benchmarks.bare"
MIDDLEWARE = []
