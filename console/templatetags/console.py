"""How pages show credits, money, moments, states and fields of forms."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

register = template.Library()

MINUS = "\N{MINUS SIGN}"
SIGNS = {"usd": "$", "eur": "\N{EURO SIGN}", "gbp": "\N{POUND SIGN}"}
NUL = "null_characters_not_allowed"  # the code of that fault
WHOLE = frozenset({"jpy", "krw", "clp", "vnd"})  # currencies without a smaller unit
LOOKS = {
    "completed": "good", "paid": "good",
    "failed": "bad", "mismatch": "bad",
    "pending": "busy", "processing": "busy", "created": "busy", "open": "busy",
}  # fmt: skip


@register.filter("credits")
def in_credits(amount: int) -> str:
    """2500 as ``2,500``; a true minus sign."""
    return f"{MINUS if amount < 0 else ''}{abs(amount):,}"


@register.filter
def money(minor: int, currency: str) -> str:
    """2500 of ``usd`` as ``$25.00``; a currency without a sign of ours by its name."""
    places = 0 if currency.lower() in WHOLE else 2
    amount = f"{Decimal(abs(minor)).scaleb(-places):,.{places}f}"
    sign = SIGNS.get(currency.lower())
    shown = f"{sign}{amount}" if sign else f"{amount} {currency.upper()}"
    return f"{MINUS if minor < 0 else ''}{shown}"


@register.simple_tag
def moment(when: datetime | None) -> SafeString | str:
    """A time in UTC, which the script makes the reader's own."""
    if when is None:
        return ""
    at = timezone.localtime(when)
    return format_html(
        '<time datetime="{}">{}</time>', at.isoformat(), f"{at.day} {at:%b %Y, %H:%M} UTC"
    )


@register.simple_tag
def state(word: str, shown: str = "") -> SafeString:
    """A badge; ``shown`` is the word for people."""
    look = LOOKS.get(word, "")
    return format_html('<span class="badge {}">{}</span>', look, shown or _(word))


@register.simple_tag
def copy(element: str) -> SafeString:
    """A button that copies the text of the element of that id."""
    return format_html(
        '<button type="button" class="button plain small" data-copy="#{}">{}</button>',
        element,
        _("Copy"),
    )


@register.inclusion_tag("console/parts/field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """Label, input, help and errors."""
    return {"field": bound, "said": _said(bound)}


def _said(bound: BoundField) -> str:
    """What is wrong with a field.

    Django says of a NUL that it is one, beside the field's own sentence; one of them is enough.
    """
    faults = bound.errors.as_data()
    others = [each for each in faults if each.code != NUL]
    return " ".join(sentence for each in others or faults for sentence in each.messages)


@register.inclusion_tag("console/parts/pages.html")
def pages(earlier: str | None, later: str | None) -> dict[str, Any]:
    """Links to the neighbouring pages of a list; None where there is none."""
    return {"earlier": earlier, "later": later}
