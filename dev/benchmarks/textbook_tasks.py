"""The work on a generation as a textbook has it: one task, which polls by coming back later.

It has no committed intent (a worker that dies buys twice), no rate towards the provider, no check
of the file and no end to polling. Its countdown is the only one here: ARCHITECTURE.md forbids
them.
"""

from __future__ import annotations

import os
from functools import cache

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from google import genai
from google.cloud import storage
from google.genai import types

from dev.benchmarks.textbook_celery import app
from dev.benchmarks.textbook_models import Entry, Generation, Wallet

POLL_SECONDS = 10.0 * float(os.environ.get("TIME_SCALE", "1"))  # as Google's own examples wait
MODELS = {"veo3_fast": "veo-3.1-fast-generate-001", "veo3": "veo-3.1-generate-001"}


@cache
def client() -> genai.Client:
    """This process's, which keeps its connections."""
    options = types.HttpOptions(base_url=os.environ["VERTEX_BASE_URL"], api_version="v1")
    return genai.Client(
        vertexai=True,
        project=os.environ["GOOGLE_CLOUD_PROJECT"],
        location=os.environ["GOOGLE_CLOUD_LOCATION"],
        http_options=options,
    )


@cache
def bucket() -> storage.Bucket:
    """Where the provider writes what it makes."""
    options = {"api_endpoint": os.environ["STORAGE_BASE_URL"]}
    google = storage.Client(project=os.environ["GOOGLE_CLOUD_PROJECT"], client_options=options)
    return google.bucket(os.environ["OUTPUT_BUCKET"])


@app.task(name="textbook.generate")
def generate(generation_id: str) -> None:
    """Submit once, then look again and again until it is over."""
    generation = Generation.objects.get(pk=generation_id)
    if generation.status != "processing":
        return  # a task may come twice
    if not generation.operation:
        _submit(generation)
    else:
        asked = types.GenerateVideosOperation()
        asked.name = generation.operation
        operation = client().operations.get(asked)
        if operation.done:
            _finish(generation, operation)
            return
    generate.apply_async((generation_id,), countdown=POLL_SECONDS)


def _submit(generation: Generation) -> None:
    operation = client().models.generate_videos(
        model=MODELS[generation.video_model],
        source=types.GenerateVideosSource(prompt=generation.prompt),
        config=types.GenerateVideosConfig(
            number_of_videos=1,
            aspect_ratio=generation.aspect_ratio,
            output_gcs_uri=f"gs://{bucket().name}/textbook/{generation.pk}/",
        ),
    )
    generation.operation = operation.name or ""
    generation.save(update_fields=["operation", "updated_at"])


def _finish(generation: Generation, operation: types.GenerateVideosOperation) -> None:
    made = operation.response.generated_videos if operation.response else None
    video = made[0].video if made else None
    if video is None or not video.uri:
        _refund(generation, str(operation.error or "no video")[:500])
        return
    name = video.uri.removeprefix(f"gs://{bucket().name}/")
    data = bucket().blob(name).download_as_bytes()
    generation.output = default_storage.save(f"{generation.pk}.mp4", ContentFile(data))
    generation.status = "completed"
    generation.save(update_fields=["status", "output", "updated_at"])


def _refund(generation: Generation, error: str) -> None:
    with transaction.atomic():
        wallet = Wallet.objects.select_for_update().get(user=generation.user)
        failed = Generation.objects.filter(pk=generation.pk, status="processing")
        if not failed.update(status="failed", error=error):
            return
        price = generation.credits_used
        wallet.balance += price
        wallet.save(update_fields=["balance"])
        Entry.objects.create(
            wallet=wallet, generation=generation, amount=price, balance_after=wallet.balance
        )
