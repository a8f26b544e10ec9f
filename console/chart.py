"""A chart of what was spent by day, in the coordinates of an SVG: a bar for each day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from console.templatetags.console import in_credits
from credits.spending import Day, Spending

STEP, GAP = 40, 8  # a day's width, and how much of it stays free
HEIGHT = 120
LEAST = 3  # so that a small bar is not taken for none


@dataclass(frozen=True, slots=True)
class Bar:
    """``look`` is a class of the style sheet."""

    look: str
    x: int
    y: int
    height: int
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars above and below a line at ``zero``. The line is there even without bars."""

    bars: list[Bar]
    zero: int
    width: int
    height: int = HEIGHT
    bar: int = STEP - GAP


def draw(spending: Spending) -> Chart:
    """Make the chart. Its highest and its lowest bar together fill the height."""
    up = max(0, *(day.spent for day in spending.days))
    down = max(0, *(-day.spent for day in spending.days))
    span = up + down
    zero = HEIGHT if not span else HEIGHT * up // span
    bars = [
        _bar(day, number * STEP + GAP // 2, zero, span)
        for number, day in enumerate(spending.days)
        if day.spent
    ]
    return Chart(bars, zero, STEP * len(spending.days))


def _bar(day: Day, x: int, zero: int, span: int) -> Bar:
    height = max(LEAST, HEIGHT * abs(day.spent) // span)
    y = max(0, zero - height) if day.spent > 0 else min(zero, HEIGHT - height)
    look = "part" if not day.is_whole else "spent" if day.spent > 0 else "back"
    return Bar(look, x, y, height, title(day))


def title(day: Day) -> str:
    """The text of a bar that is pointed at."""
    shown = {"day": in_words(day.day), "credits": in_credits(abs(day.spent))}
    if not day.is_whole:
        return _("%(day)s: %(credits)s credits, and more that is not counted") % shown
    if day.spent < 0:
        return _("%(day)s: %(credits)s credits came back") % shown
    return _("%(day)s: %(credits)s credits spent") % shown


def in_words(day: date) -> str:
    """A day, written like the date of a moment."""
    return f"{day.day} {day:%b %Y}"
