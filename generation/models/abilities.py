"""What a model of the catalog can be asked for, read from its row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Audio = Literal["optional", "always", "never"]


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a video model can do; an image model has nothing but its sizes.

    ``durations`` in seconds. ``durations_by_resolution`` and ``durations_by_images`` (the number of
    source images) say where fewer of them are possible. ``audio`` says whether there may be sound.
    ``seed_max`` None: it takes no seed.
    """

    durations: tuple[int, ...] = ()
    default_duration: int | None = None
    durations_by_resolution: dict[str, list[int]] | None = None
    durations_by_images: dict[str, list[int]] | None = None
    resolutions: tuple[str, ...] = ()
    audio: Audio | None = None
    seed_max: int | None = None
    negative_prompt: bool = False
    max_images: int = 0

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Abilities:
        """As ``CatalogModel.abilities`` has them; ``catalog_row_is_whole`` holds their form."""
        known = {name: stored[name] for name in cls.__slots__ if name in stored}
        for name in ("durations", "resolutions"):
            known[name] = tuple(known.get(name, ()))
        return cls(**known)

    def durations_with(self, resolution: str, images: int) -> tuple[int, ...]:
        """What is left of ``durations`` at a resolution and with a number of source images."""
        bounds = self._bounds(resolution, images)
        return tuple(each for each in self.durations if all(each in bound for bound in bounds))

    def _bounds(self, resolution: str, images: int) -> list[list[int]]:
        by_resolution = (self.durations_by_resolution or {}).get(resolution)
        by_images = (self.durations_by_images or {}).get(str(images))
        return [bound for bound in (by_resolution, by_images) if bound is not None]
