"""Creating generations: sections 2 and 3 of the contract."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import SecretThatCreates, arrival
from common.api.headers import idempotency_key
from common.telemetry import access_log
from generation.api import document, ordering
from generation.api.requests import ImageRequestSerializer, VideoRequestSerializer
from generation.models import CatalogModel, states
from generation.offer import catalog
from generation.order import CreateResult


class _CreateView(APIView):
    authentication_classes = [SecretThatCreates]
    kind: ClassVar[str]

    def _create(self, request: Request) -> Response:
        asked = ordering.Request(
            caller=arrival(request).caller,
            kind=self.kind,
            body=dict(request.data),  # the parser lets nothing but an object through
            path=request.path,
            idempotency_key=idempotency_key(request),
        )
        return create_answer(ordering.place(asked))


class VideoView(_CreateView):
    kind = VideoRequestSerializer.kind
    serializer_class = VideoRequestSerializer

    @document.create_video
    def post(self, request: Request) -> Response:
        """Take the credits and start a video."""
        return self._create(request)


class ImageView(_CreateView):
    kind = ImageRequestSerializer.kind
    serializer_class = ImageRequestSerializer

    @document.create_image
    def post(self, request: Request) -> Response:
        """Take the credits and start an image."""
        return self._create(request)


def create_answer(created: CreateResult) -> Response:
    """The 201 envelope of the contract, the same for a replay."""
    access_log.add_fields(generation_id=str(created.generation_id))
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
