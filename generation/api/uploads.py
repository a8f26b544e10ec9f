"""Customers' own images: section 9 of the contract."""

from __future__ import annotations

import logging
from typing import Any

from rest_framework.exceptions import APIException, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.mediatypes import _MediaType
from rest_framework.views import APIView

from accounts.authentication import SecretThatUploads, arrival
from common.errors import ServiceUnavailable
from common.times import with_z
from generation import metrics
from generation.api import upload_document
from generation.inputs import uploads
from generation.inputs.upload_body import TYPES, Body, UploadTooLarge, most, receive, spool
from generation.inputs.upload_decoding import redraw
from generation.models import Upload

logger = logging.getLogger(__name__)


class UploadView(APIView):
    """By its time credentials and rate were judged; the body comes after the day's limits."""

    authentication_classes = [SecretThatUploads]
    parser_classes = []

    @upload_document.upload
    def post(self, request: Request) -> Response:
        """Keep an image, to be used as `upload:<id>`."""
        try:
            upload = self._take(request)
        except APIException as error:
            metrics.count_uploaded(str(error.get_codes()))
            raise
        metrics.count_uploaded("stored")
        return Response(to_dict(upload), status=201)

    def _take(self, request: Request) -> Upload:
        content_type = request.META.get("CONTENT_TYPE", "")
        sent = _MediaType(content_type)
        media_type = f"{sent.main_type}/{sent.sub_type}".lower()
        if media_type not in TYPES:
            raise UnsupportedMediaType(content_type)
        limit, told = most(media_type), _told(request)
        if told is not None and told > limit:
            raise UploadTooLarge
        upload = uploads.begin(arrival(request).caller, limit if told is None else told)
        body = Body(request.META["wsgi.input"], told, limit)
        try:
            with spool() as image:
                try:
                    receive(body, content_type, media_type, image)
                finally:
                    uploads.has_received(upload, body.received)
                picture = redraw(image, upload.account_id)
                with picture.file:
                    return uploads.keep(upload, picture)
        except OSError as error:  # a full disk, a storage that refuses
            logger.error("an upload could not be kept: %s: %s", type(error).__name__, error)
            raise ServiceUnavailable(retry_after=30) from error


def _told(request: Request) -> int | None:
    """The body's length; None if it comes in chunks."""
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        return None
    return int(request.META.get("CONTENT_LENGTH") or 0)


def to_dict(upload: Upload) -> dict[str, Any]:
    """The one public form of an upload."""
    return {
        "success": True,
        "id": str(upload.pk),
        "url": f"upload:{upload.pk}",
        "content_type": upload.content_type,
        "width": upload.width,
        "height": upload.height,
        "size": upload.size,
        "expires_at": upload.expires_at and with_z(upload.expires_at),
    }
