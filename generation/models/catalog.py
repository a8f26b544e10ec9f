"""The table behind the catalog."""

from __future__ import annotations

from functools import cached_property

from django.db import models
from django.db.models import BooleanField, F, Func, Q

from generation.models.abilities import Abilities


class CatalogModel(models.Model):
    """What is sold, as data: the provider's ids change under our names by configuration."""

    class Kind(models.TextChoices):
        VIDEO = "video"
        IMAGE = "image"

    name = models.SlugField(primary_key=True, max_length=50)
    aliases = models.JSONField(default=list, blank=True)
    kind = models.CharField(max_length=5, choices=Kind.choices)
    quality = models.CharField(max_length=20)
    # of a video, 8 s in its first resolution, with its default sound
    price = models.PositiveIntegerField(db_comment="credits")
    prices = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        db_comment='credits for 8 s of all else that is sold: {"1080p": {"audio": 288}}',
    )
    abilities = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        db_comment="of a video model, see generation/models/abilities.py",
    )
    times = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        db_comment="estimated_time and expected_seconds of resolutions that differ from the row's",
    )
    shapes = models.JSONField(db_comment="allowed aspect ratios or sizes; the first is the default")
    estimated_time = models.CharField(max_length=40)
    estimated_time_with_images = models.CharField(max_length=40, blank=True)
    message = models.CharField(max_length=80, db_comment="what a create answers")
    message_with_images = models.CharField(max_length=80, blank=True)
    expected_seconds = models.PositiveIntegerField(
        db_comment="until ready; progress is drawn by it"
    )
    first_poll_seconds = models.PositiveIntegerField(default=25)
    submits_per_minute = models.PositiveIntegerField(
        default=50, db_comment="what the provider's quota lets through; admission is judged by it"
    )
    max_open_operations = models.PositiveIntegerField(
        default=1000, db_comment="asked for and not answered yet, over all accounts"
    )
    backend = models.CharField(
        max_length=30, default="vertex", db_default="vertex", db_comment="who makes it"
    )
    location = models.CharField(
        max_length=50, blank=True, db_default="", db_comment="blank = the backend's own"
    )
    provider_model_fallback = models.CharField(
        max_length=100,
        blank=True,
        db_default="",
        db_comment="asked for when the provider does not know the first id",
    )
    # blank = the setting PROVIDER_MODELS, so that a deployment swaps ids by configuration
    provider_model = models.CharField(max_length=100, blank=True)
    enabled = models.BooleanField(default=True)
    # from then on it cannot be ordered
    retires_at = models.DateTimeField(null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "name")
        constraints = [
            models.CheckConstraint(condition=Q(price__gt=0), name="catalog_price_is_positive"),
            models.CheckConstraint(
                condition=Q(kind__in=["video", "image"]), name="catalog_kind_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(expected_seconds=0) & ~Q(estimated_time=""),
                name="catalog_says_how_long_it_takes",
            ),
            models.CheckConstraint(
                condition=Func(
                    *(F("kind"), F("abilities"), F("prices")),
                    function="catalog_row_is_whole",
                    output_field=BooleanField(),
                ),
                name="catalog_row_is_whole",
                violation_error_message="Whatever its abilities sell has to have a price",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def able(self) -> Abilities:
        """Its abilities; for reading only, since what is written is ``abilities``."""
        return Abilities.of(self.abilities)
