"""The product: what is sold, what was ordered, when we asked the provider, what happened."""

from __future__ import annotations

from generation.models.attempt import Attempt, Orphan
from generation.models.catalog import CatalogModel
from generation.models.erasure import Erasure
from generation.models.event import GenerationEvent
from generation.models.gate import ProviderGate
from generation.models.generation import Generation
from generation.models.prepared import PreparedImages
from generation.models.rules import OPEN, TERMINAL, UNDELIVERED
from generation.models.states import State
from generation.models.upload import Upload, UploadUse

__all__ = [
    "OPEN",
    "TERMINAL",
    "UNDELIVERED",
    "Attempt",
    "CatalogModel",
    "Erasure",
    "Generation",
    "GenerationEvent",
    "Orphan",
    "PreparedImages",
    "ProviderGate",
    "State",
    "Upload",
    "UploadUse",
]
