"""A browser and its system in two words, from its ``User-Agent``."""

from __future__ import annotations

from django.utils.translation import gettext as _

# The first that is found counts: most browsers also use the names of those below them.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
MAX_OTHER = 60  # characters


def named(said: str) -> str:
    """Browser and system of a ``User-Agent``; an unknown one is shown as it is, cut."""
    browser = _first(BROWSERS, said)
    system = _first(SYSTEMS, said)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or said[:MAX_OTHER] or _("An unknown browser")


def _first(names: tuple[tuple[str, str], ...], said: str) -> str:
    return next((name for sign, name in names if sign in said), "")
