"""Models that the provider retires and revives, as the emulator plays it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.works import Emulator

FAST, OTHER = "veo-3.1-fast-generate-001", "veo-3.1-generate-001"


class ProviderModels:
    """The provider's; by default that of ``veo3_fast``."""

    def __init__(self, emulator: Emulator) -> None:
        self._url = f"{emulator.url}/emulator/models"
        self._retired: set[str] = set()

    def retire(self, model: str = FAST) -> None:
        httpx.post(f"{self._url}/{model}/retire").raise_for_status()
        self._retired.add(model)

    def revive(self, model: str = FAST) -> None:
        httpx.post(f"{self._url}/{model}/revive").raise_for_status()

    def revive_all(self) -> None:
        for model in self._retired:
            self.revive(model)


@pytest.fixture
def models(emulator: Emulator) -> Iterator[ProviderModels]:
    found = ProviderModels(emulator)
    yield found
    found.revive_all()
