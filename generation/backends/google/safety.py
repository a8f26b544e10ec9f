"""Why the provider's safety filter said no, in words a customer understands.

Veo names its reasons by support codes. The table is that of Google's "Responsible AI for Veo" page
(Agent Platform documentation, read in November 2026); the last two rows come from an older version
of it. Gemini's image models give words instead of codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from generation.backends.base import Rejected

Kind = Literal["video", "image"]

# category -> (what the customer reads after the colon, Veo's support codes)
CATEGORIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "child": ("a child", ("58061214", "17301594")),
    "celebrity": ("a well-known person", ("29310472", "15236754")),
    "video_safety": ("a breach of the video safety rules", ("64151117", "42237218")),
    "dangerous": ("dangerous content", ("62263041",)),
    "hate": ("hate", ("57734940", "22137204")),
    "other": ("a safety rule that it does not name", ("74803281", "29578790", "42876398")),
    "prohibited": (
        "prohibited content",
        ("89371032", "49114662", "63429089", "72817394", "60599140"),
    ),
    "third_party": ("content that belongs to others", ("35561574", "35561575")),
    "sexual": ("sexual content", ("90789179", "43188360")),
    "toxic": ("toxic language", ("78610348",)),
    "violence": ("violence", ("61493863", "56562880")),
    "vulgar": ("vulgar language", ("32635315",)),
    "people": ("a person or a face", ("39322892",)),
    "personal_information": ("personal information", ("92201652",)),
    "audio": ("its sound", ()),  # told in words only
}
# What the same request often passes another time: the sound is made anew.
PASSING = frozenset({"audio"})
_CATEGORY_OF_CODE = {code: word for word, (_, codes) in CATEGORIES.items() for code in codes}

# Gemini's finishReason, promptFeedback.blockReason and safetyRatings[].category.
_CATEGORY_OF_WORD = {
    "SAFETY": "other",
    "IMAGE_SAFETY": "other",
    "BLOCKLIST": "prohibited",
    "PROHIBITED_CONTENT": "prohibited",
    "IMAGE_PROHIBITED_CONTENT": "prohibited",
    "JAILBREAK": "prohibited",
    "MODEL_ARMOR": "prohibited",
    "RECITATION": "third_party",
    "IMAGE_RECITATION": "third_party",
    "SPII": "personal_information",
    "HARM_CATEGORY_DANGEROUS_CONTENT": "dangerous",
    "HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT": "dangerous",
    "HARM_CATEGORY_HATE_SPEECH": "hate",
    "HARM_CATEGORY_IMAGE_HATE": "hate",
    "HARM_CATEGORY_HARASSMENT": "toxic",
    "HARM_CATEGORY_IMAGE_HARASSMENT": "toxic",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT": "sexual",
    "HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT": "sexual",
}
FILTERED_FINISH_REASONS = frozenset(
    word for word in _CATEGORY_OF_WORD if not word.startswith("HARM_CATEGORY_")
)

_EIGHT_DIGITS = re.compile(r"(?<!\d)\d{8}(?!\d)")
_LABELLED = re.compile(r"support\s+codes?\s*:?\s*((?:\d{8}[,;\s]*)+)", re.IGNORECASE)
# Wording seen in refusals that carry no code. "policy" alone is not enough: an organisation policy
# that forbids the API is a matter for the operator.
_WORDING = re.compile(
    r"responsible ai|usage guidelines|safety (?:filter|setting|polic)|sensitive words?"
    r"|content polic|prohibited (?:use|content)|violat\w*.{0,60}(?:polic|guideline|practice)",
    re.IGNORECASE | re.DOTALL,
)
_AUDIO = re.compile(r"\baudio|\bsoundtrack", re.IGNORECASE)
_DETAIL_LIMIT = 2000


def support_codes(text: str) -> tuple[str, ...]:
    """Veo's support codes in ``text``, in order: those we know, and any that is called one."""
    labelled = {code for part in _LABELLED.findall(text) for code in _EIGHT_DIGITS.findall(part)}
    found = (code for code in _EIGHT_DIGITS.findall(text))
    return tuple(dict.fromkeys(c for c in found if c in labelled or c in _CATEGORY_OF_CODE))


def reads_like_a_refusal(text: str) -> bool:
    """Whether an error text speaks of the safety filter, with or without a support code."""
    return bool(support_codes(text) or _WORDING.search(text))


def speaks_of_sound(text: str) -> bool:
    """Whether a text is about the sound: why a video was held back is told so, without a code."""
    return bool(_AUDIO.search(text))


def filtered(kind: Kind, texts: Iterable[str], words: Iterable[str] = ()) -> Rejected:
    """The rejection for the provider's reasons, as it wrote them.

    The support codes in ``texts`` name it, then Gemini's ``words``, then what a text without a code
    speaks of: the first of them that says more than "safety".
    """
    texts, words = [text for text in texts if text], [word for word in words if word]
    codes = support_codes("; ".join(texts))
    told = [_CATEGORY_OF_CODE[code] for code in codes if code in _CATEGORY_OF_CODE]
    told += [_CATEGORY_OF_WORD[word] for word in words if word in _CATEGORY_OF_WORD]
    if not codes and any(speaks_of_sound(text) for text in texts):
        told.append("audio")
    category = next((word for word in told if word != "other"), "other")
    return _rejected(kind, category, codes, "; ".join([*words, *texts]))


def _rejected(kind: Kind, category: str, codes: tuple[str, ...], detail: str) -> Rejected:
    retryable = category in PASSING
    what = f"The provider's safety filter stopped this {kind}: {CATEGORIES[category][0]}."
    return Rejected(
        "content_filtered",
        what if retryable else f"{what} Change the prompt.",
        category=category,
        support_codes=codes[:20],
        detail=detail[:_DETAIL_LIMIT],
        retryable=retryable,
    )
