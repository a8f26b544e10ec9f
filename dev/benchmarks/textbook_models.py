"""The tables of the textbook (textbook.py); they are made at once, in a schema of their own."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from dev.benchmarks.textbook_settings import SCHEMA


class Wallet(models.Model):
    """The balance of a user."""

    user = models.OneToOneField("auth.User", on_delete=models.PROTECT, related_name="wallet")
    balance = models.PositiveBigIntegerField(default=0)

    objects: ClassVar[models.Manager[Wallet]] = models.Manager()

    class Meta:
        app_label = SCHEMA


class Generation(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey("auth.User", on_delete=models.PROTECT, related_name="generations")
    prompt = models.CharField(max_length=1000)
    video_model = models.CharField(max_length=20)
    aspect_ratio = models.CharField(max_length=10)
    credits_used = models.PositiveIntegerField()
    status = models.CharField(max_length=20, default="processing")
    operation = models.CharField(max_length=500, default="")  # the provider's name for it
    output = models.CharField(max_length=200, default="")  # the file's name in our storage
    error = models.CharField(max_length=500, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager[Generation]] = models.Manager()

    class Meta:
        app_label = SCHEMA
        indexes = [models.Index(fields=["user", "-created_at"], name="textbook_history")]


class Entry(models.Model):
    """One change of a balance."""

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="entries")
    generation = models.ForeignKey(Generation, on_delete=models.PROTECT, null=True)
    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Entry]] = models.Manager()

    class Meta:
        app_label = SCHEMA
