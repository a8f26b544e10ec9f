"""The models that are sold from the start (contract, sections 2 and 3)."""

from django.db import migrations

MODELS = [
    {
        "name": "veo3_fast",
        "kind": "video",
        "quality": "standard",
        "price": 240,
        "shapes": ["16:9", "9:16"],
        "estimated_time": "45-60 seconds",
        "estimated_time_with_images": "45-60 seconds",
        "message": "Video generation started successfully",
        "message_with_images": "Image-to-video generation started successfully",
        "expected_seconds": 60,
        "first_poll_seconds": 25,
        "position": 1,
    },
    {
        "name": "veo3",
        "kind": "video",
        "quality": "premium",
        "price": 500,
        "shapes": ["16:9", "9:16"],
        "estimated_time": "60-90 seconds",
        "estimated_time_with_images": "90-120 seconds",
        "message": "Premium video generation started successfully",
        "message_with_images": "Premium image-to-video generation started successfully",
        "expected_seconds": 90,
        "first_poll_seconds": 25,
        "position": 2,
    },
    {
        "name": "image",
        "kind": "image",
        "quality": "standard",
        "price": 24,
        "shapes": ["1:1", "3:2", "2:3"],
        "estimated_time": "15-30 seconds",
        "message": "Image generation started successfully",
        "expected_seconds": 30,
        "submits_per_minute": 200,
        "position": 3,
    },
]


def forward(apps, schema_editor):
    model = apps.get_model("generation", "CatalogModel")
    model.objects.bulk_create(model(**row) for row in MODELS)


def backward(apps, schema_editor):
    model = apps.get_model("generation", "CatalogModel")
    model.objects.filter(name__in=[row["name"] for row in MODELS]).delete()


class Migration(migrations.Migration):
    dependencies = [("generation", "0002_guards")]
    operations = [migrations.RunPython(forward, backward)]
