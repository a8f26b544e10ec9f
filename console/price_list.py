"""What is on sale, for people who have not joined yet."""

from __future__ import annotations

from dataclasses import dataclass

from common.fresh import Fresh
from generation.models import CatalogModel
from generation.offer import catalog, pricing
from generation.offer.parameters import Parameters
from payments import packs
from payments.models import CreditPack


@dataclass(frozen=True, slots=True)
class Offer:
    """Credits for one output; None if the model does not make it so."""

    resolution: str
    with_sound: int | None
    silent: int | None


@dataclass(frozen=True, slots=True)
class PricedModel:
    """A model with its prices: ``offers`` for ``seconds`` of video, ``credits`` for an image."""

    name: str
    quality: str
    takes: str
    credits: int
    seconds: int | None
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class PriceList:
    videos: tuple[PricedModel, ...]
    images: tuple[PricedModel, ...]
    packs: tuple[CreditPack, ...]


def _read() -> PriceList:
    return PriceList(
        videos=tuple(_priced(model) for model in catalog.on_sale(CatalogModel.Kind.VIDEO)),
        images=tuple(_priced(model) for model in catalog.on_sale(CatalogModel.Kind.IMAGE)),
        packs=tuple(packs.on_sale()),
    )


# Anybody may ask for the landing page, as often as they like.
price_list: Fresh[PriceList] = Fresh(5.0, _read)


def _priced(model: CatalogModel) -> PricedModel:
    is_video = model.kind == CatalogModel.Kind.VIDEO
    offers = pricing.prices(model) if is_video else {}
    return PricedModel(
        name=model.name,
        quality=model.quality,
        takes=model.estimated_time,
        credits=pricing.price_of(model, Parameters.filled(model, {})),
        seconds=pricing.UNIT if is_video else None,
        offers=tuple(
            Offer(resolution, sold.get(pricing.AUDIO), sold.get(pricing.SILENT))
            for resolution, sold in offers.items()
        ),
    )
