"""Whether mails can be sent, and whether they are only shown."""

from __future__ import annotations

from django.conf import settings

from common.google import is_google


def is_emulated() -> bool:
    """Whether no server is set and all else is emulated, too: mails are read at ``/mailbox/``."""
    if settings.MAIL_SERVER is not None or not settings.ALLOW_EMULATOR:
        return False
    return not is_google(settings.VERTEX_BASE_URL)


def can_send() -> bool:
    """Whether a mail reaches its reader. If not, nothing that waits for one is offered."""
    return settings.MAIL_SERVER is not None or is_emulated()
