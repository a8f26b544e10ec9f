"""What an order costs. Nothing else reads a model's price."""

from __future__ import annotations

from generation.models import CatalogModel
from generation.offer.parameters import Parameters

UNIT = 8  # seconds that the prices of a row are for
AUDIO, SILENT = "audio", "silent"


def price_of(model: CatalogModel, parameters: Parameters) -> int:
    """Credits for one output; a part of a credit counts as a whole one."""
    unit = unit_price(model, parameters)
    return unit if parameters.duration is None else -(-unit * parameters.duration // UNIT)


def unit_price(model: CatalogModel, parameters: Parameters) -> int:
    """Credits for a video of ``UNIT`` seconds, or for an image."""
    if parameters.duration is None:
        return model.price
    sound = AUDIO if parameters.generate_audio else SILENT
    return prices(model)[parameters.resolution or ""][sound]


def prices(model: CatalogModel) -> dict[str, dict[str, int]]:
    """Credits for ``UNIT`` seconds of all that a video model sells, by resolution and sound.

    The default has the row's ``price``, ``prices`` has the rest: no number stands twice.
    """
    sold: dict[str, dict[str, int]] = {}
    for resolution in model.able.resolutions:
        others = model.prices.get(resolution, {})
        first = not sold
        sold[resolution] = {
            sound: model.price if first and place == 0 else others[sound]
            for place, sound in enumerate(sounds(model))
        }
    return sold


def sounds(model: CatalogModel) -> tuple[str, ...]:
    """With and without sound, as far as the model makes both; the default first."""
    every = {"always": (AUDIO,), "never": (SILENT,)}
    return every.get(model.able.audio or "", (AUDIO, SILENT))


def cells(model: CatalogModel) -> dict[tuple[str, str], int]:
    """All prices of the row by resolution and sound, even of what is not on sale now."""
    every = model.prices | prices(model)
    return {
        (resolution, sound): price
        for resolution in every
        for sound, price in (model.prices.get(resolution, {}) | every[resolution]).items()
    }


def fill(model: CatalogModel, given: dict[tuple[str, str], int]) -> None:
    """Put ``cells`` into the row's columns. The row is not saved."""
    default = (model.able.resolutions[0], sounds(model)[0])
    model.prices = {}
    for (resolution, sound), price in given.items():
        if (resolution, sound) == default:
            model.price = price
        else:
            model.prices.setdefault(resolution, {})[sound] = price
