from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _probe(settings):
    settings.ROOT_URLCONF = "tests.support.probe"
