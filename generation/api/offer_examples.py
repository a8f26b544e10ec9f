"""The OpenAPI page's examples of what is offered: the models, and a quote."""

from __future__ import annotations

from typing import Any

from generation.api.examples import given, taken

QUOTE = [
    taken("A video in 1080p", {"prompt": "A red fox in fresh snow", "resolution": "1080p"}),
    taken("An image", {"type": "image", "prompt": "A bowl of lemons, oil on canvas"}),
    given(
        "More than there is",
        {
            "success": True,
            "type": "video",
            "model": "veo3_fast",
            "mode": "text-to-video",
            "credits_needed": 288,
            "credits_balance": 260,
            "sufficient": False,
            "price_per_8_seconds": 288,
            "price_per_image": None,
            "estimated_time": "90-120 seconds",
            "aspect_ratio": "16:9",
            "size": None,
            "source_images_count": 0,
            "duration": 8,
            "resolution": "1080p",
            "generate_audio": True,
            "seed": None,
            "negative_prompt": None,
        },
    ),
]
_FAST: dict[str, Any] = {
    "name": "veo3_fast",
    "slug": "veo3_fast",
    "aliases": [],
    "generation_type": "video",
    "available": True,
    "credits": 240,
    "quality": "standard",
    "modes": ["text-to-video", "image-to-video"],
    "aspect_ratios": ["16:9", "9:16"],
    "default": "16:9",
    "durations": [4, 6, 8],
    "default_duration": 8,
    "durations_by_resolution": {"1080p": [8], "4k": [8]},
    "durations_by_images": {"3": [8]},
    "resolutions": ["720p", "1080p", "4k"],
    "audio": "optional",
    "seed": True,
    "negative_prompt": True,
    "prices": {
        "720p": {"audio": 240, "silent": 192},
        "1080p": {"audio": 288, "silent": 240},
        "4k": {"audio": 720, "silent": 600},
    },
    "price_unit_seconds": 8,
    "estimated_time": {"text-to-video": "45-60 seconds", "image-to-video": "45-60 seconds"},
    "max_images": 3,
    "source_images_max": 3,
    "retires_at": None,
}
MODELS = [given("One of them", {"success": True, "models": [_FAST]})]
