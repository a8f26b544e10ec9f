"""The same create as a textbook has it: what a good developer writes with the same packages.

A project of its own in the same PostgreSQL (schema ``textbook``) and Redis: DRF's tokens, a
serializer, ``select_for_update``, two inserts, ``on_commit`` and ``.delay()``. It has no rate
limits, no Idempotency-Keys, no events and no checked links between row and entry.
"""

from __future__ import annotations

import json
import sys
import uuid
from typing import Any

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.urls import path
from rest_framework import serializers
from rest_framework.authtoken.models import Token
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dev.benchmarks.textbook_models import Entry, Generation, Wallet
from dev.benchmarks.textbook_settings import SCHEMA
from dev.benchmarks.textbook_tasks import generate

PRICES = {"veo3_fast": 240, "veo3": 500}
TIMES = {"veo3_fast": "45-60 seconds", "veo3": "60-90 seconds"}
CREDITS = 10**12


class CreateSerializer(serializers.Serializer[Any]):
    prompt = serializers.CharField(max_length=1000)
    video_model = serializers.ChoiceField(choices=list(PRICES), default="veo3_fast")
    aspect_ratio = serializers.ChoiceField(choices=["16:9", "9:16"], default="16:9")
    source_image_urls = serializers.ListField(
        child=serializers.URLField(max_length=2048), max_length=3, required=False
    )


class CreateView(APIView):
    def post(self, request: Request) -> Response:
        """Take the credits and start a video."""
        serializer = CreateSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        price = PRICES[values["video_model"]]
        with transaction.atomic():
            wallet = Wallet.objects.select_for_update().get(user=request.user)
            if wallet.balance < price:
                body = {"success": False, "error": "Insufficient credits"}
                return Response(body, status=402)
            wallet.balance -= price
            wallet.save(update_fields=["balance"])
            generation = Generation.objects.create(
                user=request.user,
                prompt=values["prompt"],
                video_model=values["video_model"],
                aspect_ratio=values["aspect_ratio"],
                credits_used=price,
            )
            Entry.objects.create(
                wallet=wallet, generation=generation, amount=-price, balance_after=wallet.balance
            )
            transaction.on_commit(lambda: generate.delay(str(generation.pk)))
        data = {
            "generation_id": str(generation.pk),
            "status": "processing",
            "generation_type": "video",
            "video_model": generation.video_model,
            "estimated_time": TIMES[generation.video_model],
            "credits_used": price,
            "credits_remaining": wallet.balance,
            "message": "Video generation started successfully",
        }
        return Response({"success": True, "data": data}, status=201)


def prepare(customers: int) -> None:
    """Make the tables and users with credits, as the owner of the database; print their tokens."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        cursor.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO reelmint_app")
    call_command("migrate", run_syncdb=True, verbosity=0)
    with connection.schema_editor() as editor:
        for model in (Wallet, Generation, Entry):
            editor.create_model(model)
    users = User.objects.bulk_create(
        User(username=f"customer-{number}") for number in range(customers)
    )
    tokens = Token.objects.bulk_create(Token(user=user, key=uuid.uuid4().hex) for user in users)
    Wallet.objects.bulk_create(Wallet(user=user, balance=CREDITS) for user in users)
    json.dump([token.key for token in tokens], sys.stdout)


urlpatterns = [path("generate/", CreateView.as_view())]
