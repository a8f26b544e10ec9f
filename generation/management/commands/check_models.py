"""``manage.py check_models``."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from django.core.management.base import BaseCommand

from generation.provider.readers import READERS
from generation.provider.router import Router
from generation.stages.probe import probe_models

WORDS = {True: "known", False: "unknown", None: "cannot be told"}


class Command(BaseCommand):
    """Prints a line for each id, fields separated by tabs; exits with 1 for an unknown one."""

    help = "Ask the providers, free of charge, whether they know the ids of the models on sale."

    def handle(self, *args: Any, **options: Any) -> None:
        router = Router(READERS)
        with asyncio.Runner() as runner:
            found = probe_models(router, runner.get_loop(), all_rows=True)
            runner.run(router.aclose())
        lines = [
            (name, each, is_known)
            for name, known in found.items()
            for each, is_known in known.items()
        ]
        for name, each, is_known in lines:
            self.stdout.write(f"{name}\t{each}\t{WORDS[is_known]}")
        if any(is_known is False for _, _, is_known in lines):
            sys.exit(1)
