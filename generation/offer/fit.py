"""Whether a backend can do what a row of the catalog sells; asked before the row is changed."""

from __future__ import annotations

from generation.backends.capabilities import CAPABILITIES, Capabilities
from generation.models import CatalogModel
from generation.models.abilities import Abilities


def misfits(model: CatalogModel, able: Abilities) -> dict[str, str]:
    """A sentence for each field that the row's backend cannot do, or that contradicts another.

    ``able`` is what the row is to sell, in place of its ``abilities``.
    """
    backend = CAPABILITIES.get(model.backend)
    if backend is None:
        return {"backend": f"Must be one of: {', '.join(CAPABILITIES)}"}
    name, found = model.backend, dict[str, str]()
    if model.kind not in backend.kinds:
        found["backend"] = f"{name} makes no {model.kind}s"
    if backend.location and model.location not in ("", backend.location):
        found["location"] = f"{name} is in {backend.location} alone"
    if model.kind == CatalogModel.Kind.VIDEO:
        found |= _of_video(name, backend, able) | _of_lengths(able)
    return found


def _of_video(name: str, backend: Capabilities, able: Abilities) -> dict[str, str]:
    found = {}
    if other := [each for each in able.durations if each not in backend.durations]:
        found["durations"] = f"{name} makes no video of {_listed(other)} seconds"
    if lost := [each for each in able.resolutions if each not in backend.resolutions]:
        found["resolutions"] = f"{name} makes no video in {_listed(lost)}"
    if able.audio != "always" and not backend.silent:
        found["audio"] = f"{name} makes no video without sound"
    if able.audio != "never" and not backend.audible:
        found["audio"] = f"{name} makes no video with sound"
    if able.negative_prompt and not backend.negative_prompt:
        found["negative_prompt"] = f"{name} takes no negative prompt"
    if able.seed_max is not None and backend.seed_max is None:
        found["seed_max"] = f"{name} takes no seed"
    elif able.seed_max is not None and able.seed_max > (backend.seed_max or 0):
        found["seed_max"] = f"{name} takes seeds up to {backend.seed_max}"
    if able.max_images > backend.max_images:
        found["max_images"] = f"{name} takes at most {backend.max_images} source images"
    return found


def _of_lengths(able: Abilities) -> dict[str, str]:
    """The fault if a combination on sale has no length, or the default is none of the row's."""
    if able.default_duration not in able.durations:
        return {"default_duration": "Must be one of the lengths on sale"}
    for resolution in able.resolutions:
        for images in range(able.max_images + 1):
            if not able.durations_with(resolution, images):
                where = f"{resolution} with {images} source images"
                return {"durations": f"No length is left for {where}"}
    return {}


def _listed(values: list[int] | list[str]) -> str:
    return ", ".join(map(str, values))
