"""The table behind the catalog."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class CatalogModel(models.Model):
    """What is sold, as data: the provider's ids change under our names by configuration."""

    class Kind(models.TextChoices):
        VIDEO = "video"
        IMAGE = "image"

    name = models.SlugField(primary_key=True, max_length=50)
    aliases = models.JSONField(default=list, blank=True)
    kind = models.CharField(max_length=5, choices=Kind.choices)
    quality = models.CharField(max_length=20)
    price = models.PositiveIntegerField(db_comment="credits")
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
        ]

    def __str__(self) -> str:
        return self.name
