"""Whether a video is what was ordered. If not it is still delivered, and operators are told.

It is paid for, and the customer may want it. Picture sizes are not compared: the facts show them.
"""

from __future__ import annotations

from typing import Any

from generation.models import Generation
from generation.offer.parameters import Parameters

TOLERANCE = 1.0  # seconds that a video may be longer or shorter: encoders round


def differences(generation: Generation, facts: dict[str, Any]) -> dict[str, str]:
    """``sound``, ``length`` or both, each in words for operators; nothing for images.

    ``facts`` are those of ``VideoFacts``.
    """
    found: dict[str, str] = {}
    if generation.kind != "video":
        return found
    asked = Parameters.of(generation.kind, generation.parameters)
    seconds, ordered_sound = asked.duration or 0, asked.generate_audio
    has_sound = facts["audio_codec"] is not None
    if has_sound != ordered_sound:
        found["sound"] = "with sound, ordered without" if has_sound else "no sound, ordered with"
    if abs(facts["duration_seconds"] - seconds) > TOLERANCE:
        found["length"] = f"{facts['duration_seconds']:.1f} s instead of {seconds} s"
    return found
