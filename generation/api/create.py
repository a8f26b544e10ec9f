"""Creating generations: sections 2 and 3 of the contract."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import arrival
from common.api.headers import idempotency_key
from common.telemetry import access_log
from generation.api import document
from generation.api.requests import ImageRequestSerializer, VideoRequestSerializer, validated
from generation.creation import create, replay
from generation.models import CatalogModel, states
from generation.offer import catalog
from generation.order import CreateResult, Order


class _CreateView(APIView):
    throttle_scope_name = "creates"
    serializer_class: ClassVar[type[VideoRequestSerializer | ImageRequestSerializer]]

    def _create(self, request: Request) -> Response:
        who = arrival(request).caller
        key = idempotency_key(request)
        body = dict(request.data)  # the parser lets nothing but an object through
        try:
            values = validated(self.serializer_class, body)
        except ValidationError:
            # what was valid then is replayed, also when its model was switched off meanwhile
            again = replay(who, key, request.path, body) if key else None
            if again is None:
                raise
            return create_answer(again)
        order = Order(
            caller=who,
            model=values["model"],
            prompt=values["prompt"],
            parameters=values["parameters"],
            max_credits=values.get("max_credits"),
            idempotency_key=key,
            path=request.path,
            body=body,
        )
        return create_answer(create(order))


class VideoView(_CreateView):
    serializer_class = VideoRequestSerializer

    @document.create_video
    def post(self, request: Request) -> Response:
        """Take the credits and start a video."""
        return self._create(request)


class ImageView(_CreateView):
    serializer_class = ImageRequestSerializer

    @document.create_image
    def post(self, request: Request) -> Response:
        """Take the credits and start an image."""
        return self._create(request)


def create_answer(created: CreateResult) -> Response:
    """The 201 envelope of the contract, the same for a replay."""
    access_log.note(generation_id=str(created.generation_id))
    model = created.model
    video = model.kind == CatalogModel.Kind.VIDEO
    data: dict[str, Any] = {
        "generation_id": str(created.generation_id),
        "status": states.PROCESSING,
        "generation_type": model.kind,
    }
    asked, sources = created.parameters, len(created.parameters.source_image_urls)
    data |= {"video_model": model.name} if video else {"size": asked.size}
    data |= {
        "estimated_time": created.estimated_time,
        "credits_used": created.price,
        "credits_remaining": created.balance,
        "mode": catalog.mode(model, sources),
        "message": catalog.message(model, sources),
        "duration": asked.duration,
        "resolution": asked.resolution,
        "generate_audio": asked.generate_audio,
        "seed": asked.seed,
        "negative_prompt": asked.negative_prompt,
    }
    if sources:
        data["source_images_count"] = sources
    headers = {"Location": f"/api/v1/generate/{created.generation_id}/"}
    if created.replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response({"success": True, "data": data}, status=201, headers=headers)
