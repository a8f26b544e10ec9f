"""What a create would cost: it is judged like one, and nothing is charged or kept."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import arrival
from credits.models import Wallet
from generation.api import document
from generation.api.requests import KINDS, validated
from generation.inputs.images import first_unusable
from generation.models import CatalogModel
from generation.offer import catalog, pricing
from generation.offer.parameters import Parameters
from generation.refusals import UnusableUpload


class QuoteView(APIView):
    @document.quote
    def post(self, request: Request) -> Response:
        """What a create of this body would cost, and whether the balance is enough."""
        body = dict(request.data)  # the parser lets nothing but an object through
        values = validated(KINDS[_kind(body)], body)
        asked, account_id = values["parameters"], arrival(request).caller.account_id
        if asked.source_image_urls:
            index = first_unusable(account_id, asked.source_image_urls)
            if index is not None:
                raise UnusableUpload(index)
        wallet = Wallet.objects.only("balance").get(pk=account_id)
        return Response(to_dict(values["model"], asked, wallet.balance))


def to_dict(model: CatalogModel, asked: Parameters, balance: int) -> dict[str, Any]:
    """The answer; every key is always there, null where it does not apply."""
    video = model.kind == CatalogModel.Kind.VIDEO
    images, price = len(asked.source_image_urls), pricing.price_of(model, asked)
    unit = pricing.unit_price(model, asked)
    return {
        "success": True,
        "type": model.kind,
        "model": model.name,
        "mode": catalog.mode(model, images),
        "credits_needed": price,
        "credits_balance": balance,
        "sufficient": balance >= price,
        "price_per_8_seconds": unit if video else None,
        "price_per_image": None if video else unit,
        "estimated_time": catalog.estimated_time(model, asked),
        "aspect_ratio": asked.aspect_ratio,
        "size": asked.size,
        "source_images_count": images if video else None,
        "duration": asked.duration,
        "resolution": asked.resolution,
        "generate_audio": asked.generate_audio,
        "seed": asked.seed,
        "negative_prompt": asked.negative_prompt,
    }


def _kind(body: dict[str, Any]) -> str:
    """``type``, video unless given. Raises ValidationError."""
    kind = body.get("type")
    if kind is None:
        return CatalogModel.Kind.VIDEO
    if not isinstance(kind, str):
        raise ValidationError({"type": "Must be a string"})
    if kind not in KINDS:
        raise ValidationError({"type": f"Invalid type. Must be one of: {', '.join(KINDS)}"})
    return kind
