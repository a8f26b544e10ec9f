"""What may be asked of a model besides the prompt: the one place with the rules of its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from generation.models import CatalogModel

# What a video was before it could be asked for
OF_OLD: dict[str, Any] = {"duration": 8, "resolution": "720p", "generate_audio": True}


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is asked of a model. An image has a ``size`` only. ``duration`` is in seconds."""

    aspect_ratio: str | None = None
    size: str | None = None
    duration: int | None = None
    resolution: str | None = None
    generate_audio: bool | None = None
    seed: int | None = None
    negative_prompt: str | None = None
    source_image_urls: tuple[str, ...] = ()

    @classmethod
    def of(cls, kind: str, stored: Mapping[str, Any]) -> Parameters:
        """Read them from ``Generation.parameters``. An old row lacks what was the same for all."""
        known = {name: stored[name] for name in NAMES if name in stored}
        if kind == CatalogModel.Kind.VIDEO:
            known = OF_OLD | known
            known["source_image_urls"] = tuple(known.get("source_image_urls", ()))
        return cls(**known)

    @classmethod
    def filled(cls, model: CatalogModel, values: Mapping[str, Any]) -> Parameters:
        """Fill in the defaults of ``model``. ``values`` have no fault, but may lack anything."""
        if model.kind == CatalogModel.Kind.IMAGE:
            return cls(size=values.get("size") or model.shapes[0])
        able = model.able
        resolution = values.get("resolution") or able.resolutions[0]
        images = tuple(values.get("source_image_urls") or ())
        return cls(
            aspect_ratio=values.get("aspect_ratio") or model.shapes[0],
            duration=values.get("duration") or _default_duration(model, resolution, len(images)),
            resolution=resolution,
            generate_audio=values.get("generate_audio", able.audio != "never"),
            seed=values.get("seed"),
            negative_prompt=values.get("negative_prompt") or None,
            source_image_urls=images,
        )

    @property
    def shape(self) -> str:
        """The aspect ratio of a video or the size of an image."""
        return self.aspect_ratio or self.size or ""

    def to_json(self) -> dict[str, Any]:
        """The value for ``Generation.parameters``; what is null is left out."""
        kept = {name: value for name in NAMES if (value := getattr(self, name)) is not None}
        if self.aspect_ratio is None:
            del kept["source_image_urls"]
        else:
            kept["source_image_urls"] = list(self.source_image_urls)
        return kept


NAMES = tuple(field.name for field in fields(Parameters))


def faults(model: CatalogModel, values: Mapping[str, Any]) -> dict[str, str]:
    """A sentence for each of ``values`` that the row does not offer, in the fields' order.

    ``values`` have the right types. A missing one takes its default and has no fault.
    """
    if model.kind == CatalogModel.Kind.IMAGE:
        found = {"size": _one_of("size", values.get("size"), model.shapes)}
    else:
        able = model.able
        resolution = values.get("resolution")
        found = {
            "aspect_ratio": _one_of("aspect_ratio", values.get("aspect_ratio"), model.shapes),
            "source_image_urls": _images(model, values.get("source_image_urls") or ()),
            "duration": _duration(model, values),
            "resolution": _one_of("resolution", resolution, able.resolutions),
            "generate_audio": _audio(model, values.get("generate_audio")),
            "seed": _seed(model, values.get("seed")),
            "negative_prompt": _negative_prompt(model, values.get("negative_prompt")),
        }
    return {field: sentence for field, sentence in found.items() if sentence is not None}


def why_not_sold(model: CatalogModel, asked: Parameters) -> str | None:
    """Why an earlier order would not be taken today, for operators; None if it would."""
    values = {name: value for name in NAMES if (value := getattr(asked, name)) is not None}
    found = faults(model, values)
    if not found:
        return None
    field = next(iter(found))
    words = {
        "source_image_urls": f"with {len(asked.source_image_urls)} source images",
        "duration": f"with {asked.duration} seconds",
        "generate_audio": "with sound" if asked.generate_audio else "without sound",
        "seed": "with this seed",
        "negative_prompt": "with a negative prompt",
    }
    return f"{model.name} is no longer sold {words.get(field, f'in {values[field]}')}"


def seed_sentence(model: CatalogModel) -> str:
    """The sentence that says what a seed has to be, whatever was wrong with it."""
    most = model.able.seed_max
    return _absent(model) if most is None else f"Must be an integer from 0 to {most}"


def image_count_sentence(model: CatalogModel) -> str:
    """The sentence that says what the source images have to be, whatever was wrong with them."""
    return f"Must be a list of at most {model.able.max_images} URLs"


def _images(model: CatalogModel, images: Sequence[str]) -> str | None:
    return image_count_sentence(model) if len(images) > model.able.max_images else None


def _duration(model: CatalogModel, values: Mapping[str, Any]) -> str | None:
    duration, able = values.get("duration"), model.able
    if duration is None:
        return None
    if duration not in able.durations:
        return _one_of("duration", duration, able.durations)
    resolution = values.get("resolution") or able.resolutions[0]
    images = len(values.get("source_image_urls") or ())
    bound = (able.durations_by_resolution or {}).get(resolution)
    if bound is not None and duration not in bound:
        return _only(bound, f"at {resolution}")
    bound = (able.durations_by_images or {}).get(str(images))
    if bound is not None and duration not in bound:
        return _only(bound, f"with {images} source image{'' if images == 1 else 's'}")
    return None


def _default_duration(model: CatalogModel, resolution: str, images: int) -> int | None:
    """The row's default, or the first length that the combination leaves."""
    left = model.able.durations_with(resolution, images)
    default = model.able.default_duration
    return default if default in left or not left else left[0]


def _audio(model: CatalogModel, audio: bool | None) -> str | None:
    only = {"always": True, "never": False}.get(model.able.audio or "")
    if audio is None or only is None or audio is only:
        return None
    return f"Must be {str(only).lower()} for {model.name}"


def _seed(model: CatalogModel, seed: int | None) -> str | None:
    if seed is None:
        return None
    most = model.able.seed_max
    return seed_sentence(model) if most is None or not 0 <= seed <= most else None


def _negative_prompt(model: CatalogModel, text: str | None) -> str | None:
    return _absent(model) if text and not model.able.negative_prompt else None


def _absent(model: CatalogModel) -> str:
    return f"Must be absent for {model.name}"


def _only(allowed: list[int], where: str) -> str:
    if len(allowed) == 1:
        return f"Must be {allowed[0]} {where}"
    return f"Must be one of {', '.join(map(str, allowed))} {where}"


def _one_of(field: str, value: Any, allowed: Any) -> str | None:
    if value is None or value in allowed:
        return None
    return f"Invalid {field}. Must be one of: {', '.join(map(str, allowed))}"
