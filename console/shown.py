"""One generation as its page and the page's live part show it, from the API's form of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account
from console import generation_words
from console.generation_words import Words
from generation import progress, public
from generation.models import Generation
from generation.models.states import State
from generation.outputs import retention
from generation.public import PublicGeneration

JUST_NOW = timedelta(minutes=1)  # what was just made plays by itself


@dataclass(frozen=True, slots=True)
class Shown:
    """``it`` is the API's form. While ``seen`` is the same, so is all that is shown."""

    it: PublicGeneration
    row: Generation
    seen: str
    state: Words
    title: str
    percent: int
    left: str
    link: str  # within our own origin
    file: str
    plays: bool
    reason: Words
    advice: Words
    kept_until: datetime | None

    @property
    def is_open(self) -> bool:
        return self.row.is_open

    @property
    def is_video(self) -> bool:
        return self.it["generation_type"] == "video"

    @property
    def may_not_play(self) -> bool:
        """Whether it is H.265, which some browsers cannot play."""
        return (self.it["video_codec"] or "avc1") != "avc1"

    @property
    def facts(self) -> list[tuple[str, object]]:
        """What was ordered: name and value of each parameter."""
        it = self.it
        sound = {True: _("with sound"), False: _("without sound"), None: None}
        seconds = it["duration"]
        told: list[tuple[str, object]] = [
            (_("Model"), self.row.model_id),
            (_("Aspect ratio"), it["aspect_ratio"]),
            (_("Size"), it["size"]),
            (_("Resolution"), it["resolution"]),
            (_("Duration"), seconds and _("%(n)s seconds") % {"n": seconds}),
            (_("Sound"), sound[it["generate_audio"]]),
            (_("Seed"), it["seed"]),
            (_("Negative prompt"), it["negative_prompt"]),
            (_("Source images"), it["source_images_count"] or None),
        ]
        return [(name, value) for name, value in told if value is not None]


def of(generation: Generation, account: Account) -> Shown:
    """Make it of a ``generation`` that ``lookup.of_account`` found. Asks no database."""
    generation.account = account  # says how long outputs are kept
    now = generation.now
    it = public.to_dict(generation, now, "")
    state = generation_words.state_of(generation, it["stage"])
    percent = round(it["progress"] * 100)
    what, advice = generation_words.reason_of(generation.error_code)
    link = urlsplit(it["video_url"] or it["image_url"] or "")
    ended = generation.finished_at
    return Shown(
        it=it,
        row=generation,
        seen=f"{generation.version}-{progress.step(generation, now)}-{it['stage'] or 'over'}",
        state=state,
        title=f"{percent} % – {state}" if generation.is_open else str(state),
        percent=percent,
        left=_left(progress.expected_end(generation, now), now),
        link=f"{link.path}?{link.query}" if link.path else "",
        file=_file(generation),
        plays=ended is not None and now - ended < JUST_NOW,
        reason=what,
        advice=advice,
        kept_until=retention.output_expires_at(generation),
    )


def _left(end: datetime | None, now: datetime) -> str:
    if end is None:
        return ""
    seconds = math.ceil((end - now).total_seconds() / 5) * 5  # nobody knows it to the second
    words = ngettext("about %(n)s second left", "about %(n)s seconds left", seconds)
    return words % {"n": seconds}


def _file(generation: Generation) -> str:
    """The name of the download, as the API gives it."""
    if generation.state != State.COMPLETED:
        return ""
    suffix = generation.output_key.rpartition(".")[2]
    return f"{generation.kind}-{generation.pk}.{suffix}"
