"""Uploads as rows and files, without the way through HTTP."""

from __future__ import annotations

from datetime import timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from generation.models import Generation, Upload, UploadUse
from tests.support.images import encoded, halves
from tests.support.people import Person

PICTURE = encoded(halves(), "PNG")


def make_upload(person: Person, hours_left: float = 24.0) -> Upload:
    """One that is kept; with negative ``hours_left`` it has expired."""
    moment = timezone.now()
    upload = Upload.objects.create(account=person.account, created_by=person.user, received=1)
    upload.key = f"uploads/{upload.pk.hex[-2:]}/{upload.pk}.png"
    default_storage.save(upload.key, ContentFile(PICTURE))
    upload.content_type, upload.sha256 = "image/png", "0" * 64
    upload.width, upload.height, upload.size = 40, 20, len(PICTURE)
    upload.created_at = moment - timedelta(hours=24 - hours_left)
    upload.expires_at = moment + timedelta(hours=hours_left)
    upload.save()
    return upload


def used(upload: Upload, generation: Generation) -> None:
    """As the statement does that orders with an upload."""
    UploadUse.objects.create(upload=upload, generation=generation)


def name_of(upload: Upload) -> str:
    """As it stands in ``source_image_urls``."""
    return f"upload:{upload.pk}"
