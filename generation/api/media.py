"""The file that a signed link leads to."""

from __future__ import annotations

from pathlib import PurePosixPath

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from common import ids
from common.api.ranges import ranged_file_response
from common.api.shape import shaped, shaped_as
from common.errors import NotFound
from generation.api.errors import OutputExpired
from generation.kinds import BY_EXTENSION
from generation.models import Generation
from generation.outputs import links


@csrf_exempt  # it only reads, and a POST gets 405 rather than a word about cookies
@require_safe
def media(request: HttpRequest, key: str) -> HttpResponseBase:
    """The file behind a link, with ``Range``; 403 for a link that is not ours or has expired.

    If the file is in a bucket, our link redirects to the bucket's own, which would change with each
    status request. The row is read only if the file is missing or in a bucket: it says whether
    retention has deleted the file (410).
    """
    expires, signature = request.GET.get("expires", ""), request.GET.get("signature", "")
    now = timezone.now()
    if not links.is_valid(key, expires, signature, now):
        return shaped(403)
    left = links.seconds_left(expires, now)
    if settings.OUTPUT_STORAGE == "gcs":
        if _expired(key):
            return shaped_as(OutputExpired)
        response: HttpResponseBase = HttpResponseRedirect(links.of_bucket(key, left))
    else:
        try:
            file = default_storage.open(key)
        except FileNotFoundError:
            return shaped_as(OutputExpired) if _expired(key) else shaped(404)
        response = _file(request, key, file)
    # a cache that kept it longer would hand it out after the link's end
    response.headers["Cache-Control"] = f"private, max-age={left}"
    return response


def _file(request: HttpRequest, key: str, file: File[bytes]) -> HttpResponseBase:
    return ranged_file_response(
        request,
        file,
        size=file.size,
        content_type=BY_EXTENSION[key.rpartition(".")[2]].mime_type,
        etag=f'"{key}"',
    )


def _expired(key: str) -> bool:
    """Whether the file of this name was deleted by retention, or is about to be."""
    try:
        generation_id = ids.parse(PurePosixPath(key).stem)
    except NotFound:
        return False
    return Generation.objects.filter(pk=generation_id, output_deleted_at__isnull=False).exists()
