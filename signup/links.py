"""Links in mails: they carry a token, work once and for an hour, and act by POST alone."""

from __future__ import annotations

from datetime import timedelta

from common.errors import NotFound

LIVES = timedelta(hours=1)


class LinkOver(NotFound):
    """404: a link that was used, is too old, or was never ours; nobody learns which."""

    default_detail = "This link does not work any more, ask for a new one"
