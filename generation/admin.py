"""What the operators' site has of this app."""

from __future__ import annotations

from generation.generation_admin import GenerationAdmin
from generation.orphan_admin import OrphanAdmin

__all__ = ["GenerationAdmin", "OrphanAdmin"]
